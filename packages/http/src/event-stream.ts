import { FlotillaError } from '@flotilla/core';
import { ByteLines } from './byte-lines.ts';

export const eventStreamMediaType = 'text/event-stream';

/** An event to send. */
export interface EventToSend {
  /** Its kind; without one it is a `message`. No line ends. */
  readonly event?: string;
  /** What a client that comes back sends as `last-event-id`. No line ends, no NUL. */
  readonly id?: string;
  /** Any text; each kind of line end arrives as LF. */
  readonly data: string;
  /** How long the client waits before it comes back: whole milliseconds from 0 on. */
  readonly retryMs?: number;
}

/** An event that was received. */
export interface ServerSentEvent {
  /** `message` when the sender named no kind. */
  readonly event: string;
  /** The last id that the stream gave, by this event or an earlier one; empty before the first. */
  readonly id: string;
  readonly data: string;
  /** The last wait that the stream asked for; absent before the first. */
  readonly retryMs?: number;
}

/** How an event stream is read. */
export interface EventStreamOptions {
  /** Most bytes of one event, its longest line included. Default 1 MB. */
  readonly maxEventBytes?: number;
}

const defaultMaxEventBytes = 1_048_576;
const encoder = new TextEncoder();
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * An event as bytes of a `text/event-stream` (WHATWG HTML, "Server-sent events").
 * @throws RangeError for a kind, id or wait that the format cannot hold
 */
export function encodeEvent({ event, id, data, retryMs }: EventToSend): Uint8Array {
  let text = '';
  if (event !== undefined) text += `event: ${oneLine('event', event)}\n`;
  if (id !== undefined) text += `id: ${oneLine('id', id)}\n`;
  if (retryMs !== undefined) text += `retry: ${wholeMs(retryMs)}\n`;
  for (const line of data.split(/\r\n|\r|\n/)) text += `data: ${line}\n`;
  return encoder.encode(`${text}\n`);
}

/** A comment, which readers pass over: it keeps a connection alive and shows that it is. */
export function encodeComment(text = ''): Uint8Array {
  const lines = text.split(/\r\n|\r|\n/).map((line) => `: ${line}\n`);
  return encoder.encode(`${lines.join('')}\n`);
}

/**
 * Reads an event stream as the standard says: lines may end in CR, LF or CRLF, a byte order mark is passed over, bytes
 * that are not UTF-8 become U+FFFD, an event without data or without the empty line behind it is none. Leaving the loop
 * early tells the sender to stop.
 *
 * @throws FlotillaError BAD_RESPONSE when an event is over the limit, or whatever the body rejects with
 */
export async function* decodeEvents(
  body: AsyncIterable<Uint8Array>,
  options: EventStreamOptions = {},
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const maxEventBytes = options.maxEventBytes ?? defaultMaxEventBytes;
  const lines = new ByteLines('cr-or-lf', maxEventBytes);
  const assembly = new EventAssembly(maxEventBytes);
  for await (const chunk of body) {
    for (const line of lines.push(chunk)) {
      const event = assembly.take(line);
      if (event) yield event;
    }
  }
}

/** What the lines so far say of the event that is under way. */
class EventAssembly {
  readonly #maxEventBytes: number;
  #first = true;
  #event = '';
  #id = '';
  #retryMs: number | undefined;
  #data: string[] = [];
  #dataBytes = 0;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** @returns the event that an empty line completes. */
  take(bytes: Uint8Array): ServerSentEvent | undefined {
    const text = utf8.decode(bytes);
    const line = this.#first && text.startsWith('\ufeff') ? text.slice(1) : text;
    this.#first = false;
    if (line === '') return this.#complete();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    this.#set(field, value, bytes.byteLength);
    return undefined;
  }

  #set(field: string, value: string, bytes: number): void {
    if (field === 'data') this.#append(value, bytes);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^[0-9]{1,15}$/.test(value)) this.#retryMs = Number(value);
    // Whatever else there is, comments too, is passed over.
  }

  #append(value: string, bytes: number): void {
    this.#dataBytes += bytes;
    if (this.#dataBytes > this.#maxEventBytes) {
      const detail = `an event of the stream is larger than the limit of ${this.#maxEventBytes} bytes`;
      throw new FlotillaError('BAD_RESPONSE', detail, { data: { maxEventBytes: this.#maxEventBytes } });
    }
    this.#data.push(value);
  }

  #complete(): ServerSentEvent | undefined {
    const { event, data } = { event: this.#event || 'message', data: this.#data };
    this.#event = '';
    this.#data = [];
    this.#dataBytes = 0;
    if (data.length === 0) return undefined;
    const retry = this.#retryMs === undefined ? undefined : { retryMs: this.#retryMs };
    return { event, id: this.#id, data: data.join('\n'), ...retry };
  }
}

function oneLine(name: string, text: string): string {
  if (/[\r\n\0]/.test(text))
    throw new RangeError(`${name} is one line without NUL, got ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

function wholeMs(retryMs: number): number {
  if (Number.isSafeInteger(retryMs) && retryMs >= 0) return retryMs;
  throw new RangeError(`retryMs is a whole number of milliseconds from 0 on, got ${retryMs}`);
}
