import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@flotilla/core';
import { aUser, basicOf, ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { decodeEvents, HttpHeaders, pathFromText, readBody } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import { MemoryEngine } from '../engines/memory-engine.ts';
import { anInstance } from '../testing/instances.ts';
import { createRegistry, type RegistryOptions } from './registry.ts';
import { registryHandler } from './routes.ts';
import type { RegistryUser } from './users.ts';

const users = [aUser('orders', 'instance'), aUser('ops', 'operator'), aUser('console', 'reader')];

interface Sent {
  readonly as?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function served(options: Partial<RegistryOptions> & { users?: readonly RegistryUser[] } = {}) {
  const [clock, random] = [new ManualClock(), seededRandom(1)];
  const registry = createRegistry({ clock, random, ...options });
  await registry.start();
  const network = memoryNetwork({ clock, random });
  const listener = await network.listen(
    { host: 'registry', port: 8761 },
    registryHandler(registry, { users: options.users }),
  );
  const endpoint = network.connect({ protocol: 'http', host: 'registry', port: 8761 });

  const open = async (line: string, { as, json, headers = {} }: Sent = {}) => {
    const [method = '', target = ''] = line.split(' ');
    const [path = '', query = ''] = target.split('?');
    const fields = new HttpHeaders(Object.entries(headers));
    if (as) fields.set('authorization', basicOf(as));
    if (json !== undefined && !fields.has('content-type')) fields.set('content-type', 'application/json');
    const body = json === undefined ? undefined : Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
    const call = new Call({ clock, random });
    const request = { method, authority: 'registry:8761', path: pathFromText(path), query, headers: fields, body };
    return { response: await endpoint.handle(request, call), call };
  };
  const send = async (line: string, sent: Sent = {}) => {
    const { response, call } = await open(line, sent);
    const text = Buffer.from(await readBody(response.body, 1_000_000, call)).toString();
    return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
  };
  const stop = async () => {
    await Promise.all([registry.stop('test'), listener.drain(1_000), settle()]);
    await endpoint.close();
  };
  return { clock, registry, network, open, send, stop };
}

const a = '/v1/services/orders/instances/a';

test('an instance registers, renews, sets its status and leaves', async () => {
  const { registry, send, stop } = await served();
  const registered = await send(`PUT ${a}`, { json: anInstance({ incarnation: 7 }) });
  assert.equal(registered.status, 200);
  assert.deepEqual(registered.json, {
    outcome: 'registered',
    cursor: `${registry.epoch}:1`,
    seenAddress: '127.0.0.1',
    incarnation: 7,
    revision: 1,
    lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
  });
  assert.equal((await send(`POST ${a}/renewal?incarnation=7`)).status, 204);
  const draining = await send(`PUT ${a}/status`, { json: { status: 'draining', incarnation: 8 } });
  assert.deepEqual(draining.json, { status: 'draining', incarnation: 8, revision: 2 });
  assert.equal((await send(`DELETE ${a}?incarnation=8`)).status, 204);
  assert.equal(registry.size, 0);
  await stop();
});

test('by hand it takes no more than an address: the path says the rest', async () => {
  const { registry, send, stop } = await served();
  const json = { addresses: [{ protocol: 'http', host: '10.0.0.1', port: 80 }] };
  assert.equal((await send(`PUT ${a}?group=eu`, { json })).status, 200);
  const [lease] = registry.list({ service: 'eu/orders' });
  assert.equal(lease?.instance.id, 'a');
  const shown = await send(`GET ${a}?group=eu`);
  assert.deepEqual(shown.json.instance, JSON.parse(JSON.stringify(lease?.instance)));
  await stop();
});

test('an unknown lease is a 404 that says so: to a renewal, a status, an override, a farewell, a look', async () => {
  const { send, stop } = await served();
  const requests = [
    send(`POST ${a}/renewal`),
    send(`PUT ${a}/status`, { json: { status: 'up' } }),
    send(`PUT ${a}/override`, { json: { status: 'down' } }),
    send(`DELETE ${a}/override`),
    send(`DELETE ${a}`),
    send(`GET ${a}`),
  ];
  for (const { status, json } of await Promise.all(requests)) {
    assert.deepEqual([status, json.code, json.data], [404, 'NO_ROUTE', { lease: 'unknown' }]);
    assert.match(json.detail, /no lease of instance "a" of "orders": register it/);
  }
  await stop();
});

test('late word of an instance that left is a 409 that says what to exceed', async () => {
  const { send, stop } = await served();
  await send(`PUT ${a}`, { json: anInstance({ incarnation: 7 }) });
  await send(`DELETE ${a}`);
  const late = await send(`PUT ${a}`, { json: anInstance({ incarnation: 7 }) });
  assert.deepEqual([late.status, late.json.code, late.json.data], [409, 'INVALID_INPUT', { incarnation: 7 }]);
  assert.equal((await send(`PUT ${a}`, { json: anInstance({ incarnation: 8 }) })).status, 200);
  await stop();
});

const refused: readonly [claim: string, line: string, sent: Sent, status: number, says: RegExp][] = [
  ['a body that is no JSON', `PUT ${a}`, { json: '{' }, 400, /cannot be read/],
  [
    'a body of another type',
    `PUT ${a}`,
    { json: '{}', headers: { 'content-type': 'text/plain' } },
    415,
    /application\/json/,
  ],
  ['a body that is a list', `PUT ${a}`, { json: [] }, 400, /instance must be an object/],
  ['a body over 1 MB', `PUT ${a}`, { json: { id: 'a', pad: 'x'.repeat(1_100_000) } }, 413, /larger than/],
  ['another id than the path', `PUT ${a}`, { json: { id: 'b' } }, 400, /instance\.id is "b", but the path says "a"/],
  ['another service than the path', `PUT ${a}`, { json: { identity: { service: 'x' } } }, 400, /service is "x"/],
  ['a service that is none', 'PUT /v1/services/a%20b/instances/a', { json: {} }, 400, /service "a b" must be/],
  ['an unknown parameter', `GET /v1/instances?servcie=orders`, {}, 400, /did you mean "service"\?/],
  ['a parameter twice', `GET /v1/instances?service=a&service=b`, {}, 400, /there twice/],
  ['service and contract', `GET /v1/instances?service=a&contract=b`, {}, 400, /not for both/],
  ['an incarnation that is no number', `POST ${a}/renewal?incarnation=x`, {}, 400, /incarnation must be/],
  ['an unknown status', `PUT ${a}/status`, { json: { status: 'UP' } }, 400, /status must be one of/],
  ['a watch that wants JSON', 'GET /v1/watch', { headers: { accept: 'application/json' } }, 406, /text\/event-stream/],
  ['a page in a browser', `PUT ${a}`, { json: {}, headers: { origin: 'https://evil.example' } }, 403, /browser/],
  ['an unknown path', 'GET /v1/nothing', {}, 404, /nothing is served/],
  ['a wrong method', 'POST /v1/services', {}, 405, /takes GET/],
];
for (const [claim, line, sent, status, says] of refused) {
  test(`refused: ${claim}`, async () => {
    const { send, registry, stop } = await served();
    const answer = await send(line, sent);
    assert.equal(answer.status, status);
    assert.match(answer.json.detail, says);
    assert.equal(registry.size, 0);
    await stop();
  });
}

const matrix: readonly [line: string, json: unknown, allowed: readonly string[]][] = [
  [`PUT ${a}`, anInstance(), ['orders', 'ops']],
  [`POST ${a}/renewal`, undefined, ['orders', 'ops']],
  [`PUT ${a}/status`, { status: 'down' }, ['orders', 'ops']],
  [`PUT ${a}/override`, { status: 'out-of-service' }, ['ops']],
  [`DELETE ${a}/override`, undefined, ['ops']],
  ['POST /v1/services/orders/evictions', undefined, ['ops']],
  ['GET /v1/services', undefined, ['orders', 'ops', 'console']],
  ['GET /v1/instances', undefined, ['orders', 'ops', 'console']],
  [`GET ${a}`, undefined, ['orders', 'ops', 'console']],
  ['PUT /v1/services/payments/instances/a', anInstance({ service: 'payments' }), ['ops']],
  [`DELETE ${a}`, undefined, ['orders', 'ops']],
];
for (const [line, json, allowed] of matrix) {
  test(`who may: ${line}`, async () => {
    const { send, registry, stop } = await served({ users });
    for (const as of [undefined, 'orders', 'ops', 'console']) {
      registry.register(anInstance({ incarnation: registry.cursor.revision + 1 }));
      const { status, headers } = await send(line, { ...(as ? { as } : undefined), json });
      const wanted = as === undefined ? 401 : allowed.includes(as) ? 200 : 403;
      assert.equal(status === 204 ? 200 : status, wanted, `${as}: ${status}`);
      assert.equal(headers.has('www-authenticate'), as === undefined);
    }
    await stop();
  });
}

test('an owner cannot override itself; an operator that registers somebody can', async () => {
  const { send, registry, stop } = await served({ users });
  await send(`PUT ${a}`, { as: 'orders', json: anInstance({ override: 'out-of-service' }) });
  assert.equal(registry.get({ service: 'orders', id: 'a' })?.instance.override, undefined);
  const overridden = await send(`PUT ${a}/override`, { as: 'ops', json: { status: 'out-of-service' } });
  assert.deepEqual([overridden.json.status, overridden.json.override], ['up', 'out-of-service']);
  const back = await send(`DELETE ${a}/override`, { as: 'ops' });
  assert.equal(back.json.override, undefined);
  await stop();
});

test('services are listed with their numbers, and with the reason when eviction is paused', async () => {
  const { clock, send, registry, stop } = await served();
  for (let i = 0; i < 20; i++) registry.register(anInstance({ id: `i${i}` }));
  await clock.advance(90_000);
  const { json } = await send('GET /v1/services');
  assert.equal(json.services.length, 1);
  assert.equal(json.services[0].instances, 17);
  assert.equal(json.services[0].up, 17);
  assert.match(json.services[0].preservation.reason, /20 of 20 instances fell silent/);
  assert.deepEqual((await send('POST /v1/services/orders/evictions')).json, { evicted: 17 });
  await stop();
});

test('a snapshot carries its cursor and says whether the registry warms up', async () => {
  const { clock, send, registry, stop } = await served();
  registry.register(anInstance({ contracts: [{ name: 'catalog', version: 1, hash: 'h' }] }));
  registry.register(anInstance({ id: 'b', service: 'users' }));
  const ids = async (query: string) =>
    (await send(`GET /v1/instances${query}`)).json.instances.map(({ id }: { id: string }) => id);
  assert.deepEqual(await ids(''), ['a', 'b']);
  assert.deepEqual(await ids('?service=users'), ['b']);
  assert.deepEqual(await ids('?contract=catalog'), ['a']);
  assert.deepEqual(await ids('?service=nobody'), []);
  const { json } = await send('GET /v1/instances');
  assert.deepEqual([json.cursor, json.warming], [`${registry.epoch}:2`, true]);
  registry.renew({ service: 'orders', id: 'a' });
  await clock.advance(90_000);
  assert.equal((await send('GET /v1/instances')).json.warming, false);
  await stop();
});

/** Reads events as they come. */
async function following(
  target: Awaited<ReturnType<typeof served>>,
  line: string,
  headers: Record<string, string> = {},
) {
  const { response, call } = await target.open(line, { headers });
  const events: { event: string; id: string | undefined; data: ReturnType<typeof JSON.parse> }[] = [];
  let bytes = '';
  const tap = async function* () {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += Buffer.from(chunk).toString();
      yield chunk;
    }
  };
  const done = (async () => {
    for await (const { event, id, data } of decodeEvents(tap())) events.push({ event, id, data: JSON.parse(data) });
  })().catch(() => undefined);
  await settle();
  return { response, call, events, text: () => bytes, done };
}

test('a watch gives a snapshot and then every change, each with the cursor to go on from', async () => {
  const world = await served();
  const { registry } = world;
  registry.register(anInstance());
  const { response, events, done } = await following(world, 'GET /v1/watch?service=orders');
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  registry.register(anInstance({ id: 'b' }));
  registry.register(anInstance({ id: 'x', service: 'users' }));
  await settle();
  registry.deregister({ service: 'orders', id: 'a' });
  await settle();
  const shown = events.map(({ event, id, data }) => [
    event,
    id,
    data.kind,
    data.instance?.id ?? data.id ?? data.instances.length,
  ]);
  assert.deepEqual(shown, [
    ['snapshot', `${registry.epoch}:1`, undefined, 1],
    ['change', `${registry.epoch}:2`, 'put', 'b'],
    ['change', `${registry.epoch}:4`, 'gone', 'a'],
  ]);
  assert.equal(events[2]?.data.reason, 'deregistered');
  await world.stop();
  await done;
});

for (const [way, line, headers] of [
  ['last-event-id', (_: string) => 'GET /v1/watch', (cursor: string) => ({ 'last-event-id': cursor })],
  ['?cursor=', (cursor: string) => `GET /v1/watch?cursor=${cursor}`, (_: string) => ({})],
] as const) {
  test(`a watch that comes back with ${way} gets what it missed`, async () => {
    const world = await served();
    for (const id of ['a', 'b', 'c']) world.registry.register(anInstance({ id }));
    const cursor = `${world.registry.epoch}:1`;
    const { events, done } = await following(world, line(cursor), headers(cursor));
    assert.deepEqual(
      events.map(({ data }) => data.instance?.id),
      ['b', 'c'],
    );
    await world.stop();
    await done;
  });
}

test('a watcher of a contract sees those go who no longer serve it', async () => {
  const world = await served();
  const contracts = [{ name: 'catalog', version: 1, hash: '' }];
  world.registry.register(anInstance({ contracts }));
  const { events, done } = await following(world, 'GET /v1/watch?contract=catalog');
  world.registry.register(anInstance({ incarnation: 2 }));
  await settle();
  assert.deepEqual(events[1]?.data, { kind: 'gone', service: 'orders', id: 'a', reason: 'changed' });
  await world.stop();
  await done;
});

test('a connection without news carries a sign of life, at least every 18 s', async () => {
  const world = await served();
  world.registry.register(anInstance({ lease: { renewEveryMs: 30_000, lastsMs: 3_600_000 } }));
  const { text, done } = await following(world, 'GET /v1/watch?service=users');
  assert.match(text(), /^:/, 'the first line comes at once');
  const before = text().length;
  await world.clock.advance(60_000);
  const signs =
    text()
      .slice(before)
      .match(/^: alive$/gm)?.length ?? 0;
  assert.ok(signs >= 3 && signs <= 5, `${signs} signs of life in 60 s`);
  await world.stop();
  await done;
});

test('a watcher that goes away is forgotten at once, and so is one that never read', async () => {
  const world = await served({ limits: { maxWatchers: 1 } });
  const { call, done } = await following(world, 'GET /v1/watch');
  assert.equal((await world.send('GET /v1/watch')).status, 503);
  call.cancel();
  await done;
  await settle();
  const unread = await world.open('HEAD /v1/watch');
  assert.equal(unread.response.status, 200);
  await settle();
  world.registry.watch(undefined).close();
  await world.stop();
});

test('when the registry stops, its watches end, so that nobody waits for them', async () => {
  const world = await served();
  const { done } = await following(world, 'GET /v1/watch');
  await world.registry.stop('test');
  await done;
  await world.stop();
});

test('a change that the shared engine does not have is refused while it is slow, and said while it is away', async () => {
  const engine = new MemoryEngine();
  const { clock, registry, send, stop } = await served({ engine: engine.node() });
  const kept = await send(`PUT ${a}`, { json: anInstance() });
  assert.deepEqual([kept.status, kept.headers.get('flotilla-engine'), kept.json.unsynced], [200, undefined, undefined]);

  engine.pause();
  const slow = send(`PUT ${a}/status`, { json: { status: 'draining', incarnation: 2 } });
  await clock.advance(2_000);
  const refused = await slow;
  assert.deepEqual([refused.status, refused.json.code, refused.headers.get('retry-after')], [503, 'UNAVAILABLE', '1']);
  engine.resume();
  await registry.settled();
  assert.equal((await send(`PUT ${a}/status`, { json: { status: 'draining', incarnation: 2 } })).status, 200);

  engine.down();
  assert.equal((await send(`POST ${a}/renewal`)).headers.get('flotilla-engine'), undefined, 'a renewal is no change');
  const b = await send('PUT /v1/services/orders/instances/b', { json: anInstance({ id: 'b' }) });
  assert.deepEqual([b.status, b.headers.get('flotilla-engine'), b.json.unsynced], [200, 'unsynced', true]);
  const left = await send(`DELETE ${a}`);
  assert.deepEqual([left.status, left.headers.get('flotilla-engine')], [204, 'unsynced']);
  engine.up();
  await registry.settled();
  const again = await send('PUT /v1/services/orders/instances/b', { json: anInstance({ id: 'b' }) });
  assert.deepEqual([again.status, again.headers.get('flotilla-engine')], [200, undefined]);
  await stop();
});
