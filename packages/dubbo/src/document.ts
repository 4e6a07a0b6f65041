import { FlotillaError, isHost } from '@flotilla/core';

/** Reads members of a JSON document, naming the one that does not fit. */
export interface DocumentReader {
  readonly fields: Readonly<Record<string, unknown>>;
  has(name: string): boolean;
  text(name: string, usual?: string): string;
  number(name: string, usual?: number): number;
  flag(name: string, usual: boolean): boolean;
  /** Text to text; absent and null: none. */
  texts(name: string): [name: string, text: string][];
  object(name: string): DocumentReader;
}

/** What a document's metadata may hold before notes and overflow are sorted out. */
const textsLimit = 1_024;

/** @throws FlotillaError MALFORMED_REQUEST, here and from each method, when the JSON is of another shape. */
export function readerOf(document: unknown, where: string): DocumentReader {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw malformed(where, 'an object');
  }
  const fields = document as Readonly<Record<string, unknown>>;
  const has = (name: string): boolean => Object.hasOwn(fields, name) && fields[name] !== null;
  const value = <T>(name: string, kind: string, fits: (value: unknown) => value is T, usual: T | undefined): T => {
    const found = has(name) ? fields[name] : usual;
    if (fits(found)) return found;
    throw malformed(`${where}.${name}`, kind);
  };
  return {
    fields,
    has,
    text: (name, usual) => value(name, 'text', (found) => typeof found === 'string', usual),
    number: (name, usual) => value(name, 'a number', (found) => typeof found === 'number', usual),
    flag: (name, usual) => value(name, 'a boolean', (found) => typeof found === 'boolean', usual),
    texts: (name) => (has(name) ? textsOf(fields[name], `${where}.${name}`) : []),
    object: (name) => readerOf(fields[name], `${where}.${name}`),
  };
}

/** @throws FlotillaError INVALID_INPUT unless host and port are in their bounds. */
export function checkPlace(host: string, port: number): void {
  if (!isHost(host)) throw new FlotillaError('INVALID_INPUT', `"${host.slice(0, 80)}" is not a host`);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new FlotillaError('INVALID_INPUT', `port must be from 0 to 65535, got ${port}`);
}

/** @throws FlotillaError INVALID_INPUT unless `value` is a number from 0 on, whole if `whole`. */
export function checkNumber(name: string, value: number, whole: boolean): number {
  if (value >= 0 && (whole ? Number.isSafeInteger(value) : Number.isFinite(value))) return value;
  throw new FlotillaError('INVALID_INPUT', `${name} must be a ${whole ? 'whole ' : ''}number from 0 on, got ${value}`);
}

function textsOf(value: unknown, where: string): [name: string, text: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(where, 'an object');
  const entries = Object.entries(value).map(([name, text]): [string, string] => {
    if (typeof text === 'string') return [name, text];
    throw malformed(`${where}.${name.slice(0, 80)}`, 'text');
  });
  if (entries.length > textsLimit) {
    throw new FlotillaError('INVALID_INPUT', `${where} has ${entries.length} entries; the limit is ${textsLimit}`);
  }
  return entries;
}

function malformed(where: string, kind: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `"${where}" must be ${kind}`);
}
