import {
  type Clock,
  type Store,
  type StoreChange,
  type StoreCount,
  type StoreStep,
  type StoreSwap,
  systemClock,
} from '@flotilla/core';
import { bytesOf, checkChange, checkKey, checkStep, checkTtl, checkValue, storeLimits } from '../limits.ts';

/** How much a memory store holds. */
export interface MemoryStoreOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Values and counters. Default 100,000. */
  readonly maxEntries?: number;
  /** Of all keys and values, in bytes of UTF-8. Default 67,108,864. */
  readonly maxBytes?: number;
  /** Of one value, in bytes of UTF-8. Default 1,048,576. */
  readonly maxValueBytes?: number;
}

/** The default of each number of {@link MemoryStoreOptions}. */
export const memoryStoreDefaults: Readonly<Required<Omit<MemoryStoreOptions, 'clock'>>> = Object.freeze({
  maxEntries: 100_000, // with short values some 30 MB of heap
  maxBytes: 67_108_864,
  maxValueBytes: storeLimits.maxValueBytes,
});

/** A store in this process, with what a test or a metric wants to know of it. */
export interface MemoryStore extends Store {
  /** Values and counters that are held, expired ones that were not yet swept included. */
  readonly size: number;
  /** Bytes of their keys and values. */
  readonly bytes: number;
  /** Entries that had to go before their time because the store was full. */
  readonly evicted: number;
}

interface Entry {
  /** Of a value; a counter has its number. */
  readonly content: string | number;
  readonly bytes: number;
  /** On the clock. */
  readonly expiresAt: number;
}

/**
 * A store in the memory of this process: what is in it is shared by nobody else and lost with the process. When it is full,
 * what was written longest ago goes first.
 *
 * ```
 *   entries, in the order of their last writing:   v:a → …   n:limit → 7   v:b → …
 *                                                  ▲ evicted first         ▲ newest
 *   the sweep walks round, two entries further with each write, and drops what has expired
 * ```
 *
 * @throws RangeError
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const clock = options.clock ?? systemClock;
  const maxEntries = positive('maxEntries', options.maxEntries ?? memoryStoreDefaults.maxEntries);
  const maxBytes = positive('maxBytes', options.maxBytes ?? memoryStoreDefaults.maxBytes);
  const maxValueBytes = positive('maxValueBytes', options.maxValueBytes ?? memoryStoreDefaults.maxValueBytes);
  if (maxValueBytes > maxBytes) {
    throw new RangeError(`maxValueBytes (${maxValueBytes}) must not be greater than maxBytes (${maxBytes})`);
  }
  const limits = { ...storeLimits, maxValueBytes };
  const entries = new Map<string, Entry>();
  let bytes = 0; // Invariant: the sum over entries, <= maxBytes after each write
  let evicted = 0;
  let sweep = entries.keys();
  // Invariant: nothing stands before it. A new iterator each time would pass over the holes of all that went before; one
  // that stands still would hold every table that the map has had, so it is made anew each time that the map was filled.
  let oldest = entries.keys();
  let written = 0;

  const drop = (name: string): void => {
    bytes -= entries.get(name)?.bytes ?? 0;
    entries.delete(name);
  };

  const find = (name: string): Entry | undefined => {
    const entry = entries.get(name);
    if (!entry || entry.expiresAt > clock.now()) return entry;
    drop(name);
    return undefined;
  };

  const write = (name: string, content: string | number, expiresAt: number): void => {
    drop(name); // to the end of the order
    const size = bytesOf(name) + (typeof content === 'string' ? bytesOf(content) : 8);
    entries.set(name, { content, bytes: size, expiresAt });
    bytes += size;
    sweepOn();
    written += 1;
    if (written > entries.size) {
      written = 0;
      oldest = entries.keys();
    }
    while (entries.size > maxEntries || bytes > maxBytes) {
      const { done, value: first } = oldest.next();
      if (done) oldest = entries.keys();
      else {
        if ((entries.get(first) as Entry).expiresAt > clock.now()) evicted += 1;
        drop(first);
      }
    }
  };

  const sweepOn = (): void => {
    const now = clock.now();
    for (let step = 0; step < 2; step++) {
      const { done, value: name } = sweep.next();
      if (done) sweep = entries.keys();
      else if ((entries.get(name) as Entry).expiresAt <= now) drop(name);
    }
  };

  const held = (key: string): string | undefined => find(`v:${key}`)?.content as string | undefined;

  const swap = (key: string, { expected, value, ttlMs }: StoreChange): StoreSwap => {
    const found = held(key);
    if (found !== expected) return { swapped: false, found };
    if (value === undefined) drop(`v:${key}`);
    else write(`v:${key}`, value, clock.now() + ttlMs);
    return { swapped: true };
  };

  const step = (key: string, { by = 1, max = Infinity, ttlMs }: StoreStep): StoreCount => {
    const name = `n:${key}`;
    const now = clock.now();
    const entry = find(name);
    const before = (entry?.content ?? 0) as number;
    if (before + by > max) return { value: before, added: false, remainingMs: entry ? entry.expiresAt - now : 0 };
    const expiresAt = entry?.expiresAt ?? now + ttlMs;
    write(name, before + by, expiresAt);
    return { value: before + by, added: true, remainingMs: expiresAt - now };
  };

  return {
    name: 'memory',
    maxValueBytes,
    get size() {
      return entries.size;
    },
    get bytes() {
      return bytes;
    },
    get evicted() {
      return evicted;
    },
    get(key) {
      checkKey(key, limits);
      return Promise.resolve(held(key));
    },
    put(key, value, ttlMs) {
      checkKey(key, limits);
      checkValue(key, value, limits);
      checkTtl(ttlMs, limits);
      write(`v:${key}`, value, clock.now() + ttlMs);
      return Promise.resolve();
    },
    compareAndSet(key, change) {
      checkChange(key, change, limits);
      return Promise.resolve(swap(key, change));
    },
    increment(key, given) {
      checkStep(key, given, limits);
      return Promise.resolve(step(key, given));
    },
    count(key) {
      checkKey(key, limits);
      return Promise.resolve(find(`n:${key}`)?.content as number | undefined);
    },
    delete(key) {
      checkKey(key, limits);
      drop(`v:${key}`);
      drop(`n:${key}`);
      return Promise.resolve();
    },
    close() {
      entries.clear();
      oldest = entries.keys();
      sweep = entries.keys();
      bytes = 0;
      return Promise.resolve();
    },
  };
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`${name} must be greater than 0, got ${value}`);
}
