import type { PathOptions } from '../../../path.ts';
import type { ListenerLimits } from '../options.ts';
import type { RequestHead } from '../request-head.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import { HeadParser, type Readable } from './head-parser.ts';

/** What a {@link RequestParser} finds. */
export interface RequestEvents {
  /**
   * A whole head.
   * @param body all of it, where its length was declared and it came together with the last bytes of the head; empty for
   * a request without one. Undefined: it comes by {@link body} and ends with {@link end}.
   */
  head(head: RequestHead, body: Uint8Array | undefined): void;
  /** The next bytes of the body: a part of what was pushed. */
  body(bytes: Uint8Array): void;
  /** The body of the last head is whole. */
  end(): void;
}

/**
 * | state | exits |
 * |---|---|
 * | `head`: between requests, or in the head of one | `sized`, `chunked`, `head` behind a request without body |
 * | `sized`: in a body of declared length | `head` |
 * | `chunked`: in one that comes in chunks | `head` |
 * | `stopped`: nothing more is read | none |
 */
type State = 'head' | 'sized' | 'chunked' | 'stopped';

/**
 * The requests of one connection: bytes in, events out, no I/O. The same bytes give the same events however they are cut, but
 * for the cuts in bodies. What two servers might understand in two ways is refused.
 */
export class RequestParser {
  readonly #events: RequestEvents;
  readonly #heads: HeadParser;
  readonly #emit: (data: Uint8Array) => void;
  #state: State = 'head';
  /** The line of a head that is not whole; no longer than one may be. */
  #line: Buffer | undefined;
  /** Bytes that are still to come of a body of declared length. */
  #rest = 0;
  #chunks: ChunkDecoder | undefined;

  constructor(limits: ListenerLimits, pathOptions: PathOptions, events: RequestEvents) {
    this.#events = events;
    this.#heads = new HeadParser(limits, pathOptions);
    this.#emit = (data) => events.body(data);
  }

  /** Where the connection stands: between requests, in the head of one, in its body. */
  get place(): 'between' | 'head' | 'body' {
    if (this.#state === 'sized' || this.#state === 'chunked') return 'body';
    return this.#line !== undefined || this.#heads.begun ? 'head' : 'between';
  }

  /** After a refusal: what is known of a request whose head could be read. */
  get readable(): Readable | undefined {
    return this.#heads.readable;
  }

  /** What follows is not HTTP, or nobody's: may be called inside an event. */
  stop(): void {
    this.#state = 'stopped';
  }

  /**
   * @returns where it stopped; else the length of `bytes`
   * @throws FlotillaError with the status to answer; nothing that follows can be read
   */
  push(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'stopped') {
      if (this.#state === 'head') at = this.#readHead(bytes, at);
      else if (this.#state === 'sized') at = this.#readSized(bytes, at);
      else at = this.#readChunks(bytes, at);
    }
    return at;
  }

  #readHead(bytes: Buffer, from: number): number {
    const held = this.#line;
    if (held === undefined) return this.#readLines(bytes, from, from);
    this.#line = undefined;
    const joined = Buffer.concat([held, bytes]); // held only between pushes: `from` is 0 here
    return this.#readLines(joined, 0, held.length) - held.length;
  }

  /** Behind a line that is not whole, all bytes are read. */
  #readLines(bytes: Buffer, from: number, seen: number): number {
    const at = this.#heads.read(bytes, from, seen);
    const head = this.#heads.take();
    if (head) return this.#begin(head, bytes, at);
    if (at < bytes.length) this.#line = Buffer.from(bytes.subarray(at)); // a copy, as the whole would be held
    return bytes.length;
  }

  #begin(head: RequestHead, bytes: Buffer, at: number): number {
    const { length } = head.fields;
    if (length === undefined) {
      this.#state = 'chunked';
      this.#chunks = new ChunkDecoder();
      this.#events.head(head, undefined);
    } else if (length === 0) this.#events.head(head, noBytes);
    else if (bytes.length - at >= length && !head.fields.expectsContinue) {
      this.#events.head(head, bytes.subarray(at, at + length));
      return at + length;
    } else {
      this.#state = 'sized';
      this.#rest = length;
      this.#events.head(head, undefined);
    }
    return at;
  }

  #readSized(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.#rest);
    this.#rest -= end - from;
    this.#events.body(bytes.subarray(from, end));
    if (this.#rest === 0) this.#endBody();
    return end;
  }

  #readChunks(bytes: Buffer, from: number): number {
    const chunks = this.#chunks as ChunkDecoder;
    const end = chunks.decode(bytes, from, this.#emit);
    if (chunks.done) this.#endBody();
    return end;
  }

  #endBody(): void {
    if (this.#state !== 'stopped') this.#state = 'head';
    this.#chunks = undefined;
    this.#events.end();
  }
}

const noBytes = Buffer.alloc(0);
