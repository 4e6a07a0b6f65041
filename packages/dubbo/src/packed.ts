import { FlotillaError } from '@flotilla/core';

type Entry = readonly [name: string, text: string];

/**
 * The parameter that carries what no parameter can: names and values with `&`, `;` or `=`, empty ones, ones that begin
 * or end with a blank, control characters. Its value is the base64url form (RFC 4648 §5, no padding) of a JSON list of
 * `[name, value]`.
 */
export const packName = 'flotilla.metadata';

/** The value of {@link packName} for these entries. */
export function pack(entries: readonly Entry[]): string {
  return Buffer.from(JSON.stringify(entries)).toString('base64url');
}

/** @throws FlotillaError INVALID_INPUT when `text` is not what {@link pack} makes. */
export function unpack(text: string): Entry[] {
  const entries = parse(Buffer.from(text, 'base64url').toString());
  if (!Array.isArray(entries) || !entries.every(isEntry)) {
    throw new FlotillaError('INVALID_INPUT', `the parameter "${packName}" is not base64url of a JSON list of pairs`);
  }
  return entries;
}

function isEntry(item: unknown): item is Entry {
  return Array.isArray(item) && item.length === 2 && item.every((part) => typeof part === 'string');
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
