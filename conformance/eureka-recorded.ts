import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

/** A request or an answer of a recording. */
export interface RecordedMessage {
  /** `GET /eureka/apps HTTP/1.1`, `HTTP/1.1 200`. */
  readonly line: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** One exchange of a recording. */
export interface RecordedExchange {
  readonly title: string;
  readonly request: RecordedMessage;
  readonly response: RecordedMessage;
  /** The recording proxy answered, not the server. */
  readonly isInjected: boolean;
}

/** Something in which two answers differ. */
export interface Difference {
  /** `status`, `header content-type`, `body.instance.status`. */
  readonly place: string;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/**
 * Reads a recording: `=== title`; `>>>` and `<<<` in front of each line of a head, alone in front of a body. Bodies that
 * were compressed are there as they were before.
 */
export function readRecording(file: string): RecordedExchange[] {
  const [, ...parts] = readFileSync(file, 'utf8').split(/^=== /m);
  return parts.map((part) => {
    const [title = '', ...lines] = part.trimEnd().split('\n');
    const answerAt = lines.findIndex((line) => line.startsWith('<<<'));
    assert.ok(answerAt > 0, `${file}: "${title}" has no answer`);
    return {
      title,
      request: messageOf(lines.slice(0, answerAt), '>>>'),
      response: messageOf(lines.slice(answerAt), '<<<'),
      isInjected: title.includes('[answer made by the recording proxy]'),
    };
  });
}

/**
 * In what an answer of ours differs from a recorded one, times that a server makes up and the order of lists aside: it
 * means nothing to who reads them.
 */
export function differencesOf(theirs: RecordedMessage, ours: RecordedMessage): Difference[] {
  const compared: [place: string, theirs: unknown, ours: unknown][] = [
    ['status', statusOf(theirs), statusOf(ours)],
    ...['content-type', 'content-encoding', 'allow'].map((name): [string, unknown, unknown] => [
      `header ${name}`,
      theirs.headers.get(name)?.toLowerCase(),
      ours.headers.get(name)?.toLowerCase(),
    ]),
  ];
  const differences = compared.flatMap(([place, a, b]) => (a === b ? [] : [{ place, theirs: a, ours: b }]));
  return [...differences, ...compare('body', contentOf(theirs.body), contentOf(ours.body))];
}

function messageOf(lines: readonly string[], mark: string): RecordedMessage {
  const bodyAt = lines.indexOf(mark);
  const head = lines.slice(0, bodyAt < 0 ? lines.length : bodyAt).map((line) => line.slice(mark.length + 1));
  const [line = '', ...fields] = head;
  const headers = new Map(fields.map((field) => [nameOf(field), field.slice(field.indexOf(':') + 1).trim()]));
  return { line, headers, body: bodyAt < 0 ? '' : lines.slice(bodyAt + 1).join('\n') };
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).toLowerCase();
}

function statusOf({ line }: RecordedMessage): string | undefined {
  return line.split(' ')[1];
}

/** Instants that a server makes up. */
const made = 'registrationTimestamp|lastRenewalTimestamp|evictionTimestamp|serviceUpTimestamp|lastUpdatedTimestamp';
const madeJson = new RegExp(`("(?:${made})":)"?[1-9]\\d*"?`, 'g');
const madeXml = new RegExp(`(<(?:${made})>)[1-9]\\d*`, 'g');

function contentOf(body: string): unknown {
  const text = body
    .replace(madeJson, '$1"T"')
    .replace(madeXml, '$1T')
    .replace(/"timestamp":"[^"]+"/, '"timestamp":"T"');
  return text.startsWith('{') ? inOrder(JSON.parse(text)) : text;
}

/** Applications by name, instances by id. */
function inOrder(document: Listed): unknown {
  for (const { instance } of document.applications?.application ?? [])
    instance.sort(by(({ instanceId }) => instanceId));
  document.applications?.application.sort(by(({ name }) => name));
  return document;
}

function by<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : 1);
}

interface Listed {
  readonly applications?: {
    readonly application: { readonly name: string; readonly instance: { readonly instanceId: string }[] }[];
  };
}

function compare(place: string, theirs: unknown, ours: unknown): Difference[] {
  if (isDeepStrictEqual(theirs, ours)) return [];
  if (!isRecord(theirs) || !isRecord(ours)) return [{ place, theirs, ours }];
  const names = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
  return [...names].flatMap((name) => compare(`${place}.${name}`, theirs[name], ours[name]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
