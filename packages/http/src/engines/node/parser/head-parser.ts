import { FlotillaError } from '@flotilla/core';
import type { PathOptions } from '../../../path.ts';
import type { ListenerLimits } from '../options.ts';
import {
  checkMethod,
  type HttpVersion,
  type ReadFields,
  type RequestHead,
  readFields,
  readTarget,
} from '../request-head.ts';
import { fieldName } from './field-names.ts';
import { isText, methodOf } from './methods.ts';
import { blank, carriageReturn, colon, kind, lineFeed, octets, tab } from './octets.ts';

/** As much of a refused request as was understood: what its answer may look like. */
export interface Readable {
  readonly method: string;
  readonly accept: string | undefined;
}

/** Fields and a target up to this size each are kept for the next request: their connection may be one of ten thousand. */
const mostKeptBytes = 1_024;

const longestName = 256;

/**
 * Reads heads of requests, line by line: a line is judged when its end has come, or when it is too long to end well, so
 * the same bytes give the same verdict however they are cut. Strict as RFC 9112 §2 to §5 allow: lines end in CRLF, one blank
 * stands between the parts of a request line, no field is folded, no blank stands before a colon.
 *
 * Most clients send the same fields each time, so those are kept as bytes and compared before they are read.
 */
export class HeadParser {
  readonly #limits: ListenerLimits;
  readonly #pathOptions: PathOptions;
  /** Of the head that is being read; empty before its request line. */
  #method = '';
  #target = '';
  #version: HttpVersion = '1.1';
  /** name, value, name, value, …; names in lower case. */
  #fields: string[] = [];
  #fieldBytes = 0;
  #emptyLine = false;
  #head: RequestHead | undefined;
  #isReadable = false;
  /** Of the head before: its fields as bytes, where those are few, and all that was read. */
  #block: Buffer | undefined;
  #before: RequestHead | undefined;

  constructor(limits: ListenerLimits, pathOptions: PathOptions) {
    this.#limits = limits;
    this.#pathOptions = pathOptions;
  }

  /** True when whole lines of a head were read, and its end was not. */
  get begun(): boolean {
    return this.#method !== '' || this.#emptyLine;
  }

  /** After a refusal: what is known of a request whose head could be read, or would have been but for its size. */
  get readable(): Readable | undefined {
    return this.#isReadable ? { method: this.#method, accept: firstOf(this.#fields, 'accept') } : undefined;
  }

  /** The head that {@link read} came to the end of, once. */
  take(): RequestHead | undefined {
    const head = this.#head;
    this.#head = undefined;
    return head;
  }

  /**
   * Reads whole lines, up to the end of a head.
   * @param seen up to where the line at `from` is known to have no end
   * @returns where the rest begins: of the line that is not whole, or behind the head
   * @throws FlotillaError with the status to answer; then this parser cannot be used any more
   */
  read(bytes: Buffer, from: number, seen: number): number {
    let at = from;
    let block = -1; // where the fields begin; unknown when that was in bytes before
    for (;;) {
      const end = bytes.indexOf(lineFeed, at > seen ? at : seen);
      if (end < 0) {
        if (at < bytes.length) this.#checkUnfinished(bytes, at);
        return at;
      }
      if (this.#method === '') {
        this.#readRequestLine(bytes, at, end);
        block = this.#method === '' ? -1 : end + 1;
        if (block > 0 && this.#isAsBefore(bytes, block)) return this.#finishAsBefore(block);
      } else if (end === at + 1 && bytes[at] === carriageReturn) {
        this.#finishRead(bytes, block, end + 1);
        return end + 1;
      } else this.#readField(bytes, at, end);
      at = end + 1;
    }
  }

  /** A line that is too long is refused before its end, which may never come. */
  #checkUnfinished(bytes: Buffer, at: number): void {
    const length = bytes.length - at - 1; // its last byte may be the CR
    if (this.#method === '') {
      this.#checkBegin(bytes[at] as number);
      this.#checkRequestLine(length);
    } else if (length > 0) this.#checkFieldLine(length + 2);
  }

  #checkBegin(byte: number): void {
    if (byte >= 0x41 && byte <= 0x5a) return;
    if (byte !== carriageReturn || this.#emptyLine) throw notHttp('a request begins with a method');
  }

  #checkRequestLine(length: number): void {
    const { maxRequestLineBytes } = this.#limits;
    if (length <= maxRequestLineBytes) return;
    throw new FlotillaError('TARGET_TOO_LONG', `the request line is over ${maxRequestLineBytes} bytes`);
  }

  /** RFC 9112 §3: method SP target SP version. One empty line before it is forgiven (§2.2). */
  #readRequestLine(bytes: Buffer, start: number, lineEnd: number): void {
    this.#checkBegin(bytes[start] as number);
    const end = lineEnd - 1;
    this.#checkRequestLine(end - start);
    if (bytes[end] !== carriageReturn) throw notHttp('a line ends with CR and LF');
    if (end === start) {
      this.#emptyLine = true;
      return;
    }
    const methodEnd = bytes.indexOf(blank, start);
    const method = methodEnd < 0 ? undefined : methodOf(bytes, start, methodEnd);
    if (method === undefined) throw notHttp('its method is not known');
    const targetStart = methodEnd + 1;
    let targetEnd = targetStart;
    while (((octets[bytes[targetEnd] as number] as number) & kind.target) !== 0) targetEnd++;
    if (targetEnd === end && end > targetStart) throw unsupported();
    if (bytes[targetEnd] !== blank || targetEnd === targetStart) {
      throw notHttp('its target is empty, or has blanks, control or 8-bit characters, or a fragment');
    }
    this.#version = versionOf(bytes, targetEnd + 1, end);
    this.#method = method;
    this.#target = bytes.toString('latin1', targetStart, targetEnd);
  }

  #isAsBefore(bytes: Buffer, start: number): boolean {
    const block = this.#block;
    if (block === undefined || bytes.length - start < block.length) return false;
    return (
      this.#before?.fields.version === this.#version &&
      bytes.compare(block, 0, block.length, start, start + block.length) === 0
    );
  }

  #finishAsBefore(start: number): number {
    this.#finish((this.#before as RequestHead).fields);
    return start + (this.#block as Buffer).length;
  }

  #finishRead(bytes: Buffer, block: number, end: number): void {
    this.#isReadable = true;
    checkMethod(this.#method);
    const fields = readFields(this.#version, this.#fields, this.#limits);
    const isShort = block >= 0 && end - block <= mostKeptBytes && this.#target.length <= mostKeptBytes;
    this.#block = isShort ? copyOf(bytes, block, end) : undefined;
    this.#finish(fields);
  }

  #finish(fields: ReadFields): void {
    this.#isReadable = true;
    this.#fields = fields.raw;
    const method = this.#method;
    const target = this.#target;
    checkMethod(method);
    const { path, query } = readTarget(method, target, fields.authority, this.#pathOptions, this.#before);
    this.#head = { method, target, path, query, fields };
    this.#before = this.#block && target.length <= mostKeptBytes ? this.#head : undefined;
    this.#isReadable = false;
    this.#method = '';
    this.#fields = [];
    this.#fieldBytes = 0;
    this.#emptyLine = false;
  }

  /** RFC 9112 §5: name, colon, value between optional blanks. */
  #readField(bytes: Buffer, start: number, lineEnd: number): void {
    let end = lineEnd - 1;
    this.#checkFieldLine(end - start + 2);
    if (bytes[end] !== carriageReturn) throw notHttp('a line ends with CR and LF');
    const nameEnd = tokenEnd(bytes, start);
    if (bytes[nameEnd] !== colon || nameEnd === start || nameEnd - start > longestName) {
      throw notHttp('a header field is a name that is a token, a colon and a value, in one line');
    }
    let from = nameEnd + 1;
    while (isBlank(bytes[from] as number)) from++;
    while (end > from && isBlank(bytes[end - 1] as number)) end--;
    if (textEnd(bytes, from) < end) throw notHttp('a header value has control characters');
    this.#fields.push(fieldName(bytes, start, nameEnd), bytes.toString('latin1', from, end));
    this.#fieldBytes += lineEnd + 1 - start;
  }

  /** @param length of the line with its end, as far as it has come */
  #checkFieldLine(length: number): void {
    const { maxHeaderFields, maxFieldBytes, maxHeaderBytes } = this.#limits;
    if (this.#fields.length / 2 >= maxHeaderFields) throw this.#tooLarge(`more than ${maxHeaderFields} header fields`);
    const room = maxHeaderBytes - this.#fieldBytes;
    if (length <= maxFieldBytes && length <= room) return;
    throw this.#tooLarge(
      room < maxFieldBytes
        ? `the header fields are over ${maxHeaderBytes} bytes`
        : `one header field is over ${maxFieldBytes} bytes`,
    );
  }

  #tooLarge(detail: string): FlotillaError {
    this.#isReadable = true;
    return new FlotillaError('HEADERS_TOO_LARGE', detail);
  }
}

/** Memory of its own: a part of what a socket brought would hold all of that. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

function tokenEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (((octets[bytes[at] as number] as number) & kind.token) !== 0) at++;
  return at;
}

/** The CR of the line's end is no text. */
function textEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (((octets[bytes[at] as number] as number) & kind.text) !== 0) at++;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === blank || byte === tab;
}

/** RFC 9112 §2.3. Of the versions that would be HTTP/1, those that exist; of the others it is said that they are not spoken. */
function versionOf(bytes: Uint8Array, start: number, end: number): HttpVersion {
  if (end - start === 8) {
    if (isText('HTTP/1.1', bytes, start)) return '1.1';
    if (isText('HTTP/1.0', bytes, start)) return '1.0';
    const [major, dot, minor] = [bytes[start + 5] as number, bytes[start + 6], bytes[start + 7] as number];
    if (isText('HTTP/', bytes, start) && dot === 0x2e && isDigit(major) && isDigit(minor) && major !== 0x31) {
      throw unsupported();
    }
  }
  throw notHttp('its version does not exist');
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function firstOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}

function unsupported(): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', 'this listener speaks HTTP/1.1', { httpStatus: 505 });
}

function notHttp(why: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the bytes are not a well-formed HTTP/1.1 request: ${why}`);
}
