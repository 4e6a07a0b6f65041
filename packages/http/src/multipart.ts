import { type Call, FlotillaError, within } from '@flotilla/core';
import { parseMediaType } from './media-type.ts';
import { malformedPart, type PartHead, parsePartHead } from './part-head.ts';

/** The media type of {@link MultipartReader}. */
export const multipartMediaType = 'multipart/form-data';

/** What one multipart body may hold. */
export interface MultipartLimits {
  /** Of the whole body, with heads and boundaries. */
  readonly maxBytes: number;
  /** Fields and files together. */
  readonly maxParts: number;
  /** Of the header lines of one part. */
  readonly maxPartHeaderBytes: number;
  readonly maxPartHeaderLines: number;
}

/** One field or file of a form, as it comes. */
export interface Part extends PartHead {
  /** Its bytes; read once, before the next part is asked for. Left unread they are thrown away. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * The boundary that a content type names (RFC 2046 §5.1.1).
 * @throws FlotillaError MALFORMED_REQUEST
 */
export function boundaryOf(contentType: string): string {
  const boundary = parseMediaType(contentType)?.parameters.get('boundary');
  if (boundary !== undefined && boundaryPattern.test(boundary)) return boundary;
  throw new FlotillaError('MALFORMED_REQUEST', 'multipart/form-data needs a boundary of 1 to 70 characters');
}

const boundaryPattern = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/**
 * | state | the next bytes are | exits |
 * |---|---|---|
 * | `start` | the first boundary | `between` |
 * | `between` | the line end after a boundary, or the two dashes of the last one | `content`, `over` |
 * | `content` | bytes of the present part, then a boundary | `between` |
 * | `over` | none | none |
 */
type State = 'start' | 'between' | 'content' | 'over';

/**
 * Reads `multipart/form-data` (RFC 7578) part by part from a body that is cut anyhow. It asks for bytes only when it is
 * asked for a part or for content, so that a slow reader slows the sender, and holds one chunk and a boundary's length
 * of the one before. Nothing but a line end may stand before the first boundary and after the last one.
 *
 * Once it has failed it fails always, with the same error.
 */
export class MultipartReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #call: Call;
  readonly #limits: MultipartLimits;
  readonly #delimiter: Uint8Array;
  #state: State = 'start';
  #held: Uint8Array = nothing;
  #received = 0;
  #parts = 0;
  #busy = false;
  #failure: { readonly thrown: unknown } | undefined;

  /** @param call each wait ends with it */
  constructor(body: AsyncIterable<Uint8Array>, boundary: string, limits: MultipartLimits, call: Call) {
    this.#chunks = body[Symbol.asyncIterator]();
    this.#delimiter = ascii.encode(`\r\n--${boundary}`);
    this.#limits = limits;
    this.#call = call;
  }

  /**
   * The next part; what is left of the one before is thrown away.
   * @returns undefined after the last one
   * @throws FlotillaError MALFORMED_REQUEST; BODY_TOO_LARGE naming the limit; or whatever the body rejects with
   */
  next(): Promise<Part | undefined> {
    return this.#alone(async () => {
      if (this.#state === 'over') return undefined;
      if (this.#state === 'start') await this.#open();
      while (this.#state === 'content') await this.#chunk();
      const head = await this.#head();
      return head && { ...head, content: this.#content(this.#parts) };
    });
  }

  /** Nobody wants the rest: the sender is told to stop. */
  leave(): void {
    this.#state = 'over';
    this.#held = nothing;
    Promise.try(() => this.#chunks.return?.()).catch(() => undefined);
  }

  async *#content(part: number): AsyncGenerator<Uint8Array, undefined> {
    for (;;) {
      const chunk = await this.#alone(async () => {
        if (part === this.#parts && this.#state === 'content') return this.#chunk();
        if (part === this.#parts && this.#state === 'between') return undefined;
        throw new FlotillaError('INTERNAL', 'a part of a form was read after the next one was asked for: it is gone');
      });
      if (!chunk) return;
      yield chunk;
    }
  }

  /** One reader at a time: two would each get half. */
  async #alone<T>(read: () => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure.thrown;
    if (this.#busy) throw new FlotillaError('INTERNAL', 'two parts of one form are read at the same time');
    this.#busy = true;
    try {
      return await read();
    } catch (thrown) {
      this.#failure = { thrown };
      this.leave();
      throw thrown;
    } finally {
      this.#busy = false;
    }
  }

  /** The first boundary has no line end before it, unless the sender wrote one. */
  async #open(): Promise<void> {
    const bare = this.#delimiter.subarray(2);
    await this.#need(bare.length);
    if (startsWith(this.#held, lineEnd)) await this.#need(this.#delimiter.length);
    if (!this.#take(bare) && !this.#take(this.#delimiter)) {
      throw malformed('it does not begin with the boundary that its content-type names');
    }
    this.#state = 'between';
  }

  /** @returns undefined after the last boundary. */
  async #head(): Promise<PartHead | undefined> {
    await this.#need(2);
    if (this.#take(dashes)) return this.#close();
    if (!startsWith(this.#held, lineEnd)) throw malformed('a boundary is followed by something other than a line end');
    const { maxParts, maxPartHeaderBytes, maxPartHeaderLines } = this.#limits;
    if (++this.#parts > maxParts) throw tooLarge('parts', { maxParts }, maxParts);
    // The line end of the boundary is the beginning of what ends a head without lines.
    let end = indexOf(this.#held, headEnd);
    while (end < 0) {
      if (this.#held.length > maxPartHeaderBytes + 4) break;
      await this.#need(this.#held.length + 1);
      end = indexOf(this.#held, headEnd);
    }
    if (end < 0 || end > maxPartHeaderBytes + 2) {
      throw tooLarge('bytes in the head of a part', { maxPartHeaderBytes }, maxPartHeaderBytes);
    }
    if (end === 0) throw malformedPart('no content-disposition');
    const head = parsePartHead(this.#held.subarray(2, end), maxPartHeaderLines);
    this.#held = this.#held.subarray(end + headEnd.length);
    this.#state = 'content';
    return head;
  }

  async #close(): Promise<undefined> {
    while (this.#held.length <= 2 && (await this.#fill()));
    if (this.#held.length > 0 && !(this.#held.length === 2 && startsWith(this.#held, lineEnd))) {
      throw malformed('something stands after its last boundary');
    }
    this.#state = 'over';
    this.#held = nothing;
  }

  /** @returns undefined at the boundary, which is taken. */
  async #chunk(): Promise<Uint8Array | undefined> {
    for (;;) {
      const at = indexOf(this.#held, this.#delimiter);
      if (at === 0) {
        this.#take(this.#delimiter);
        this.#state = 'between';
        return undefined;
      }
      // Without a boundary, all but what may be the beginning of one.
      const whole = at > 0 ? at : this.#held.length - this.#delimiter.length + 1;
      if (whole > 0) {
        const chunk = this.#held.subarray(0, whole);
        this.#held = this.#held.subarray(whole);
        return chunk;
      }
      await this.#need(this.#held.length + 1);
    }
  }

  async #need(length: number): Promise<void> {
    while (this.#held.length < length) {
      if (!(await this.#fill())) throw malformed('it ends before its last boundary');
    }
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await within(this.#call, this.#chunks.next());
    if (done) return false;
    this.#received += value.byteLength;
    const { maxBytes } = this.#limits;
    if (this.#received > maxBytes) throw tooLarge('bytes', { maxBytes }, maxBytes);
    // Never written into: what was handed out are views of it.
    this.#held = this.#held.length === 0 ? value : joined(this.#held, value);
    return true;
  }

  #take(expected: Uint8Array): boolean {
    if (!startsWith(this.#held, expected)) return false;
    this.#held = this.#held.subarray(expected.length);
    return true;
  }
}

const ascii = new TextEncoder();
const nothing = new Uint8Array(0);
const dashes = ascii.encode('--');
const lineEnd = ascii.encode('\r\n');
const headEnd = ascii.encode('\r\n\r\n');

function startsWith(bytes: Uint8Array, expected: Uint8Array): boolean {
  return bytes.length >= expected.length && expected.every((byte, index) => bytes[index] === byte);
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(wanted);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function malformed(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the multipart body cannot be read: ${what}`);
}

function tooLarge(what: string, data: object, limit: number): FlotillaError {
  return new FlotillaError('BODY_TOO_LARGE', `the form has more than the limit of ${limit} ${what}`, { data });
}
