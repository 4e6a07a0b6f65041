import { isDeepStrictEqual } from 'node:util';
import { Secret } from '@flotilla/core';
import { formatKey } from './key-names.ts';
import type { Loaded } from './load.ts';
import { isPlain, shown } from './mask.ts';
import type { Origin } from './origins.ts';
import { type ConfigSchema, jsonSchemaOf } from './schema.ts';
import { type Shape, shapeOf } from './shape.ts';

/** A value that is written otherwise than it was. JSON throughout; secrets are `***`. */
export interface Change {
  /** `http.maxBodyBytes` */
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What a process has after its configuration was read again. */
export interface Refreshed<T> extends Loaded<T> {
  /** What counts from now on. */
  readonly changed: readonly Change[];
  /** What is written, but counts from the next start only. */
  readonly pending: readonly Change[];
}

/**
 * Takes a configuration that was read again into one that is in use. Keys that the schema marks `restart` keep the value
 * that is in use; all others take the one that is written. A part that did not change stays the same object, so that
 * `===` tells what changed. Pure.
 * @param running what is in use; the result of the last refresh, or of the start.
 * @param written what was read now, by the same schema.
 */
export function refreshConfig<T>(schema: ConfigSchema<T>, running: Loaded<T>, written: Loaded<T>): Refreshed<T> {
  const changed: Change[] = [];
  const pending: Change[] = [];
  const shape = shapeOf(jsonSchemaOf(schema));
  const values = new Differences(changed, pending).take(running.values, written.values, shape, [], false) as T;
  const waiting = new Map(pending.map((change) => [change.key, change]));
  const origins = [...effectiveOrigins(running.origins, written.origins, waiting)];
  return Object.freeze({
    values,
    origins: Object.freeze(origins),
    changed: Object.freeze(changed),
    pending: Object.freeze(pending),
  });
}

/** Walks two readings of one schema side by side. */
class Differences {
  readonly #changed: Change[];
  readonly #pending: Change[];

  constructor(changed: Change[], pending: Change[]) {
    this.#changed = changed;
    this.#pending = pending;
  }

  /** @returns the value that is in use afterwards. */
  take(running: unknown, written: unknown, shape: Shape, path: readonly string[], waits: boolean): unknown {
    const atRestart = waits || shape.restart;
    if (path.length < 64 && shape.kind !== 'list' && shape.kind !== 'value' && isMembers(running) && isMembers(written))
      return this.#members(running, written, shape, path, atRestart);
    if (same(running, written)) return running;
    const key = path.at(-1) ?? '';
    const change = { key: formatKey(path), before: shown(running, shape, key), after: shown(written, shape, key) };
    (atRestart ? this.#pending : this.#changed).push(Object.freeze(change));
    return atRestart ? running : written;
  }

  #members(running: Values, written: Values, shape: Shape, path: readonly string[], atRestart: boolean): Values {
    // A map that waits keeps its entries; else an entry that is no longer written is gone.
    const names = new Set([...Object.keys(running), ...Object.keys(written)]);
    const taken: Record<string, unknown> = Object.create(Object.getPrototypeOf(written));
    let untouched = true;
    for (const name of names) {
      const member = shape.kind === 'group' ? shape.members.get(name) : shape.kind === 'map' ? shape.item : undefined;
      const value = this.take(running[name], written[name], member ?? anyValue, [...path, name], atRestart);
      untouched &&= Object.hasOwn(running, name) && value === running[name];
      if (value !== undefined || (Object.hasOwn(running, name) && Object.hasOwn(written, name))) taken[name] = value;
    }
    return untouched ? running : Object.freeze(taken);
  }
}

type Values = Readonly<Record<string, unknown>>;

const anyValue: Shape = Object.freeze({ kind: 'value', types: new Set<never>(), secret: false, restart: false });

/** Rows of what is in use. A row that waits keeps its old value and says what is written. */
function* effectiveOrigins(
  running: readonly Origin[],
  written: readonly Origin[],
  waiting: ReadonlyMap<string, Change>,
): Generator<Origin> {
  const before = new Map(running.map((row) => [row.key, row]));
  for (const row of written) {
    const change = waiting.get(row.key);
    if (!change) yield row;
    else {
      const old = before.get(row.key) ?? { key: row.key, source: 'default', where: '' };
      const { value, source, where } = row;
      yield Object.freeze({ ...old, value: change.before, pending: Object.freeze({ value, source, where }) });
    }
    before.delete(row.key);
  }
  // Entries of a map that is in use until the next start, though nobody writes them any more.
  for (const row of before.values()) {
    const change = waiting.get(row.key);
    if (change) yield Object.freeze({ ...row, pending: Object.freeze({ value: null, source: 'default', where: '' }) });
  }
}

function isMembers(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value);
}

/** Equal in every part; secrets by their text. */
function same(one: unknown, other: unknown, depth = 0): boolean {
  if (Object.is(one, other)) return true;
  if (one instanceof Secret && other instanceof Secret) return one.reveal() === other.reveal();
  if (depth > 64) return false;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, position) => same(item, other[position], depth + 1));
  }
  if (isMembers(one) && isMembers(other)) {
    const names = Object.keys(one);
    if (names.length !== Object.keys(other).length) return false;
    return names.every((name) => Object.hasOwn(other, name) && same(one[name], other[name], depth + 1));
  }
  return isDeepStrictEqual(one, other);
}
