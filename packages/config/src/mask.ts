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

/**
 * Hides the passwords of URLs, and what their parameter `token` says, of each in a list with commas:
 * `redis://app:***@cache:6379`. Text that is no URL may be one with a password that was not percent-encoded: there
 * everything between the user and the last `@` is hidden.
 */
export function maskUrl(text: string): string {
  return text
    .split(',')
    .reduce<string[]>((parts, part) => {
      // A comma that no scheme follows belongs to what stands before it.
      if (parts.length === 0 || /^\s{0,20}[a-z][a-z0-9+.-]{0,30}:\/\//i.test(part)) parts.push(part);
      else parts.push(`${parts.pop()},${part}`);
      return parts;
    }, [])
    .map(maskOne)
    .join(',');
}

function maskOne(url: string): string {
  const text = url.replace(/([?&]token=)[^&#]+/gi, `$1${masked}`);
  const authority = text.indexOf('://') + 3;
  const end = text.lastIndexOf('@');
  if (authority < 3 || end < authority) return text;
  if (URL.parse(text.trim())?.password === '') return text;
  const colon = text.indexOf(':', authority);
  const user = colon >= 0 && colon < end ? text.slice(0, colon) : text.slice(0, authority);
  return `${user}:${masked}${text.slice(end)}`;
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
