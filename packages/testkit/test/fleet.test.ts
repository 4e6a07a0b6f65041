import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, settle, startFleet } from '@flotilla/testkit';
import { HttpHeaders, service, settings, text } from 'flotilla';
import { pages, routes, shop, stock } from './shop.ts';

const options = { timeout: 20_000 };

for (const network of ['memory', 'sockets'] as const) {
  test(`over ${network}: a request goes through gateway, edge and backend`, options, async () => {
    const { catalog, web } = shop();
    await using fleet = await startFleet({ services: [catalog, web], gateway: { routes }, network });
    const answer = await fleet.gateway.fetch('/api/home');
    assert.deepEqual([answer.status, await answer.json()], [200, { left: 1, missing: [] }]);
    assert.deepEqual(await fleet.client(stock).item({ id: 'rice' }), { id: 'rice', left: 1 });
    assert.equal((await fleet.gateway.fetch('/elsewhere')).status, 404);
    const [front] = fleet.copies('web');
    const why = front?.why(undefined).map(({ services, instances }) => [services, instances.map(({ id }) => id)]);
    assert.deepEqual(why, [[['catalog'], fleet.copies('catalog').map(({ instance }) => instance.id)]]);
    assert.throws(() => front?.why('elsewhere'), { code: 'NO_ROUTE' });
    if (network === 'sockets') assert.equal((await fetch(`${fleet.registryUrl}/v1/instances`)).status, 200);
    if (network === 'sockets') assert.equal((await fetch(`${fleet.gateway.url}/api/home`)).status, 200);
  });

  test(
    `over ${network}: a copy that is killed breaks its calls and stays listed; another answers`,
    options,
    async () => {
      const { catalog, web, open } = shop();
      await using fleet = await startFleet({
        services: [{ app: catalog, copies: 2 }, web],
        gateway: { routes },
        network,
      });
      assert.deepEqual(open, [1, 2]);
      await fleet.kill('catalog.1');
      assert.deepEqual(open, [2], 'this process got back what the killed copy held');
      assert.equal([...fleet.registry.named('catalog')].length, 2, 'nothing was deregistered');
      const items = fleet.client(stock);
      for (let sent = 0; sent < 6; sent++) assert.equal((await items.item({ id: 'soup' })).left, 2);
      await fleet.restart('catalog.1');
      assert.deepEqual(
        fleet.copies('catalog').map(({ name, running }) => [name, running]),
        [
          ['catalog.1', true],
          ['catalog.2', true],
        ],
      );
      assert.equal((await fleet.copies('catalog')[0]?.fetch('/items/soup'))?.status, 200);
    },
  );

  test(`over ${network}: registry and gateway come back where they were`, options, async () => {
    const { catalog, web } = shop();
    await using fleet = await startFleet({ services: [catalog, web], gateway: { routes }, network });
    const { url } = fleet.gateway;
    await fleet.kill('gateway');
    await assert.rejects(fleet.gateway.fetch('/api/home'), { code: 'CONNECT_FAILED' });
    await fleet.restart('gateway');
    assert.equal(fleet.gateway.url, url);
    assert.equal((await fleet.gateway.fetch('/api/home')).status, 200);
    const { epoch } = fleet.registry;
    await fleet.kill('registry');
    assert.equal((await fleet.gateway.fetch('/api/home')).status, 200, 'the registry is missed by nobody');
    await fleet.restart('registry');
    assert.notEqual(fleet.registry.epoch, epoch);
    assert.equal((await fleet.gateway.fetch('/api/home')).status, 200);
  });
}

test('each copy has resources and clients of its own', options, async () => {
  const { catalog, web } = shop();
  await using fleet = await startFleet({
    services: [
      { app: catalog, copies: 3 },
      { app: web, copies: 2 },
    ],
  });
  const answers = await Promise.all(
    fleet.copies('catalog').map(async (copy) => (await copy.fetch('/items/soup')).json()),
  );
  assert.deepEqual(
    answers.map((answer) => (answer as { left: number }).left),
    [1, 2, 3],
  );
  for (const copy of fleet.copies('web')) assert.equal((await copy.fetch('/api/home')).status, 200);
  assert.equal(fleet.spans.spans({ party: 'web', kind: 'client', name: 'stock.item' }).length, 2);
  assert.deepEqual(
    fleet.spans.spans({ kind: 'client', name: 'stock.item' }).map(({ party }) => party),
    ['web.1', 'web.2'],
  );
});

test('with a clock by hand an hour passes at once, and the fleet is still there', options, async () => {
  const { catalog, web } = shop();
  const clock = new ManualClock();
  await using fleet = await startFleet({ services: [catalog, web], gateway: { routes }, clock });
  await clock.advance(3_600_000);
  assert.equal([...fleet.registry.named('catalog')].length, 1);
  assert.equal((await fleet.gateway.fetch('/api/home')).status, 200);
});

test('a killed copy is evicted when its lease lapses, not before', options, async () => {
  const { catalog } = shop();
  const clock = new ManualClock();
  await using fleet = await startFleet({ services: [{ app: catalog, copies: 8 }], clock });
  await fleet.kill('catalog.1');
  await clock.advance(59_000);
  assert.equal([...fleet.registry.named('catalog')].length, 8);
  await clock.advance(60_000);
  assert.equal([...fleet.registry.named('catalog')].length, 7);
});

test('who leaves well is deregistered, and its copies go on', options, async () => {
  const { catalog, web } = shop();
  await using fleet = await startFleet({ services: [{ app: catalog, copies: 2 }, web], clock: new ManualClock() });
  await fleet.leave('catalog.2');
  assert.equal([...fleet.registry.named('catalog')].length, 1);
  assert.equal((await fleet.client(pages).home(undefined)).left, 1);
});

test('logs, metrics and spans say who did what', options, async () => {
  const { catalog, web } = shop();
  await using fleet = await startFleet({ services: [catalog, web], gateway: { routes }, clock: new ManualClock() });
  await (await fleet.gateway.fetch('/api/home')).text();
  const [access] = fleet.logs.lines({ party: 'gateway', message: 'request' });
  assert.equal(access?.fields['status'], 200);
  assert.ok(fleet.logs.text({ level: 'info' }).includes('registering'));
  assert.equal(fleet.metrics.count('flotilla_server_duration_seconds', {}, 'catalog'), 1);
  const spans = fleet.spans.spans({ traceId: String(access?.fields['traceId']) });
  assert.deepEqual(
    spans.map(({ party, kind, name }) => `${party} ${kind} ${name}`),
    [
      'gateway server GET /api/**',
      'gateway client GET',
      'web.1 server pages.home',
      'web.1 client stock.item',
      'catalog.1 server stock.item',
    ],
  );
  const [door, upstream, page, call, served] = spans;
  assert.deepEqual(
    [upstream?.parentSpanId, page?.parentSpanId, call?.parentSpanId, served?.parentSpanId],
    [door?.spanId, upstream?.spanId, page?.spanId, call?.spanId],
  );
});

test('routes can be changed while it runs, and outlive a restart of the gateway', options, async () => {
  const { catalog } = shop();
  await using fleet = await startFleet({ services: [catalog], gateway: { routes: 'routes: []' } });
  assert.equal((await fleet.gateway.fetch('/big')).status, 404);
  fleet.gateway.apply(routes);
  assert.equal((await fleet.gateway.fetch('/big')).status, 200);
  await fleet.restart('gateway');
  assert.equal((await fleet.gateway.fetch('/big')).status, 200);
});

test('a service can join a fleet that runs', options, async () => {
  const { catalog, web } = shop();
  await using fleet = await startFleet({ services: [web], gateway: { routes }, clock: new ManualClock() });
  assert.deepEqual(await (await fleet.gateway.fetch('/api/home')).json(), { left: 0, missing: ['item'] });
  await fleet.add(catalog);
  assert.deepEqual(await (await fleet.gateway.fetch('/api/home')).json(), { left: 1, missing: [] });
  await assert.rejects(fleet.add(catalog), /has this service "catalog" already/);
});

test('settings change while it runs, in each copy or in one; mistakes change nothing', options, async () => {
  const app = service('greeter', {
    config: settings({ word: text({ default: 'Hello' }), file: text({ default: 'a', restart: true }) }),
  });
  app.http('GET', '/word', async () => ({
    status: 200,
    headers: new HttpHeaders(),
    body: Buffer.from(`${app.settings().word} ${app.settings().file}`),
  }));
  await using fleet = await startFleet({ services: [{ app, copies: 2, settings: { word: 'Hi' } }] });
  const words = () => Promise.all(fleet.copies('greeter').map(async (copy) => (await copy.fetch('/word')).text()));
  assert.deepEqual(await words(), ['Hi a', 'Hi a']);
  await fleet.configure('greeter.2', { word: 'Moin', file: 'only at a start' });
  assert.deepEqual(await words(), ['Hi a', 'Moin a']);
  await assert.rejects(fleet.configure('greeter', { wrod: 'x' }), { code: 'CONFIG_INVALID' });
  assert.deepEqual(await words(), ['Hi a', 'Moin a']);
});

test('a test that fails in its middle says why, not that it had calls in hand', options, async () => {
  const app = service('slow');
  app.http('GET', '/', () => new Promise(() => {}));
  let lost: Promise<unknown> | undefined;
  const failing = async () => {
    await using fleet = await startFleet({ services: [app] });
    lost = assert.rejects(fleet.copies('slow')[0]?.fetch('/') ?? Promise.resolve(), { code: 'CONNECTION_LOST' });
    await settle();
    throw new Error('the test failed');
  };
  await assert.rejects(failing(), /^Error: the test failed$/);
  await lost;
});
