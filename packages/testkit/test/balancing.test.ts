import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fleet, ManualClock, startFleet } from '@flotilla/testkit';
import { service } from 'flotilla';
import { contract, get, query } from 'flotilla/contract';
import { z } from 'zod';
import { stock } from './shop.ts';

const options = { timeout: 60_000 };

const Item = z.object({ id: z.string(), left: z.int() });
const front = contract(
  { name: 'front', version: 1 },
  { item: query({ in: z.object({ id: z.string() }), out: Item, http: get('/front/{id}') }) },
);

/** The caller gives each attempt a second, and has one more. */
const clientOptions = { retries: 1, attemptTimeoutMs: 1_000, timeoutMs: 5_000 };

/** What one of ten copies meets while 300 calls are made, one after the other. */
interface Trouble {
  readonly name: string;
  /** Before each call. */
  before(fleet: Fleet, call: number): void;
  /** The copy answers errors. */
  readonly broken?: boolean;
  /** How many calls may take longer than a tenth of a second before it is left alone. */
  readonly mostSlow: number;
  /** How many may fail: an error of the handler itself is never repeated. */
  readonly mostFailed?: number;
}

const victim = 'catalog.4';

const from = (strike: (fleet: Fleet) => unknown) => (fleet: Fleet, call: number) => {
  if (call === 0) strike(fleet);
};

const troubles: readonly Trouble[] = [
  {
    name: 'is 100 × slower',
    before: from((fleet) => fleet.network.from(victim).to('test').delay(500)),
    mostSlow: 1,
  },
  {
    name: 'refuses connections',
    before: from((fleet) => fleet.network.from('test').to(victim).refuse()),
    mostSlow: 0,
  },
  { name: 'returns errors', before: () => {}, broken: true, mostSlow: 0, mostFailed: 1 },
  {
    name: 'accepts and never answers',
    before: from((fleet) => fleet.network.from(victim).to('test').drop()),
    mostSlow: 1,
  },
  {
    name: 'comes and goes',
    before(fleet, call) {
      const way = fleet.network.from('test').to(victim);
      if (call % 30 === 0) way.refuse();
      if (call % 30 === 15) way.heal();
    },
    mostSlow: 0,
  },
];

for (const { name, before, broken = false, mostSlow, mostFailed = 0 } of troubles) {
  test(
    `one of ten ${name}: of 300 calls at most ${mostFailed} fail, and at most ${mostSlow} take long`,
    options,
    async () => {
      const clock = new ManualClock();
      const app = service('catalog');
      let copies = 0;
      let trouble = false;
      const copy = app.resource('number', () => ++copies);
      const answer = ({ id }: { readonly id: string }): { id: string; left: number } => {
        if (trouble && broken && copy() === 4) throw new Error('it is broken');
        return { id, left: copy() };
      };
      app.handle(stock, { item: answer, take: answer, async *count() {} });
      await using fleet = await startFleet({ services: [{ app, copies: 10 }], clock, seed: 11 });
      fleet.network.between('test', 'catalog').delay(5, { jitterMs: 2 });
      const client = fleet.client(stock, clientOptions);
      const answered = new Map<number, number>();
      const ask = async (id: string): Promise<number> => {
        const startedAt = clock.now();
        const { left } = await client.item({ id });
        answered.set(left, (answered.get(left) ?? 0) + 1);
        return clock.now() - startedAt;
      };
      for (let n = 0; n < 100; n++) await ask(`before ${n}`);
      assert.equal(answered.size, 10, 'all are called while all is well');
      trouble = true;
      let slow = 0;
      let failed = 0;
      for (let n = 0; n < 300; n++) {
        before(fleet, n);
        const tookMs = await ask(`after ${n}`).catch(() => {
          failed += 1;
          return 0;
        });
        if (tookMs > 100) slow += 1;
      }
      assert.ok(slow <= mostSlow, `${slow} calls took long`);
      assert.ok(failed <= mostFailed, `${failed} calls failed`);
    },
  );
}

test('a zone that is lost costs no call, and soon nobody is asked there any more', options, async () => {
  const clock = new ManualClock();
  const asked = new Map<string, number>();
  const zones = ['a', 'b', 'c'].map((zone) => {
    const app = service(`stock-${zone}`);
    const answer = ({ id }: { readonly id: string }): { id: string; left: number } => {
      asked.set(zone, (asked.get(zone) ?? 0) + 1);
      return { id, left: 1 };
    };
    app.handle(stock, { item: answer, take: answer, async *count() {} });
    return { app, copies: 4, config: { zone } };
  });
  const shop = service('shop');
  const items = shop.client(stock, clientOptions);
  shop.handle(front, { item: ({ id }, call) => items.item({ id }, call) });
  await using fleet = await startFleet({ services: [...zones, { app: shop, config: { zone: 'a' } }], clock, seed: 5 });
  const client = fleet.client(front);
  const ask = async (calls: number): Promise<void> => {
    for (let n = 0; n < calls; n++) await client.item({ id: `${n}` });
  };
  await ask(60);
  assert.deepEqual([...asked], [['a', 60]], 'while its own zone can carry the calls they stay there');
  fleet.network.from('shop').to('stock-a').refuse();
  await ask(200);
  assert.equal(asked.get('a'), 60);
  assert.ok((asked.get('b') ?? 0) + (asked.get('c') ?? 0) >= 200, 'a hedge may ask one more');
  const retries = fleet.metrics.value('flotilla_retries_total', { result: 'repeated' }, 'shop');
  assert.ok(retries !== undefined && retries <= 24, `${retries} second attempts`);
  fleet.network.heal();
  await clock.advance(60_000);
  asked.clear();
  await ask(60);
  assert.ok((asked.get('a') ?? 0) > 50, 'and when it is back, so are the calls');
});

test(
  'hash: inputs with the same key go to the same copy, other operations and inputs without a key anywhere',
  options,
  async () => {
    const app = service('catalog');
    let copies = 0;
    const copy = app.resource('number', () => ++copies);
    const answer = ({ id }: { readonly id: string }): { id: string; left: number } => ({ id, left: copy() });
    app.handle(stock, { item: answer, take: answer, async *count() {} });
    await using fleet = await startFleet({ services: [{ app, copies: 6 }], clock: new ManualClock(), seed: 3 });
    const client = fleet.client(stock, {
      pick: 'hash',
      hash: { item: ({ id }) => (id === 'anywhere' ? undefined : id) },
    });
    const copiesOf = async (call: () => Promise<{ readonly left: number }>): Promise<number> => {
      const seen = new Set<number>();
      for (let n = 0; n < 20; n++) seen.add((await call()).left);
      return seen.size;
    };
    assert.equal(await copiesOf(() => client.item({ id: 'soup' })), 1);
    assert.ok((await copiesOf(() => client.item({ id: 'anywhere' }))) > 1);
    assert.ok((await copiesOf(() => client.take({ id: 'soup' }))) > 1);
    const owners = new Set<number>();
    for (let n = 0; n < 40; n++) owners.add((await client.item({ id: `dish ${n}` })).left);
    assert.ok(owners.size > 3, `40 keys had ${owners.size} owners`);
  },
);
