import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { FlotillaError } from '@flotilla/core';
import { parseJsonText } from '@flotilla/http';
import type * as Cborg from 'cborg';
import type { PayloadView } from '../payload-view.ts';
import { assertTexts, withTextsInChunks, withWholeStrings } from './cbor-strings.ts';
import type { DataCodec } from './data-codec.ts';

/**
 * CBOR, in which Spring Boot writes unless it is told otherwise: the same values as in JSON, and no others. Bytes come as
 * their base64, as in JSON. It needs the package `cborg`, an optional peer, which is loaded when a connection names the type.
 */
export const cborCodec: DataCodec = Object.freeze({
  mime: 'application/cbor',
  load: () => void library(),
  decode(payload: PayloadView): unknown {
    if (payload.dataStart === payload.dataEnd) return undefined;
    let text: string;
    try {
      const bytes = withWholeStrings(payload.dataBytes());
      text = JSON.stringify(library().decode(bytes, decoding), bytesAsBase64);
      if (text.includes('\ufffd')) assertTexts(bytes); // it was sent, or stands for what is no UTF-8
    } catch (cause) {
      if (cause instanceof FlotillaError) throw cause;
      const why = cause instanceof RangeError ? 'it is nested too deeply' : (cause as Error).message;
      throw new FlotillaError('MALFORMED_REQUEST', `the data is no CBOR that says JSON: ${why}`, { cause });
    }
    return parseJsonText(text); // with the limits and the forbidden names of JSON
  },
  encode(value: unknown): Uint8Array {
    const text: string | undefined = JSON.stringify(value); // what JSON leaves out is left out here
    if (text === undefined) throw new TypeError(`CBOR is given what JSON cannot hold: ${typeof value}`);
    const { buffer, byteOffset, byteLength } = library().encode(JSON.parse(text), encoding);
    return withTextsInChunks(Buffer.from(buffer, byteOffset, byteLength));
  },
});

/**
 * What Jackson writes with tags: BigInteger (RFC 8949 §3.4.3) and BigDecimal (§3.4.4), which are numbers in JSON, and the
 * mark that something is CBOR at all (§3.4.6). All other tags are refused.
 */
const tags: Cborg.DecodeOptions['tags'] = {
  2: (content) => wholeNumber(bytesToBigInt(content())),
  3: (content) => wholeNumber(-1n - bytesToBigInt(content())),
  4: (content) => decimalFraction(content()),
  55799: (content) => content(),
};

function bytesToBigInt(bytes: unknown): bigint {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('a big number is not made of bytes');
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}

function wholeNumber(value: bigint): number {
  if (Number.isSafeInteger(Number(value))) return Number(value);
  throw new TypeError('a whole number beyond 2^53 does not fit into JSON; let it be written as a text');
}

/** The nearest double, as for the digits in JSON. */
function decimalFraction(content: unknown): number {
  const [exponent, mantissa] = Array.isArray(content) ? content : [];
  if (typeof exponent !== 'number' || typeof mantissa !== 'number')
    throw new TypeError('a decimal number is not made of two');
  return Number(`${mantissa}e${exponent}`);
}

/** Numbers that a double does not hold exactly, and what JSON has no word for, are refused. */
const decoding: Cborg.DecodeOptions = {
  allowBigInt: false,
  allowInfinity: false,
  allowNaN: false,
  coerceUndefinedToNull: true,
  rejectDuplicateMapKeys: true,
  tags,
};

/** Half precision is legal, and unknown to many readers. */
const encoding: Cborg.EncodeOptions = { float64: true };

let loaded: Pick<typeof Cborg, 'decode' | 'encode'> | undefined;

/** @throws FlotillaError PACKAGE_MISSING */
function library(): Pick<typeof Cborg, 'decode' | 'encode'> {
  if (loaded) return loaded;
  try {
    // At once, since a SETUP is answered at once; by its address, since it has no entry for `require`.
    loaded = createRequire(import.meta.url)(fileURLToPath(import.meta.resolve('cborg'))) as typeof Cborg;
    return loaded;
  } catch (cause) {
    throw new FlotillaError(
      'PACKAGE_MISSING',
      'data of type "application/cbor" needs the package cborg: npm install cborg; or connect with application/json',
      { cause },
    );
  }
}

function bytesAsBase64(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    : value;
}
