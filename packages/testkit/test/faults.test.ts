import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fleet, type FleetOptions, ManualClock, startFleet } from '@flotilla/testkit';
import { service } from 'flotilla';
import { pages, routes, type Shop, shop, stock } from './shop.ts';

const options = { timeout: 20_000 };

async function withShop(
  use: (fleet: Fleet, shop: Shop, clock: ManualClock) => Promise<void>,
  more?: Partial<FleetOptions>,
) {
  const made = shop();
  const clock = new ManualClock();
  await using fleet = await startFleet({
    services: [made.catalog, made.web],
    gateway: { routes },
    clock,
    seed: 7,
    ...more,
  });
  await use(fleet, made, clock);
}

const none = { retries: 0 };

test('an edge service answers without the part that it cannot reach, and with it again', options, () =>
  withShop(async (fleet, _, clock) => {
    const way = fleet.network.between('web', 'catalog').drop();
    const startedAt = clock.now();
    const answer = await fleet.gateway.fetch('/api/home');
    assert.deepEqual(await answer.json(), { left: 0, missing: ['item'] });
    assert.equal(Math.round((clock.now() - startedAt) / 100), 5, 'it waited the 500 ms of the part');
    way.heal();
    assert.deepEqual(await (await fleet.gateway.fetch('/api/home')).json(), { left: 1, missing: [] });
  }),
);

test('a refused way fails at once, and breaks what is on it', options, () =>
  withShop(
    async (fleet, { taken }, clock) => {
      fleet.network.between('test', 'catalog').delay(1_000);
      const slow = assert.rejects(fleet.client(stock, none).take({ id: 'a' }), { code: 'CONNECTION_LOST' });
      await clock.advance(1);
      fleet.network.from('test').to('catalog').refuse();
      await slow;
      const before = clock.now();
      await assert.rejects(fleet.client(stock, none).take({ id: 'b' }), { code: 'CONNECT_FAILED', executed: 'no' });
      assert.equal(clock.now(), before);
      assert.deepEqual(taken, []);
    },
    { time: 'stands' },
  ),
);

test('delay is by the clock, there and back', options, () =>
  withShop(async (fleet, _, clock) => {
    const ask = async (): Promise<number> => {
      const from = clock.now();
      await fleet.client(stock).item({ id: 'a' });
      return clock.now() - from;
    };
    const way = fleet.network.from('test').to('catalog').delay(30);
    assert.equal(await ask(), 30);
    fleet.network.from('catalog').to('test').delay(12);
    assert.equal(await ask(), 42);
    way.heal();
    assert.equal(await ask(), 12);
  }),
);

test('jitter is the same in each run of a seed', options, async () => {
  const delaysOf = async (seed: number): Promise<number[]> => {
    const delays: number[] = [];
    await withShop(
      async (fleet, _, clock) => {
        fleet.network.between('test', 'catalog').delay(10, { jitterMs: 100 });
        for (let sent = 0; sent < 5; sent++) {
          const from = clock.now();
          await fleet.client(stock).item({ id: 'a' });
          delays.push(clock.now() - from);
        }
      },
      { seed },
    );
    return delays;
  };
  const first = await delaysOf(3);
  assert.deepEqual(await delaysOf(3), first);
  assert.notDeepEqual(await delaysOf(4), first);
  assert.ok(
    first.every((delayMs) => delayMs >= 20 && delayMs <= 220),
    `${first}`,
  );
});

for (const { moment, code, executed, done } of [
  { moment: 'before-sending', code: 'CONNECT_FAILED', executed: 'no', done: 0 },
  { moment: 'after-processing', code: 'CONNECTION_LOST', executed: 'unknown', done: 1 },
  { moment: 'answer', code: 'DEADLINE_EXCEEDED', executed: 'unknown', done: 1 },
] as const) {
  test(`a command lost ${moment} fails with ${code}, and was done ${done} times`, options, () =>
    withShop(async (fleet, { taken }) => {
      fleet.network.between('test', 'catalog').lose(moment, { times: 1 });
      const take = fleet.client(stock, { ...none, timeoutMs: 2_000 }).take;
      await assert.rejects(take({ id: 'a' }), { code, executed });
      assert.equal(taken.length, done);
      await take({ id: 'b' });
      assert.equal(taken.length, done + 1);
    }),
  );
}

test('what certainly was not done is tried again, also a command', options, () =>
  withShop(async (fleet, { taken }) => {
    fleet.network.between('test', 'catalog').lose('before-sending', { times: 2 });
    await fleet.client(stock).take({ id: 'a' });
    assert.deepEqual(taken, ['a']);
  }),
);

test('a share of the requests is lost, the same ones in each run of a seed', options, async () => {
  const outcomesOf = async (seed: number): Promise<string> => {
    let outcomes = '';
    await withShop(
      async (fleet) => {
        fleet.network.between('test', 'catalog').lose('before-sending', { share: 0.5 });
        // Half of all calls failing would open a breaker, and this is about the network.
        const items = fleet.client(stock, { ...none, breaker: { enabled: false } });
        for (let sent = 0; sent < 40; sent++) {
          outcomes += await items.item({ id: 'a' }).then(
            () => '+',
            ({ code }) => (code === 'CONNECT_FAILED' ? '-' : '?'),
          );
        }
      },
      { seed },
    );
    return outcomes;
  };
  const first = await outcomesOf(5);
  assert.match(first, /^[+-]{40}$/);
  const lost = first.replaceAll('+', '').length;
  assert.ok(lost >= 10 && lost <= 30, first);
  assert.equal(await outcomesOf(5), first);
});

test('answers alone can be cut off: the work is done, and nobody hears of it', options, () =>
  withShop(async (fleet, { taken }) => {
    fleet.network.from('catalog').to('test').drop();
    const take = fleet.client(stock, { ...none, timeoutMs: 700 }).take({ id: 'a' });
    await assert.rejects(take, { code: 'DEADLINE_EXCEEDED' });
    assert.deepEqual(taken, ['a']);
    // The other direction is free: what catalog says to the registry arrives.
    assert.equal([...fleet.registry.named('catalog')].length, 1);
  }),
);

test('what stood still in a silent partition goes on when it heals', options, () =>
  withShop(
    async (fleet, _, clock) => {
      fleet.network.from('catalog').to('test').drop();
      let heard = false;
      const item = fleet
        .client(stock)
        .item({ id: 'a' })
        .then((value) => {
          heard = true;
          return value;
        });
      await clock.advance(400);
      assert.equal(heard, false);
      fleet.network.heal();
      assert.deepEqual(await item, { id: 'a', left: 1 });
    },
    { time: 'stands' },
  ),
);

for (const network of ['memory', 'sockets'] as const) {
  test(`over ${network}: a body breaks after as many bytes as were ordered`, options, async () => {
    const { catalog } = shop();
    await using fleet = await startFleet({ services: [catalog], gateway: { routes }, network });
    fleet.network.from('gateway').to('test').reset({ afterBytes: 100, times: 1 });
    const answer = await fleet.gateway.fetch('/big');
    assert.equal(answer.headers.get('content-length'), '1000');
    let bytes = 0;
    await assert.rejects(
      async () => {
        for await (const chunk of answer.body ?? []) bytes += chunk.length;
      },
      { code: 'CONNECTION_LOST' },
    );
    assert.equal(bytes, 100);
    assert.equal((await (await fleet.gateway.fetch('/big')).arrayBuffer()).byteLength, 1_000);
  });
}

test('a slow way brings a body at its pace', options, () =>
  withShop(async (fleet, _, clock) => {
    fleet.network.from('gateway').to('test').trickle({ bytesPerSecond: 500 });
    const answer = await fleet.gateway.fetch('/big');
    const from = clock.now();
    assert.equal((await fleet.until(answer.arrayBuffer())).byteLength, 1_000);
    assert.equal(clock.now() - from, 2_000);
  }),
);

test('a stream breaks in its middle', options, () =>
  withShop(async (fleet) => {
    fleet.network.from('catalog').to('test').reset({ afterBytes: 40 });
    const seen: number[] = [];
    await assert.rejects(
      async () => {
        for await (const { n } of fleet.client(stock).count({ to: 50 })) seen.push(n);
      },
      { code: 'CONNECTION_LOST' },
    );
    assert.ok(seen.length > 0 && seen.length < 50, `${seen}`);
  }),
);

test('a fault of one copy leaves the others alone', options, () =>
  withShop(
    async (fleet) => {
      fleet.network.around('catalog.1').refuse();
      for (let sent = 0; sent < 5; sent++) assert.equal((await fleet.client(stock).item({ id: 'a' })).left, 2);
    },
    { services: [{ app: shop().catalog, copies: 2 }] },
  ),
);

test('a party that is cut off from the registry is still called, and is back before its lease lapses', options, () =>
  withShop(async (fleet, _, clock) => {
    fleet.network.between('catalog', 'registry').drop();
    await clock.advance(40_000);
    assert.equal((await fleet.client(pages).home(undefined)).left, 1);
    fleet.network.heal();
    await clock.advance(60_000);
    assert.equal([...fleet.registry.named('catalog')].length, 1);
  }),
);

test('a name that nobody has is refused with the nearest one', options, () =>
  withShop(async (fleet) => {
    assert.throws(() => fleet.network.between('web', 'catlog'), /no party .* "catlog"; did you mean "catalog"\?/);
    assert.throws(() => fleet.network.around('web').lose('answer', { share: 2 }), /share must be from 0 to 1, got 2/);
    assert.throws(() => fleet.network.around('web').trickle({ bytesPerSecond: 0 }), RangeError);
    await assert.rejects(fleet.kill('wbe'), /nothing .* "wbe"; did you mean "web"\?/);
    assert.throws(() => fleet.copies('nobody'), /nothing in this fleet is called "nobody"/);
  }),
);

test('what is left behind is named when the fleet stops', options, async () => {
  const app = service('leaky');
  app.http('GET', '/never', () => new Promise(() => {}));
  const fleet = await startFleet({ services: [app], clock: new ManualClock(), time: 'stands' });
  const pending = assert.rejects(fleet.copies('leaky')[0]?.fetch('/never') ?? Promise.resolve(), {
    code: 'CONNECTION_LOST',
  });
  await assert.rejects(fleet.stop(), /left something behind:\n- a call from test to leaky\.1 in hand$/);
  await pending;
  await assert.rejects(fleet.stop(), /leaky/, 'a second stop says the same');
});

test('options that do not fit are refused before anything starts', options, async () => {
  const { catalog } = shop();
  const bad: [FleetOptions, RegExp][] = [
    [{ services: [catalog, catalog] }, /lists "catalog" twice; ask for copies/],
    [{ services: [{ app: catalog, copies: 0 }] }, /copies of "catalog" must be an integer from 1 to 32, got 0/],
    [{ services: [service('gateway')] }, /cannot be called "gateway"/],
    [{ services: [], gateway: {} }, /either routes \(YAML text\) or routesFile/],
    [{ services: [], gateway: { routes: 'routes: [{ id: a }]' } }, /the routes of the test/],
    [{ services: [], seed: 1.5 }, /seed must be an integer/],
    [{ services: [], network: 'pigeons' as 'memory' }, /network must be memory or sockets, got "pigeons"/],
  ];
  for (const [options, message] of bad) await assert.rejects(startFleet(options), message);
});

test('a fleet starts whole or not at all', options, async () => {
  const good = shop();
  const bad = service('bad');
  bad.resource('database', () => {
    throw new Error('no such file');
  });
  await assert.rejects(startFleet({ services: [good.catalog, bad] }), /"database" could not start: no such file/);
  assert.deepEqual(good.open, [], 'what was open is closed');
});

test('a service that is started anew is called at once, though its breaker had opened', options, () =>
  withShop(async (fleet) => {
    const { item } = fleet.client(stock, none);
    const way = fleet.network.from('test').to('catalog').refuse();
    for (let index = 0; index < 20; index++) await assert.rejects(item({ id: 'a' }), { code: 'CONNECT_FAILED' });
    way.heal();
    await assert.rejects(item({ id: 'a' }), /the breaker of stock\.item of "stock" is open/);
    await fleet.restart('catalog');
    assert.equal((await item({ id: 'a' })).id, 'a');
  }),
);
