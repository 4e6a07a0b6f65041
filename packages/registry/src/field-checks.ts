import { FlotillaError } from '@flotilla/core';

/**
 * Checks for one field of JSON from outside. Each takes the value and the field's path, and throws INVALID_INPUT that
 * names the path, the rule and what was there.
 */

const printable = /^[^\p{Cc}\p{Cs}]{1,255}$/u;
/** Names that reach into objects where one is merged carelessly. */
const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export function list<T>(
  value: unknown,
  field: string,
  limit: number,
  read: (item: unknown, field: string) => T,
): readonly T[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(field, 'a list', value);
  if (value.length > limit) throw wrong(field, `at most ${limit} entries`, value.length);
  return value.map((item, index) => read(item, `${field}[${index}]`));
}

export function text(value: unknown, field: string): string {
  if (typeof value !== 'string' || !printable.test(value)) throw wrong(field, '1 to 255 printable characters', value);
  return value;
}

/** Text that somebody else judges. */
export function oneText(value: unknown, field: string): string {
  if (typeof value !== 'string') throw wrong(field, 'text', value);
  return value;
}

export function wholeNumber(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw wrong(field, `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`, value);
  }
  return value;
}

export function positive(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw wrong(field, 'a number of milliseconds above 0', value);
  }
  return value;
}

export function optional<T>(value: unknown, field: string, read: (value: unknown, field: string) => T): T | undefined {
  return value === undefined ? undefined : read(value, field);
}

export function record(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(field, 'an object', value);
  return value as Record<string, unknown>;
}

/** Whether {@link checkKey} takes it. */
export function isKey(key: string): boolean {
  return !forbiddenKeys.has(key) && printable.test(key);
}

export function checkKey(key: string, field: string): void {
  if (forbiddenKeys.has(key)) throw new FlotillaError('INVALID_INPUT', `${field}: a key may not be called "${key}"`);
  if (!printable.test(key)) throw wrong(field, 'a key of 1 to 255 printable characters', key);
}

export function wrong(field: string, rule: string, value: unknown): FlotillaError {
  return new FlotillaError('INVALID_INPUT', `${field} must be ${rule}, got ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
