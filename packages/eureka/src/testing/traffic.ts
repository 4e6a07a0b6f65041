import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One recorded exchange; the same as it is in the recording's text. */
export interface Exchange {
  readonly title: string;
  readonly request: Message;
  readonly response: Message;
}

interface Message {
  /** `POST /eureka/… HTTP/1.1`, or `HTTP/1.1 200`. */
  readonly start: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Why recorded traffic cannot be replayed here; false where it can. */
export const noTraffic: string | false =
  process.env['FLOTILLA_TEST_DATA'] === undefined &&
  'SKIPPED LOUDLY: set FLOTILLA_TEST_DATA to the folder that holds eureka-traffic/';

/**
 * Recorded exchanges: `=== ` title, `>>> ` the request's head, its body, `<<< ` the answer's head, its body.
 */
export function readTraffic(file: string): Exchange[] {
  const text = readFileSync(join(process.env['FLOTILLA_TEST_DATA'] ?? '', 'eureka-traffic', file), 'utf8');
  return text
    .split(/^=== /m)
    .slice(1)
    .map((part) => {
      const [title = '', ...lines] = part.split('\n');
      const middle = lines.findIndex((line) => line.startsWith('<<< '));
      return { title, request: messageOf(lines.slice(0, middle)), response: messageOf(lines.slice(middle)) };
    });
}

function messageOf(lines: readonly string[]): Message {
  const head = lines.filter((line) => /^(?:>>>|<<<) /.test(line)).map((line) => line.slice(4));
  const [start = '', ...fields] = head;
  const body = lines.filter((line) => !/^(?:>>>|<<<)/.test(line)).join('\n');
  return {
    start,
    fields: fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 2),
    ]),
    body: body.trim(),
  };
}
