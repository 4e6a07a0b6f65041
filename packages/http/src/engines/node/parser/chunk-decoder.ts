import { FlotillaError } from '@flotilla/core';
import { type ExtensionState, mayEndExtension, nextInExtension } from './chunk-extension.ts';
import { carriageReturn, colon, kind, lineFeed, octets, semicolon } from './octets.ts';

/** Digits of a size, leading zeros among them. */
const mostDigits = 15;

/** Chunk extensions of one message; they are dropped. */
const mostExtensionBytes = 1_024;

/** Trailers of one message, with their line ends; they are dropped. */
const mostTrailerBytes = 4_096;

/**
 * What the next byte is part of.
 *
 * | state | exits |
 * |---|---|
 * | `size`: digits of a chunk's size | `extension`, `sizeEnd` |
 * | `extension`: dropped | `sizeEnd` |
 * | `sizeEnd`: the LF of that line | `data`, `trailer` behind the last chunk |
 * | `data` | `dataReturn` |
 * | `dataReturn`, `dataEnd`: its CR and LF | `size` |
 * | `trailer`: the beginning of a line | `trailerName`, `lastEnd` |
 * | `trailerName`, `trailerValue`, `trailerEnd`: dropped | `trailer` |
 * | `lastEnd`: the LF of the empty line | `done` |
 */
type State =
  | 'size'
  | 'extension'
  | 'sizeEnd'
  | 'data'
  | 'dataReturn'
  | 'dataEnd'
  | 'trailer'
  | 'trailerName'
  | 'trailerValue'
  | 'trailerEnd'
  | 'lastEnd'
  | 'done';

/** Takes a chunked body apart (RFC 9112 §7.1), byte by byte outside of its data. Extensions and trailers are checked and dropped. */
export class ChunkDecoder {
  #state: State = 'size';
  #size = 0;
  #digits = 0;
  #extension: ExtensionState = 'begin';
  #extensionBytes = 0;
  #trailerBytes = 0;

  /** True behind the empty line that ends the body. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * @param emit gets the data, in parts of `bytes`
   * @returns where the body ends, or the length of `bytes`
   * @throws FlotillaError MALFORMED_REQUEST; then this decoder cannot be used any more
   */
  decode(bytes: Uint8Array, from: number, emit: (data: Uint8Array) => void): number {
    let at = from;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#size);
        this.#size -= end - at;
        if (this.#size === 0) this.#state = 'dataReturn';
        emit(bytes.subarray(at, end));
        at = end;
      } else this.#step(bytes[at++] as number);
    }
    return at;
  }

  #step(byte: number): void {
    if (this.#state === 'size') this.#inSize(byte);
    else if (this.#state === 'extension') this.#inExtension(byte);
    else if (this.#state === 'sizeEnd') this.#expect(byte, lineFeed, this.#size === 0 ? 'trailer' : 'data');
    else if (this.#state === 'dataReturn') this.#expect(byte, carriageReturn, 'dataEnd');
    else if (this.#state === 'dataEnd') {
      this.#digits = 0;
      this.#expect(byte, lineFeed, 'size');
    } else if (this.#state === 'lastEnd') this.#expect(byte, lineFeed, 'done');
    else this.#inTrailers(byte);
  }

  #inSize(byte: number): void {
    const digit = hexValue(byte);
    if (digit >= 0) {
      if (++this.#digits > mostDigits) throw malformed(`a chunk size of more than ${mostDigits} digits`);
      this.#size = this.#size * 16 + digit;
      if (this.#size > Number.MAX_SAFE_INTEGER) throw malformed('a chunk size over 2^53');
    } else if (this.#digits > 0 && byte === carriageReturn) this.#state = 'sizeEnd';
    else if (this.#digits > 0 && byte === semicolon) {
      this.#state = 'extension';
      this.#extension = 'begin';
    } else throw malformed('a chunk size that is not hexadecimal');
  }

  #inExtension(byte: number): void {
    if (byte === carriageReturn && mayEndExtension(this.#extension)) this.#state = 'sizeEnd';
    else if (++this.#extensionBytes > mostExtensionBytes) {
      throw malformed(`chunk extensions of more than ${mostExtensionBytes} bytes`);
    } else {
      const next = nextInExtension(this.#extension, byte);
      if (next === undefined) throw malformed('a chunk extension that is not well-formed');
      this.#extension = next;
    }
  }

  #inTrailers(byte: number): void {
    if (++this.#trailerBytes > mostTrailerBytes) throw malformed(`trailers of more than ${mostTrailerBytes} bytes`);
    if (this.#state === 'trailerEnd') this.#expect(byte, lineFeed, 'trailer');
    else if (this.#state === 'trailerValue') {
      if (byte === carriageReturn) this.#state = 'trailerEnd';
      else if (!isA(kind.text, byte)) throw malformed('a trailer with control characters');
    } else if (this.#state === 'trailer' && byte === carriageReturn) this.#state = 'lastEnd';
    else if (this.#state === 'trailerName' && byte === colon) this.#state = 'trailerValue';
    else if (isA(kind.token, byte)) this.#state = 'trailerName';
    else throw malformed('a trailer that is no field');
  }

  #expect(byte: number, wanted: number, next: State): void {
    if (byte !== wanted) throw malformed('a chunk whose lines or data do not end with CR and LF');
    this.#state = next;
  }
}

function isA(bit: number, byte: number): boolean {
  return ((octets[byte] as number) & bit) !== 0;
}

/** -1 for what is no digit. */
function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function malformed(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the request has ${what}`);
}
