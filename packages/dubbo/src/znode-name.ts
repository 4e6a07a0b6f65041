import { FlotillaError } from '@flotilla/core';

/**
 * Text as the name of a ZooKeeper node: Java's `URLEncoder` with UTF-8, which is HTML form encoding and differs from
 * `encodeURIComponent` in a blank, which is `+`, and in `! ' ( ) ~`, which it does not leave alone.
 *
 * ```ts
 * encodeZnodeName('dubbo://h:1/a b~'); // 'dubbo%3A%2F%2Fh%3A1%2Fa+b%7E'
 * ```
 * @throws FlotillaError INVALID_INPUT for text with half a surrogate pair, which UTF-8 cannot hold.
 */
export function encodeZnodeName(text: string): string {
  if (!text.isWellFormed()) throw new FlotillaError('INVALID_INPUT', 'the text holds half a surrogate pair');
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

/**
 * What {@link encodeZnodeName} made `name` of (Java's `URLDecoder`).
 * @throws FlotillaError MALFORMED_REQUEST for a percent sign without two hex digits, or bytes that are not UTF-8.
 */
export function decodeZnodeName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', '%20'));
  } catch (cause) {
    throw new FlotillaError('MALFORMED_REQUEST', `"${name.slice(0, 80)}" is not form-encoded UTF-8`, { cause });
  }
}
