import { kind, octets, semicolon } from './octets.ts';

/**
 * Where in a chunk extension (RFC 9112 §7.1.1) the next byte stands: `;name`, `;name=token` or `;name="quoted"`, again and
 * again, without the blanks that old software put there.
 *
 * | state | exits |
 * |---|---|
 * | `begin`: behind ";" | `name` |
 * | `name` | `equals`, `begin`, the end |
 * | `equals`: behind "=" | `value`, `quoted` |
 * | `value`: a token | `begin`, the end |
 * | `quoted`: in a quoted string | `escaped`, `quotedEnd` |
 * | `escaped`: behind a backslash in it | `quoted` |
 * | `quotedEnd` | `begin`, the end |
 */
export type ExtensionState = 'begin' | 'name' | 'equals' | 'value' | 'quoted' | 'escaped' | 'quotedEnd';

const equalsSign = 0x3d;
const quote = 0x22;
const backslash = 0x5c;

/** @returns where the byte after this one stands; undefined for one that has no place here */
export function nextInExtension(state: ExtensionState, byte: number): ExtensionState | undefined {
  const kinds = octets[byte] as number;
  if (state === 'quoted' || state === 'escaped') {
    if ((kinds & kind.text) === 0) return undefined;
    if (state === 'escaped') return 'quoted';
    if (byte === quote) return 'quotedEnd';
    return byte === backslash ? 'escaped' : 'quoted';
  }
  if (byte === semicolon) return mayEndExtension(state) ? 'begin' : undefined;
  if (byte === equalsSign) return state === 'name' ? 'equals' : undefined;
  if (byte === quote) return state === 'equals' ? 'quoted' : undefined;
  if ((kinds & kind.token) === 0 || state === 'quotedEnd') return undefined;
  return state === 'begin' || state === 'name' ? 'name' : 'value';
}

/** May the line end here? */
export function mayEndExtension(state: ExtensionState): boolean {
  return state === 'name' || state === 'value' || state === 'quotedEnd';
}
