import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ManualClock } from '@flotilla/core/testing';
import fc from 'fast-check';
import { createMemoryStore, memoryStoreDefaults } from './memory.ts';

test('the defaults are these', () => {
  assert.deepEqual(memoryStoreDefaults, { maxEntries: 100_000, maxBytes: 67_108_864, maxValueBytes: 1_048_576 });
});

test('a full store lets go of what was written longest ago, and says how many', async () => {
  const store = createMemoryStore({ clock: new ManualClock(), maxEntries: 3 });
  for (const key of ['a', 'b', 'c']) await store.put(key, key, 60_000);
  await store.put('a', 'again', 60_000);
  await store.put('d', 'd', 60_000);
  assert.equal(await store.get('b'), undefined);
  assert.equal(await store.get('a'), 'again');
  assert.deepEqual([store.size, store.evicted], [3, 1]);
});

test('bytes are a bound too, and what is gone gives them back', async () => {
  const store = createMemoryStore({ clock: new ManualClock(), maxBytes: 100, maxValueBytes: 90 });
  await store.put('a', 'x'.repeat(60), 60_000);
  await store.put('b', 'x'.repeat(60), 60_000);
  assert.equal(await store.get('a'), undefined);
  assert.equal(store.bytes, 63);
  await store.delete('b');
  assert.deepEqual([store.bytes, store.size], [0, 0]);
});

test('what has expired is swept by later writes and does not count as evicted', async () => {
  const clock = new ManualClock();
  const store = createMemoryStore({ clock });
  for (let index = 0; index < 100; index++) await store.put(`old ${index}`, 'x', 1_000);
  await clock.advance(1_000);
  for (let index = 0; index < 100; index++) await store.put(`new ${index}`, 'x', 1_000);
  assert.equal(store.size, 100);
  assert.equal(store.evicted, 0);
  assert.equal(clock.pendingTimers, 0);
});

test('numbers that cannot be bounds are refused by name', () => {
  assert.throws(() => createMemoryStore({ maxEntries: 0 }), /^RangeError: maxEntries must be greater than 0, got 0$/);
  assert.throws(() => createMemoryStore({ maxBytes: Number.NaN }), /maxBytes must be/);
  assert.throws(
    () => createMemoryStore({ maxBytes: 10 }),
    /maxValueBytes \(1048576\) must not be greater than maxBytes \(10\)/,
  );
});

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const ttlMs = fc.integer({ min: 1, max: 50 });
const value = fc.constantFrom('x', 'y', 'zzzz');
const command = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key, value, ttlMs }),
  fc.record({ kind: fc.constant('swap' as const), key, expected: fc.option(value, { nil: undefined }), value, ttlMs }),
  fc.record({ kind: fc.constant('add' as const), key, by: fc.integer({ min: 1, max: 3 }), ttlMs }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 }) }),
);

/** The same rules, as lists of what is there in the order of its writing. */
function naiveStore(maxEntries: number): {
  put(name: string, content: string | number, expiresAt: number, now: number): void;
  get(name: string, now: number): { content: string | number; expiresAt: number } | undefined;
  drop(name: string): void;
} {
  let list: { name: string; content: string | number; expiresAt: number }[] = [];
  return {
    put(name, content, expiresAt, now) {
      list = list.filter((entry) => entry.name !== name && entry.expiresAt > now);
      list.push({ name, content, expiresAt });
      list = list.slice(-maxEntries);
    },
    get: (name, now) => list.find((entry) => entry.name === name && entry.expiresAt > now),
    drop: (name) => {
      list = list.filter((entry) => entry.name !== name);
    },
  };
}

test('without a full store, it answers as a list of everything does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
      const clock = new ManualClock();
      const store = createMemoryStore({ clock });
      const naive = naiveStore(1_000);
      let now = 0;
      for (const step of commands) {
        if (step.kind === 'wait') {
          now += step.ms;
          await clock.advance(step.ms);
          continue;
        }
        const name = step.key;
        if (step.kind === 'put') {
          await store.put(name, step.value, step.ttlMs);
          naive.put(`v${name}`, step.value, now + step.ttlMs, now);
        } else if (step.kind === 'swap') {
          const found = naive.get(`v${name}`, now)?.content as string | undefined;
          const swap = await store.compareAndSet(name, step);
          assert.deepEqual(swap, found === step.expected ? { swapped: true } : { swapped: false, found });
          if (swap.swapped) naive.put(`v${name}`, step.value, now + step.ttlMs, now);
        } else if (step.kind === 'add') {
          const before = naive.get(`n${name}`, now);
          const count = ((before?.content ?? 0) as number) + step.by;
          const expiresAt = before?.expiresAt ?? now + step.ttlMs;
          const expected = { value: count, added: true, remainingMs: expiresAt - now };
          assert.deepEqual(await store.increment(name, step), expected);
          naive.put(`n${name}`, count, expiresAt, now);
        } else {
          await store.delete(name);
          naive.drop(`v${name}`);
          naive.drop(`n${name}`);
        }
        assert.equal(await store.get(name), naive.get(`v${name}`, now)?.content);
        assert.equal(await store.count(name), naive.get(`n${name}`, now)?.content);
      }
    }),
    { numRuns: 60 },
  );
});

test('a full store holds the newest, whatever was written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(key, { maxLength: 60 }), async (maxEntries, keys) => {
      const store = createMemoryStore({ clock: new ManualClock(), maxEntries });
      const naive = naiveStore(maxEntries);
      for (const [index, name] of keys.entries()) {
        await store.put(name, `${index}`, 60_000);
        naive.put(name, `${index}`, 60_000, 0);
        for (const each of 'abcdef') assert.equal(await store.get(each), naive.get(each, 0)?.content);
        assert.ok(store.size <= maxEntries);
      }
    }),
  );
});

test('whoever writes the same few entries for long holds no memory but theirs', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const store = createMemoryStore({ clock: new ManualClock() });
  const writeAll = async (times: number): Promise<void> => {
    for (let index = 0; index < times; index++) await store.put(`k${index % 1_000}`, 'v', 60_000);
  };
  await writeAll(10_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  await writeAll(300_000);
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 8_000_000, `${grown} bytes more; an iterator that stands still would hold 40 MB of tables`);
});
