import { FlotillaError } from '@flotilla/core';
import { readU24 } from './frame.ts';
import { type MimeType, routingMime, wellKnownMime } from './mime.ts';
import type { OutBuffer, Sendable } from './out-buffer.ts';
import { RecentTexts } from './recent-texts.ts';

/**
 * Reads composite metadata entry by entry, in place. One reader is reused.
 *
 * An entry names its type by a number (`1xxxxxxx`), or by text whose length **minus 1** stands before it: the text of
 * the extension says "length", every implementation writes one less.
 *
 * ```ts
 * reader.reset(payload.bytes, payload.metadataStart, payload.metadataEnd);
 * while (reader.next()) if (reader.is(routingMime)) route = reader.firstTag();
 * ```
 */
export class CompositeReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #limit = 0;
  #id = -1;
  #nameStart = 0;
  #nameEnd = 0;
  /** Where the entry's content is. */
  start = 0;
  end = 0;

  reset(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#limit = end;
  }

  /** Goes to the next entry. @returns false behind the last @throws FlotillaError MALFORMED_REQUEST */
  next(): boolean {
    if (this.#at >= this.#limit) return false;
    const first = this.#bytes[this.#at++] as number;
    if (first >= 0x80) {
      this.#id = first & 0x7f;
    } else {
      this.#id = -1;
      this.#nameStart = this.#at;
      this.#at += first + 1;
      this.#nameEnd = this.#at;
    }
    if (this.#at + 3 > this.#limit) throw malformed('an entry ends within its head');
    const length = readU24(this.#bytes, this.#at);
    this.start = this.#at + 3;
    this.end = this.start + length;
    if (this.end > this.#limit) throw malformed(`an entry of ${length} bytes goes beyond the metadata`);
    this.#at = this.end;
    return true;
  }

  /** Is the entry of this type? By number or by text: both are taken. */
  is(mime: MimeType): boolean {
    if (this.#id >= 0) return this.#id === mime.id;
    const { bytes } = mime;
    const own = this.#bytes;
    const start = this.#nameStart;
    if (this.#nameEnd - start !== bytes.length) return false;
    // From behind: many types begin alike. So few bytes are compared sooner here than by a call of Node's.
    for (let at = bytes.length - 1; at >= 0; at--) if (own[start + at] !== bytes[at]) return false;
    return true;
  }

  /** The type as text; of an unknown number `#` and the number. */
  get mime(): string {
    if (this.#id >= 0) return wellKnownMime(this.#id) ?? `#${this.#id}`;
    return this.#bytes.toString('latin1', this.#nameStart, this.#nameEnd);
  }

  /** The content as text. */
  text(): string {
    return this.#bytes.toString('utf8', this.start, this.end);
  }

  /** The first tag of a routing entry: what Spring calls the route. "" without one. @throws FlotillaError MALFORMED_REQUEST */
  firstTag(): string {
    if (this.start === this.end) return '';
    const from = this.start + 1;
    const to = from + (this.#bytes[this.start] as number);
    if (to > this.end) throw malformed('a route goes beyond its entry');
    return tags.read(this.#bytes, from, to);
  }
}

const tags = new RecentTexts();

/** Writes the head of an entry. @returns what {@link endEntry} wants */
export function beginEntry(out: OutBuffer, mime: MimeType): number {
  if (mime.id !== undefined) {
    out.u8(0x80 | mime.id);
  } else {
    out.u8(mime.bytes.length - 1);
    out.raw(mime.bytes);
  }
  out.u24(0);
  return out.length;
}

/** The entry's content is written. */
export function endEntry(out: OutBuffer, begun: number): void {
  out.setU24(begun - 3, out.length - begun);
}

/** Writes an entry. */
export function writeEntry(out: OutBuffer, mime: MimeType, content: Sendable): void {
  const begun = beginEntry(out, mime);
  out.send(content);
  endEntry(out, begun);
}

/** The bytes of a routing entry with one tag: made once for a route. @throws RangeError for one over 255 bytes */
export function routingEntry(route: string): Buffer<ArrayBuffer> {
  const tag = Buffer.from(route);
  if (tag.length > 255) throw new RangeError(`a route has at most 255 bytes, got ${tag.length}: "${route}"`);
  const content = Buffer.concat([Buffer.from([tag.length]), tag]);
  const head = Buffer.from([0x80 | (routingMime.id as number), 0, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([head, content]);
}

function malformed(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `composite metadata cannot be read: ${what}`);
}
