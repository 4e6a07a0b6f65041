import { Secret } from '@flotilla/core';
import { wordsOf } from './key-names.ts';
import type { Shape } from './shape.ts';

/** What stands in the place of a secret. */
export const masked = '***';

const secretWords: ReadonlySet<string> = new Set(
  [
    'password',
    'passwd',
    'passphrase',
    'secret',
    'token',
    'credential',
    'credentials',
    'authorization',
    'cookie',
  ].concat(['apikey', 'accesskey', 'privatekey', 'secretkey', 'signingkey', 'encryptionkey']),
);

/** True when the last word of a key says that its text is a secret, whatever the schema says: `db.adminPassword`. */
export function namesSecret(key: string): boolean {
  const words = wordsOf(key).map((word) => word.toLowerCase());
  return secretWords.has(words.at(-1) ?? '') || secretWords.has(words.slice(-2).join(''));
}

/** Hides the password of a URL: `redis://app:***@cache:6379`. */
export function maskUrl(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#@:]{0,255}):[^\s/?#@]{0,2000}@/i, `$1:${masked}@`);
}

/** A value as it may be shown, as JSON: secrets are `***`, passwords in URLs too. */
export function shown(value: unknown, shape: Shape | undefined, key: string, depth = 0): unknown {
  if (value === undefined || value === null) return null;
  if (value instanceof Secret || shape?.secret) return masked;
  if (typeof value === 'string') return namesSecret(key) ? masked : maskUrl(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || depth > 64) return String(value);
  if (Array.isArray(value)) return value.map((item) => shown(item, itemShape(shape), key, depth + 1));
  if (!isPlain(value)) return value instanceof Date ? value.toISOString() : `[${value.constructor.name}]`;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) {
    copy[name] = shown(member, memberShape(shape, name), name, depth + 1);
  }
  return copy;
}

/** True for objects that hold nothing but members. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function itemShape(shape: Shape | undefined): Shape | undefined {
  return shape?.kind === 'list' ? shape.item : undefined;
}

function memberShape(shape: Shape | undefined, name: string): Shape | undefined {
  if (shape?.kind === 'group') return shape.members.get(name);
  return shape?.kind === 'map' ? shape.item : undefined;
}
