import { FlotillaError } from '@flotilla/core';

/** The media type of {@link parseForm}. */
export const formMediaType = 'application/x-www-form-urlencoded';

/** Names and values of a form in their order; a name may come more than once. */
export type FormPairs = readonly (readonly [name: string, value: string])[];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a form (URL Standard §5.1), but strictly: an escape that is none and bytes that are no UTF-8 are refused, where a
 * browser would put a replacement. `+` is a blank; a name without `=` has an empty value; empty pairs are nothing.
 *
 * @param maxFields the most pairs that are taken
 * @throws FlotillaError BODY_TOO_LARGE naming `maxFields`; MALFORMED_REQUEST naming the field
 */
export function parseForm(bytes: Uint8Array, maxFields: number): FormPairs {
  const pairs: (readonly [string, string])[] = [];
  for (const pair of pairsOf(textOf(bytes))) {
    if (pair === '') continue;
    if (pairs.length >= maxFields) throw tooManyFields(maxFields);
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), pairs.length);
    pairs.push([name, equals < 0 ? '' : decode(pair.slice(equals + 1), pairs.length, name)]);
  }
  return pairs;
}

/** The form that says these pairs. @throws URIError for a text with half a character (a lone surrogate) */
export function encodeForm(pairs: FormPairs): string {
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
}

/** More fields than a form may have: of either kind. */
export function tooManyFields(maxFields: number): FlotillaError {
  return new FlotillaError('BODY_TOO_LARGE', `the form has more than the limit of ${maxFields} fields`, {
    data: { maxFields },
  });
}

/** One at a time, so that a body of nothing but `&` does not become a million texts. */
function* pairsOf(text: string): Iterable<string> {
  for (let start = 0; start <= text.length; ) {
    const ampersand = text.indexOf('&', start);
    const end = ampersand < 0 ? text.length : ampersand;
    yield text.slice(start, end);
    start = end + 1;
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FlotillaError('MALFORMED_REQUEST', 'the form is not valid UTF-8');
  }
}

function decode(text: string, index: number, field?: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    const which = field === undefined ? `the name of field ${index + 1}` : `field "${field.slice(0, 100)}"`;
    throw new FlotillaError('MALFORMED_REQUEST', `${which} of the form has an escape that is not UTF-8 in %XX`);
  }
}
