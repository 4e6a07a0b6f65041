import { FlotillaError } from '@flotilla/core';
import { ByteLines } from './byte-lines.ts';

/** How newline-delimited text is read. */
export interface LineOptions {
  /** Longest line, without its end. Default 1 MB. */
  readonly maxLineBytes?: number;
}

export const ndjsonMediaType = 'application/x-ndjson';

const defaultMaxLineBytes = 1_048_576;
const encoder = new TextEncoder();
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A value as one line of newline-delimited JSON. @throws TypeError for what JSON cannot hold, `undefined` included */
export function encodeLine(value: unknown): Uint8Array {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`JSON cannot hold ${typeof value}`);
  return encoder.encode(`${text}\n`);
}

/**
 * The lines of a body, without LF or CRLF. Empty ones, which some senders use to keep a connection alive, are left
 * out; a last line without an end counts. Leaving the loop early tells the sender to stop.
 *
 * @throws FlotillaError BAD_RESPONSE for a line that is too long or not UTF-8, or whatever the body rejects with
 */
export async function* decodeLines(
  body: AsyncIterable<Uint8Array>,
  options: LineOptions = {},
): AsyncGenerator<string, void, undefined> {
  const lines = new ByteLines('lf', options.maxLineBytes ?? defaultMaxLineBytes);
  for await (const chunk of body) {
    for (const line of lines.push(chunk)) if (line.byteLength > 0) yield decode(line);
  }
  const rest = lines.rest();
  if (rest.byteLength > 0) yield decode(rest);
}

function decode(line: Uint8Array): string {
  try {
    return utf8.decode(line);
  } catch {
    throw new FlotillaError('BAD_RESPONSE', 'a line of the stream is not valid UTF-8');
  }
}
