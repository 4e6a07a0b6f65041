import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CacheBounds, type CacheFind, CacheTable, type CacheTerms } from './cache-table.ts';

interface Kept {
  readonly key: string;
  readonly text: string;
  readonly cameAt: number;
}

const sizeOf = ({ key, text }: Kept): number => key.length + text.length;

/** The same rules over a list, the least used first. */
class NaiveTable {
  readonly #bounds: CacheBounds;
  list: Kept[] = [];

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds;
  }

  find(key: string, terms: CacheTerms, now: number): CacheFind {
    const entry = this.list.find((each) => each.key === key);
    if (!entry) return { kind: 'none' };
    const ageMs = now - entry.cameAt;
    const { text } = entry;
    this.delete(key);
    const atOnce = ageMs < terms.ttlMs + terms.staleWhileRevalidateMs;
    const ifError = ageMs < terms.ttlMs + terms.staleIfErrorMs;
    if (ageMs >= terms.ttlMs && !atOnce && !ifError) return { kind: 'none' };
    this.list.push(entry);
    return ageMs < terms.ttlMs ? { kind: 'fresh', text } : { kind: 'stale', text, atOnce, ifError };
  }

  put(key: string, text: string, now: number): number {
    this.delete(key);
    const entry = { key, text, cameAt: now };
    if (sizeOf(entry) > Math.min(this.#bounds.maxEntryBytes, this.#bounds.maxBytes)) return 0;
    this.list.push(entry);
    const before = this.list.length;
    while (this.list.length > this.#bounds.maxEntries || this.bytes > this.#bounds.maxBytes) this.list.shift();
    return before - this.list.length;
  }

  get bytes(): number {
    return this.list.reduce((sum, entry) => sum + sizeOf(entry), 0);
  }

  delete(key: string): void {
    this.list = this.list.filter((entry) => entry.key !== key);
  }

  deleteWhere(matches: (key: string) => boolean): void {
    this.list = this.list.filter((entry) => !matches(entry.key));
  }

  clear(): void {
    this.list = [];
  }
}

test('it keeps what a list sorted by use keeps', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'ee');
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('find' as const), key }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('put' as const), key, length: fc.integer({ min: 0, max: 9 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'where' as const, 'clear' as const), key }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 20 }) }) },
  );
  const bounds = fc.record({
    maxEntries: fc.integer({ min: 1, max: 4 }),
    maxBytes: fc.integer({ min: 1, max: 25 }),
    maxEntryBytes: fc.integer({ min: 1, max: 9 }),
  });
  const span = fc.integer({ min: 0, max: 30 });
  const terms = fc.record({ ttlMs: span, staleWhileRevalidateMs: span, staleIfErrorMs: span });
  fc.assert(
    fc.property(bounds, terms, fc.array(step, { maxLength: 80 }), (limits, times, steps) => {
      const ours = new CacheTable(limits);
      const naive = new NaiveTable(limits);
      let now = 0;
      for (const each of steps) {
        if (each.kind === 'wait') now += each.ms;
        else if (each.kind === 'find') {
          assert.deepEqual(ours.find(each.key, times, now), naive.find(each.key, times, now));
        } else if (each.kind === 'put') {
          const text = 'x'.repeat(each.length);
          assert.equal(ours.put(each.key, text, now), naive.put(each.key, text, now));
        } else {
          for (const table of [ours, naive]) {
            if (each.kind === 'delete') table.delete(each.key);
            else if (each.kind === 'where') table.deleteWhere((name) => name < each.key);
            else table.clear();
          }
        }
        assert.deepEqual([ours.size, ours.bytes], [naive.list.length, naive.bytes]);
      }
    }),
  );
});
