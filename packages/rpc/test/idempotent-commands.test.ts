import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Baggage, FlotillaError, type Store, systemClock, tenantKey } from '@flotilla/core';
import { until } from '@flotilla/core/testing';
import { idempotency } from '@flotilla/resilience';
import { createMemoryStore } from '@flotilla/store/memory';
import { createRedisStore } from '@flotilla/store/redis';
import { RedisServer, redisMissing } from '@flotilla/store/testing';
import * as z from 'zod';
import { bind, command, contract, error, type RememberOperation } from '../src/index.ts';
import { type Answer, Fleet } from './fleet.ts';

const shop = contract(
  { name: 'shop', version: 1 },
  {
    order: command({
      in: z.object({ item: z.string(), on: z.iso.date().optional() }),
      out: z.object({ id: z.number() }),
      errors: { SOLD_OUT: error(409, z.object({ item: z.string() })) },
      idempotent: true,
    }),
    pay: command({ in: z.object({ amount: z.number() }), out: z.object({ receipt: z.number() }) }),
  },
);

const remembering =
  (store: Store): RememberOperation =>
  ({ idempotent, ...named }) =>
    idempotency({ store, idempotent: () => idempotent, ...named, operationOf: () => named.operation });

/** Two instances of one service, each with its own way to the store. */
async function twoInstances(stores: readonly [Store, Store]) {
  const done: string[] = [];
  const fleets = await Promise.all(
    stores.map(async (store) => {
      const fleet = new Fleet();
      const handlers = {
        order({ item }: { item: string }, call: { fail(code: 'SOLD_OUT', data: { item: string }): never }) {
          done.push(item);
          if (item === 'none') call.fail('SOLD_OUT', { item });
          return { id: done.length, secret: 'of nobody' };
        },
        async pay({ amount }: { amount: number }) {
          done.push(`${amount}`);
          if (amount < 0) throw new FlotillaError('CONNECTION_LOST', 'the bank hung up');
          return { receipt: done.length };
        },
      };
      await fleet.serve([bind(shop, handlers)], { remember: remembering(store) });
      return fleet;
    }),
  );
  const ask = (on: 0 | 1, operation: string, body: unknown, headers = {}, baggage?: Baggage): Promise<Answer> =>
    (fleets[on] as Fleet).ask(`/shop/v1/${operation}`, { body, headers, baggage });
  return { done, ask, fleets: fleets as [Fleet, Fleet] };
}

const key = { 'idempotency-key': 'k1' };

function suite(engine: string, open: () => Promise<readonly [Store, Store]>, missing?: string): void {
  describe(`commands with a key, two instances, ${engine}`, { skip: missing ?? false }, () => {
    const all: Store[] = [];
    const opened = async (): Promise<readonly [Store, Store]> => {
      const stores = await open();
      all.push(...stores);
      return stores;
    };
    after(() => Promise.all(all.map((store) => store.close())));

    test('a command that is retried on another instance is executed once', async () => {
      const { done, ask } = await twoInstances(await opened());
      const first = await ask(0, 'order', { item: 'pen' }, key);
      const again = await ask(1, 'order', { item: 'pen' }, key);
      assert.deepEqual([first.json, again.json, again.status], [{ id: 1 }, { id: 1 }, first.status]);
      assert.deepEqual(done, ['pen']);
    });

    test('many at once, on both instances, are one', async () => {
      const { done, ask, fleets } = await twoInstances(await opened());
      const asked = Array.from({ length: 20 }, (_, index) => ask((index % 2) as 0 | 1, 'order', { item: 'ink' }, key));
      let answered = 0;
      for (const each of asked) void each.then(() => (answered += 1));
      await until('all are answered', async () => {
        for (const { clock } of fleets) await clock.advance(50); // who waits looks again
        return answered === asked.length;
      });
      const answers = await Promise.all(asked);
      assert.deepEqual(done, ['ink']);
      for (const { json } of answers) assert.deepEqual(json, { id: 1 });
    });

    test('a declared error is an answer and comes again; another input is refused by name', async () => {
      const { done, ask } = await twoInstances(await opened());
      const first = await ask(0, 'order', { item: 'none' }, key);
      const again = await ask(1, 'order', { item: 'none' }, key);
      for (const { status, json } of [first, again]) {
        const { code, executed, data } = json as Record<string, unknown>;
        assert.deepEqual([status, code, executed, data], [409, 'SOLD_OUT', 'yes', { item: 'none' }]);
      }
      const other = await ask(1, 'order', { item: 'pen' }, key);
      const problem = other.json as { code: string };
      assert.deepEqual([other.status, problem.code], [422, 'IDEMPOTENCY_KEY_REUSED']);
      assert.deepEqual(done, ['none']);
    });

    test('what may not be done twice is not, after an unknown outcome', async () => {
      const { done, ask } = await twoInstances(await opened());
      for (const on of [0, 1] as const) {
        const { json } = await ask(on, 'pay', { amount: -1 }, key);
        const { code, executed } = json as Record<string, unknown>;
        assert.deepEqual([code, executed], ['CONNECTION_LOST', 'unknown']);
      }
      assert.deepEqual(done, ['-1']);
    });

    test('keys of tenants and operations are apart, and without a key each is another', async () => {
      const { done, ask } = await twoInstances(await opened());
      const tenant = (name: string) => new Map([[tenantKey, name]]);
      await ask(0, 'order', { item: 'a' }, key, tenant('x'));
      await ask(1, 'order', { item: 'b' }, key, tenant('y'));
      await ask(1, 'pay', { amount: 1 }, key);
      await ask(0, 'pay', { amount: 2 });
      await ask(0, 'pay', { amount: 2 });
      assert.deepEqual(done, ['a', 'b', '1', '2', '2']);
    });
  });
}

suite('one memory', async () => {
  const store = createMemoryStore({ clock: systemClock });
  return [store, store];
});

let server: RedisServer | undefined;
let spaces = 0;

async function redis(): Promise<readonly [Store, Store]> {
  const parts = { url: server?.url ?? '', prefix: `${spaces++}:`, timeoutMs: 10_000 };
  const stores = [createRedisStore(parts), createRedisStore(parts)] as const;
  await Promise.all(stores.map((store) => store.start()));
  await until('both are connected', () => stores.every(({ connected }) => connected));
  return stores;
}

const missing = redisMissing();
before(async () => {
  if (missing === undefined) server = await RedisServer.start();
});
after(() => server?.end());
suite('Redis', redis, missing);
