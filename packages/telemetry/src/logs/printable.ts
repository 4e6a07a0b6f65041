import { Secret } from '@flotilla/core';

/** What one log line may hold. */
export const logLimits: Readonly<{ maxFields: number; maxFieldChars: number; maxDepth: number; maxMembers: number }> =
  Object.freeze({
    maxFields: 64,
    /** Of one field, written as JSON. */
    maxFieldChars: 2_000,
    maxDepth: 5,
    /** Of one list or object inside a field. */
    maxMembers: 64,
  });

/** What a cause is turned into: the shape of pino's error serializer. */
export interface PrintableError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: unknown;
}

const masked = '***';

/** Names, without case and separators, whose value is never written. */
const secretNames: ReadonlySet<string> = new Set(
  ['password', 'passwd', 'passphrase', 'secret', 'token', 'accesstoken', 'refreshtoken', 'idtoken', 'apikey'].concat([
    'authorization',
    'proxyauthorization',
    'cookie',
    'setcookie',
    'credentials',
    'privatekey',
    'clientsecret',
  ]),
);

/**
 * The fields of a line as JSON can hold them: bounded, secrets masked, `cause` as `err`. Never throws: what cannot be
 * read says so in its place. Absent values are left out.
 */
export function printableFields(fields: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const printable = new Map<string, unknown>();
  for (const [name, read] of membersOf(fields)) {
    if (printable.size === logLimits.maxFields) {
      printable.set('fieldsLeftOut', true);
      break;
    }
    const value = name === 'cause' ? errorOf(read, 0, new Set()) : printableValue(read, name, 0, new Set());
    if (value !== undefined) printable.set(name === 'cause' ? 'err' : name, bounded(value));
  }
  return printable;
}

function printableValue(value: unknown, name: string, depth: number, around: Set<object>): unknown {
  if (value === undefined) return undefined;
  if (value instanceof Secret || secretNames.has(name.toLowerCase().replace(/[^a-z]/g, ''))) return masked;
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object') return typeof value === 'bigint' ? String(value) : `[${typeof value}]`;
  if (around.has(value)) return '[circular]';
  if (depth === logLimits.maxDepth) return '[deeper]';
  around.add(value);
  try {
    return objectOf(value, name, depth, around);
  } catch {
    return '[unreadable]'; // a proxy or a toJSON that throws
  } finally {
    around.delete(value);
  }
}

function objectOf(value: object, name: string, depth: number, around: Set<object>): unknown {
  if (value instanceof Error) return errorOf(value, depth, around);
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`;
  if (value instanceof Map || value instanceof Set) return `[${value.constructor.name} of ${value.size}]`;
  if (Array.isArray(value)) {
    const items = value.slice(0, logLimits.maxMembers);
    return items.map((item) => printableValue(item, name, depth + 1, around) ?? null);
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return printableValue(toJSON.call(value), name, depth + 1, around);
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, member] of membersOf(value).slice(0, logLimits.maxMembers)) {
    copy[key] = printableValue(member, key, depth + 1, around);
  }
  return copy;
}

/** Anything that was thrown; its own cause is followed within the depth. */
function errorOf(thrown: unknown, depth: number, around: Set<object>): unknown {
  if (!(thrown instanceof Error)) return printableValue(thrown, '', depth, around);
  const text = (read: () => unknown): string => {
    try {
      return cut(String(read()));
    } catch {
      return '[unreadable]';
    }
  };
  const { maxDepth } = logLimits;
  const code = text(() => (thrown as { code?: unknown }).code ?? '');
  const stack = text(() => thrown.stack ?? '');
  const cause = depth + 1 < maxDepth && 'cause' in thrown && thrown.cause !== undefined && !around.has(thrown);
  return {
    type: text(() => thrown.name),
    message: text(() => thrown.message),
    ...(stack !== '' && { stack }),
    ...(code !== '' && { code }),
    ...(cause && { cause: errorOf(thrown.cause, depth + 1, new Set([...around, thrown])) }),
  } satisfies PrintableError;
}

/** Own enumerable members; a getter that throws gives the words for it. Nothing for what cannot be listed. */
function membersOf(value: object): [name: string, value: unknown][] {
  try {
    return Object.keys(value).map((name) => [name, memberOf(value, name)]);
  } catch {
    return [];
  }
}

function memberOf(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return '[unreadable]';
  }
}

/** A field over its limit becomes the beginning of its JSON; an error keeps its shape, its texts are cut. */
function bounded(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const json = JSON.stringify(value);
  if (json.length <= logLimits.maxFieldChars) return value;
  if (!isError(value)) return cut(json);
  const { type, message, stack, code } = value;
  const share = (text: string, chars: number): string => cut(text, chars);
  return {
    type: share(type, 100),
    message: share(message, 600),
    ...(stack !== undefined && { stack: share(stack, 1_100) }),
    ...(code !== undefined && { code: share(code, 100) }),
  } satisfies PrintableError;
}

function isError(value: object): value is PrintableError {
  return 'type' in value && 'message' in value && typeof value.type === 'string' && typeof value.message === 'string';
}

function cut(text: string, chars: number = logLimits.maxFieldChars): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 20)}… (${text.length} chars)`;
}
