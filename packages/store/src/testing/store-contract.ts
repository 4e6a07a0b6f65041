import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Call, type Store, systemClock } from '@flotilla/core';
import { type ManualClock, seededRandom, until } from '@flotilla/core/testing';

/** An engine under test. */
export interface StoreUnderTest {
  /** One more way to the same state. @param space stores of different spaces have nothing in common. */
  open(space: string): Promise<Store>;
  /** Waits until so much time has passed at the engine. */
  pass(ms: number): Promise<void>;
  end(): Promise<void>;
}

const minute = 60_000;

/**
 * What every engine of the port `Store` keeps.
 * @param missing why it cannot run here
 */
export function storeContract(engine: string, start: () => Promise<StoreUnderTest>, missing?: string): void {
  describe(`a store in ${engine}`, { skip: missing ?? false }, () => {
    let under: StoreUnderTest;
    let spaces = 0;
    const opened: Store[] = [];
    const open = async (space = `s${spaces}`): Promise<Store> => {
      const store = await under.open(space);
      opened.push(store);
      return store;
    };
    const fresh = (): Promise<Store> => open(`s${++spaces}`);
    before(async () => {
      under = await start();
    });
    after(async () => {
      await Promise.all(opened.map((store) => store.close()));
      await under.end();
    });

    test('what was put is there for all, and gone after its time', async () => {
      const [one, two] = [await fresh(), await open()];
      assert.equal(await one.get('a'), undefined);
      await one.put('a', 'first ✓', minute);
      assert.equal(await two.get('a'), 'first ✓');
      await two.put('a', 'second', 2_000);
      assert.equal(await one.get('a'), 'second');
      await under.pass(2_100);
      assert.equal(await one.get('a'), undefined);
    });

    test('an empty value is a value', async () => {
      const store = await fresh();
      await store.put('a', '', minute);
      assert.equal(await store.get('a'), '');
      const found = await store.compareAndSet('a', { expected: undefined, value: 'x', ttlMs: minute });
      assert.deepEqual(found, { swapped: false, found: '' });
    });

    test('compare and set changes what is expected, and nothing else', async () => {
      const store = await fresh();
      const set = (expected: string | undefined, value: string | undefined) =>
        store.compareAndSet('a', { expected, value, ttlMs: minute });
      assert.deepEqual(await set('x', 'y'), { swapped: false, found: undefined });
      assert.deepEqual(await set(undefined, 'one'), { swapped: true });
      assert.deepEqual(await set(undefined, 'two'), { swapped: false, found: 'one' });
      assert.deepEqual(await set('one', 'two'), { swapped: true });
      assert.equal(await store.get('a'), 'two');
      assert.deepEqual(await set('one', undefined), { swapped: false, found: 'two' });
      assert.deepEqual(await set('two', undefined), { swapped: true });
      assert.equal(await store.get('a'), undefined);
      assert.deepEqual(await set(undefined, undefined), { swapped: true });
    });

    test('compare and set gives the new value a time of its own', async () => {
      const store = await fresh();
      await store.put('a', 'one', minute);
      await store.compareAndSet('a', { expected: 'one', value: 'two', ttlMs: 1_000 });
      await under.pass(1_100);
      assert.equal(await store.get('a'), undefined);
    });

    test('of many who set at once, exactly one does', async () => {
      const stores = [await fresh(), await open(), await open()];
      const swaps = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          (stores[index % 3] as Store).compareAndSet('a', { expected: undefined, value: `${index}`, ttlMs: minute }),
        ),
      );
      const winners = swaps.flatMap(({ swapped }, index) => (swapped ? [`${index}`] : []));
      assert.deepEqual(winners, [await stores[0]?.get('a')]);
      for (const swap of swaps) if (!swap.swapped) assert.equal(swap.found, winners[0]);
    });

    test('a counter counts for all, from its first step until its time is over', async () => {
      const [one, two] = [await fresh(), await open()];
      assert.equal(await one.count('a'), undefined);
      const first = await one.increment('a', { ttlMs: 4_000 });
      assert.deepEqual(first, { value: 1, added: true, remainingMs: 4_000 });
      await under.pass(500);
      const second = await two.increment('a', { by: 4, ttlMs: minute });
      assert.equal(second.value, 5);
      assert.ok(second.remainingMs <= 3_500, `a counter keeps its time: ${second.remainingMs}`);
      assert.equal(await one.count('a'), 5);
      await under.pass(3_600);
      assert.equal(await two.count('a'), undefined);
      assert.equal((await one.increment('a', { ttlMs: minute })).value, 1);
    });

    test('a counter does not pass its maximum, however many ask at once', async () => {
      const stores = [await fresh(), await open()];
      const steps = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          (stores[index % 2] as Store).increment('a', { by: 2, max: 21, ttlMs: minute }),
        ),
      );
      assert.equal(steps.filter(({ added }) => added).length, 10);
      assert.equal(await stores[0]?.count('a'), 20);
      const refused = await stores[0]?.increment('b', { by: 2, max: 1, ttlMs: minute });
      assert.deepEqual(refused, { value: 0, added: false, remainingMs: 0 });
      assert.equal(await stores[0]?.count('b'), undefined);
    });

    test('value and counter of one key are apart, and deleted together', async () => {
      const store = await fresh();
      await store.put('a', '7', minute);
      await store.increment('a', { ttlMs: minute });
      assert.equal(await store.get('a'), '7');
      assert.equal(await store.count('a'), 1);
      await store.delete('a');
      assert.equal(await store.get('a'), undefined);
      assert.equal(await store.count('a'), undefined);
      await store.delete('a');
    });

    test('what is out of bounds is refused at once, naming the limit', async () => {
      const store = await fresh();
      const long = 'x'.repeat(store.maxValueBytes + 1);
      assert.throws(
        () => store.get(''),
        /^RangeError: a key must be well-formed text of 1 to 1024 bytes, got 0 bytes$/,
      );
      assert.throws(() => store.get('\ud800'), /a key must be well-formed/);
      assert.throws(() => store.delete('é'.repeat(513)), /got 1026 bytes/);
      assert.throws(() => store.put('a', long, minute), /maxValueBytes is/);
      assert.throws(() => store.put('a', '\udc00', minute), /half characters/);
      assert.throws(() => store.put('a', 'x', 0), /^RangeError: ttlMs must be from 1 to 2592000000, got 0$/);
      assert.throws(() => store.put('a', 'x', Number.NaN), /ttlMs must be/);
      assert.throws(() => store.compareAndSet('a', { expected: long, value: 'x', ttlMs: 1 }), /maxValueBytes is/);
      assert.throws(() => store.compareAndSet('a', { expected: 'x', value: 'x', ttlMs: -1 }), /ttlMs must be/);
      assert.throws(() => store.increment('a', { by: 0.5, ttlMs: 1 }), /^RangeError: by must be a whole number/);
      assert.throws(() => store.increment('a', { max: Number.NaN, ttlMs: 1 }), /^RangeError: max must be/);
      assert.throws(() => store.increment('a', { ttlMs: Infinity }), /ttlMs must be/);
    });

    test('a value of the largest size fits', async () => {
      const store = await fresh();
      const value = 'é'.repeat(store.maxValueBytes / 2);
      await store.put('a', value, minute);
      assert.equal(await store.get('a'), value);
    });

    test('keys hold whatever text there is', async () => {
      const store = await fresh();
      for (const key of ['a b', '__proto__', 'constructor', '\u0000\r\n*1\r\n', '{tag}:x', '✓']) {
        assert.equal(await store.get(key), undefined, key);
        await store.put(key, `value of ${key}`, minute);
        assert.equal(await store.get(key), `value of ${key}`);
      }
    });

    test('a call that still runs changes nothing', async () => {
      const store = await fresh();
      const call = new Call({ clock: systemClock, random: seededRandom(1), deadline: systemClock.now() + minute });
      await store.put('a', 'x', minute, call);
      assert.equal(await store.get('a', call), 'x');
      call.end();
    });
  });
}

/** Time of an engine that lives by a clock of the test. */
export function passBy(clock: ManualClock): (ms: number) => Promise<void> {
  return (ms) => clock.advance(ms);
}

/** Time of an engine that has a clock of its own. */
export function passReally(): (ms: number) => Promise<void> {
  return async (ms) => {
    const due = performance.now() + ms;
    await until(`${ms} ms have passed`, () => performance.now() >= due);
  };
}
