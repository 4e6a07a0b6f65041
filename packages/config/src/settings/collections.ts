import { nearest } from '@flotilla/core';
import { forbiddenKeys } from '../node.ts';
import {
  defineSetting,
  type Issue,
  type Path,
  restartKeyword,
  type Setting,
  type SettingOptions,
  type SettingValue,
} from '../setting.ts';

export interface ListOptions<T> extends Omit<SettingOptions<readonly T[]>, 'optional'> {
  /** Default 0. */
  readonly minItems?: number;
  /** Default 1 000. */
  readonly maxItems?: number;
}

/** Several values in order. */
export function list<T>(item: Setting<T>, options: ListOptions<T> = {}): Setting<readonly T[]> {
  const { minItems = 0, maxItems = 1_000 } = options;
  const jsonSchema = { type: 'array', items: item.jsonSchema, ...(minItems > 0 && { minItems }), maxItems };
  return defineSetting<readonly T[]>('list', options, jsonSchema, (value, refuse, path, issues) => {
    if (!Array.isArray(value)) return refuse('must be a list');
    if (value.length < minItems) return refuse(`must have at least ${minItems} items`);
    if (value.length > maxItems) return refuse(`must have at most ${maxItems} items`);
    return Object.freeze(value.map((element, position) => item.read(element, [...path, position], issues)));
  });
}

export interface MapOptions<T> extends Omit<SettingOptions<Readonly<Record<string, T>>>, 'optional'> {
  /** Default 10 000. */
  readonly maxEntries?: number;
}

/** Names of the operator's choosing, each with a value. The result has no prototype. */
export function map<T>(item: Setting<T>, options: MapOptions<T> = {}): Setting<Readonly<Record<string, T>>> {
  const { maxEntries = 10_000 } = options;
  const jsonSchema = { type: 'object', additionalProperties: item.jsonSchema, maxProperties: maxEntries };
  return defineSetting('map', options, jsonSchema, (value, refuse, path, issues) => {
    if (!isObject(value)) return refuse('must be a map of names to values');
    const names = Object.keys(value);
    if (names.length > maxEntries) return refuse(`must have at most ${maxEntries} entries`);
    const entries: Record<string, T> = Object.create(null);
    for (const name of names) {
      if (forbiddenKeys.has(name)) issues.push({ path: [...path, name], message: 'is not allowed as a name' });
      else entries[name] = item.read(value[name], [...path, name], issues);
    }
    return Object.freeze(entries);
  });
}

/** Settings by key. */
export type Members = Readonly<Record<string, Setting<unknown>>>;

/** The values of a group's members. */
export type MemberValues<M extends Members> = { readonly [Key in keyof M]: SettingValue<M[Key]> };

/**
 * Settings under one key. An absent group is one in which nobody wrote anything: defaults fill it.
 * @throws TypeError when a member's key is not written in camel case.
 */
export function group<const M extends Members>(
  members: M,
  options: Pick<SettingOptions<never>, 'describe' | 'restart'> = {},
): Setting<MemberValues<M>> {
  const known = new Map(Object.entries(members));
  for (const key of known.keys()) assertKey(key);
  const jsonSchema = {
    type: 'object',
    properties: Object.fromEntries([...known].map(([key, member]) => [key, member.jsonSchema])),
    required: [...known].filter(([, member]) => member.required).map(([key]) => key),
    additionalProperties: false,
    ...(options.describe !== undefined && { description: options.describe }),
    ...(options.restart && { [restartKeyword]: true }),
  };
  return Object.freeze({
    jsonSchema: Object.freeze(jsonSchema),
    required: [...known.values()].some((member) => member.required),
    read: (value: unknown, path: Path, issues: Issue[]) => readGroup<M>(known, value ?? {}, path, issues),
  });
}

function readGroup<M extends Members>(
  known: ReadonlyMap<string, Setting<unknown>>,
  value: unknown,
  path: Path,
  issues: Issue[],
): MemberValues<M> {
  if (!isObject(value)) {
    issues.push({ path, message: 'must be a group of keys' });
    return undefined as never;
  }
  for (const key of Object.keys(value)) {
    if (!known.has(key)) issues.push({ path: [...path, key], message: unknownKeyProblem(key, known.keys()) });
  }
  const read: Record<string, unknown> = {};
  for (const [key, member] of known) {
    read[key] = member.read(Object.hasOwn(value, key) ? value[key] : undefined, [...path, key], issues);
  }
  return Object.freeze(read) as MemberValues<M>;
}

/** What is said of a key that nothing reads. */
export function unknownKeyProblem(key: string, known: Iterable<string>): string {
  const keys = [...known];
  const meant = nearest(key, keys);
  if (meant !== undefined) return `no such key; did you mean "${meant}"?`;
  const shown = keys.slice(0, 12).map((name) => `"${name}"`);
  return shown.length === 0
    ? 'no such key'
    : `no such key; known here: ${shown.join(', ')}${keys.length > 12 ? ', …' : ''}`;
}

function assertKey(key: string): void {
  if (/^[a-z][a-zA-Z0-9]{0,63}$/.test(key) && !forbiddenKeys.has(key)) return;
  throw new TypeError(`a key must be camel case, a letter first, at most 64 letters and digits; got "${key}"`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
