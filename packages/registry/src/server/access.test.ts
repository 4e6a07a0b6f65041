import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Call, type FlotillaError } from '@flotilla/core';
import { aUser, basicOf, ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, pathFromText } from '@flotilla/http';
import { fileStore } from '../engines/file-store.ts';
import { anInstance } from '../testing/instances.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { Access, type AccessOptions } from './access.ts';
import { type AuditEntry, AuditTrail } from './audit.ts';
import { type ClientLimits, ClientMeter, networkOf } from './client-limits.ts';
import { guard } from './guard.ts';
import { createRegistry } from './registry.ts';
import { registryHandler } from './routes.ts';

const users = [
  aUser('orders', 'instance'),
  aUser('twin', 'instance', ['orders']),
  aUser('ops', 'operator'),
  aUser('console', 'reader'),
  aUser('peer-b', 'peer'),
];
const slow = (limits: Partial<ClientLimits>): ClientMeter => new ClientMeter(limits);

interface From {
  readonly as?: string;
  readonly password?: string;
  readonly address?: string;
  readonly json?: unknown;
}

async function door(options: Partial<AccessOptions> = {}) {
  const [clock, random, logger] = [new ManualClock(), seededRandom(3), recordingLogger()];
  const appended: AuditEntry[] = [];
  const audit = new AuditTrail({
    clock,
    logger,
    sink: { append: (entry) => appended.push(entry), close: async () => {} },
  });
  const access = new Access({ users, audit, ...options });
  const registry = createRegistry({ clock, random, audit });
  await registry.start();
  const handler = registryHandler(registry, { access });
  const send = async (line: string, { as, password, address = '10.0.0.7', json }: From = {}) => {
    const [method = '', target = ''] = line.split(' ');
    const [path = '', query = ''] = target.split('?');
    const headers = new HttpHeaders();
    if (as) headers.set('authorization', basicOf(as, password));
    if (json !== undefined) headers.set('content-type', 'application/json');
    const request: HttpRequest = {
      method,
      authority: 'registry',
      path: pathFromText(path),
      query,
      headers,
      body: json === undefined ? undefined : Buffer.from(JSON.stringify(json)),
      peer: { address, port: 1, encrypted: false },
    };
    const call = new Call({ clock, random });
    try {
      const { status, headers: answered, body } = await handler(request, call);
      const text = body instanceof Uint8Array ? Buffer.from(body).toString() : '';
      const retryAfter = answered.get('retry-after');
      return { status, retryAfter, json: text === '' ? undefined : JSON.parse(text), call };
    } catch (thrown) {
      const { httpStatus: status, detail, retryAfterMs = Number.NaN } = thrown as FlotillaError;
      return { status, retryAfter: String(Math.ceil(retryAfterMs / 1_000)), json: { detail }, call };
    }
  };
  return { clock, registry, send, audit, appended, logger };
}

const a = '/v1/services/orders/instances/a';

test('an instance is renewed, changed and ended by who registered it and by operators alone', async () => {
  const { registry, send } = await door();
  assert.equal((await send(`PUT ${a}`, { as: 'orders', json: anInstance() })).status, 200);
  assert.equal(registry.get({ service: 'orders', id: 'a' })?.owner, 'orders');
  const forbidden: readonly (readonly [string, unknown?])[] = [
    [`PUT ${a}`, anInstance({ incarnation: 9 })],
    [`POST ${a}/renewal`],
    [`PUT ${a}/status`, { status: 'down' }],
    [`DELETE ${a}`],
  ];
  for (const [line, json] of forbidden) {
    const answer = await send(line, { as: 'twin', ...(json ? { json } : undefined) });
    assert.equal(answer.status, 403, line);
    assert.match(answer.json.detail, /"twin" may not \w+ instance "a" of "orders": another user registered it/);
  }
  assert.equal(registry.get({ service: 'orders', id: 'a' })?.instance.incarnation, 1);
  for (const as of ['orders', 'ops']) {
    assert.equal((await send(`POST ${a}/renewal`, { as })).status, 204, as);
  }
  assert.equal((await send(`PUT ${a}`, { as: 'ops', json: anInstance({ incarnation: 2 }) })).status, 200);
  assert.equal(registry.get({ service: 'orders', id: 'a' })?.owner, 'orders', 'an operator does not take it over');
  assert.equal((await send(`DELETE ${a}`, { as: 'orders' })).status, 204);
});

test('whose an instance is outlives the process', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-owner-'));
  t.after(() => rm(folder, { recursive: true }));
  const [clock, random] = [new ManualClock(), seededRandom(1)];
  const by = { name: 'orders', role: 'instance' } as const;
  for (let start = 1; start <= 3; start++) {
    const registry = createRegistry({ clock, random, store: fileStore({ path: join(folder, 'state') }) });
    await registry.start();
    if (start === 1) registry.register(anInstance(), { by });
    await registry.settled();
    assert.equal(registry.get({ service: 'orders', id: 'a' })?.owner, 'orders', `start ${start}`);
    assert.throws(
      () => registry.deregister({ service: 'orders', id: 'a' }, undefined, { by: { ...by, name: 'twin' } }),
      {
        code: 'FORBIDDEN',
      },
    );
    await registry.stop('test');
  }
});

test('what nobody registered belongs to the first one that registers it', async () => {
  const { registry, send } = await door();
  registry.register(anInstance());
  assert.equal((await send(`POST ${a}/renewal`, { as: 'twin' })).status, 204);
  await send(`PUT ${a}`, { as: 'twin', json: anInstance() });
  assert.equal(registry.get({ service: 'orders', id: 'a' })?.owner, 'twin');
  registry.register(anInstance({ id: 'b' }), {
    by: { name: 'peer-b', role: 'peer' },
    owner: 'orders',
    replicated: true,
  });
  assert.equal(registry.get({ service: 'orders', id: 'b' })?.owner, 'orders', 'a peer says whose it is');
});

const rights: readonly (readonly [line: string, allowed: readonly string[], json?: unknown])[] = [
  ['GET /v1/instances', ['orders', 'ops', 'console', 'peer-b']],
  [`PUT ${a}`, ['orders', 'ops'], anInstance()],
  [`POST ${a}/renewal`, ['orders', 'ops']],
  [`PUT ${a}/override`, ['ops'], { status: 'out-of-service' }],
  [`DELETE ${a}/override`, ['ops']],
  ['POST /v1/services/orders/evictions', ['ops']],
  ['GET /v1/audit', ['ops']],
  ['PUT /v1/services/other/instances/x', ['ops'], anInstance({ id: 'x', service: 'other' })],
];
for (const [line, allowed, json] of rights) {
  test(`${line} is for ${allowed.join(', ')}; others are refused and written down`, async () => {
    const { registry, send, audit } = await door();
    registry.register(anInstance(), { owner: 'orders' });
    for (const { name } of users.filter((one) => one.name !== 'twin')) {
      const { status } = await send(line, { as: name, json });
      assert.equal(status < 300, allowed.includes(name), `${name}: ${status}`);
      if (status >= 300) assert.equal(status, 403);
    }
    assert.equal((await send(line, { json })).status, 401);
    const refused = audit.recent.filter(({ outcome }) => outcome === 'refused').map(({ who }) => who);
    const expected = ['orders', 'ops', 'console', 'peer-b'].filter((name) => !allowed.includes(name)).reverse();
    assert.deepEqual(refused, expected);
  });
}

test('what operators do is written down with who, from where, what, before and after', async () => {
  const { send, appended, clock } = await door();
  await send(`PUT ${a}`, { as: 'orders', json: anInstance() });
  await send(`PUT ${a}/override`, { as: 'ops', address: '10.0.0.9', json: { status: 'out-of-service' } });
  await send(`DELETE ${a}`, { as: 'ops' });
  await send('POST /v1/services/orders/evictions', { as: 'ops' });
  const [override, farewell, evictions] = appended;
  assert.deepEqual(override, {
    at: clock.wallNow(),
    who: 'ops',
    role: 'operator',
    address: '10.0.0.9',
    action: 'override',
    outcome: 'done',
    target: 'orders a',
    before: 'none',
    after: 'out-of-service',
  });
  assert.deepEqual([farewell?.action, farewell?.before], ['deregister', 'registered by orders']);
  assert.deepEqual([evictions?.action, evictions?.target], ['evict', 'orders']);
});

test('no secret reaches the log or the audit, and no line can be forged by what a stranger sends', async () => {
  const { send, appended, logger } = await door();
  await send(`GET ${a}`, { as: 'ops\r\n{"who":"forged"}\u2028', password: 'a guess of a password' });
  const written = JSON.stringify([appended, logger.lines]);
  assert.equal(appended.length, 1);
  assert.equal(written.includes('a guess of a password'), false);
  assert.match(appended[0]?.who ?? '', /claims to be "ops\\u000d\\u000a\{/);
  assert.doesNotMatch(appended[0]?.who ?? '', /[\p{Cc}\u2028]/u);
});

test('refusals without end are counted, not written', async () => {
  const { send, appended, clock } = await door({ meter: slow({ failedLogin: { perSecond: Infinity, burst: 1 } }) });
  for (let i = 0; i < 500; i++) await send('GET /v1/instances', { as: 'ops', password: `guess number ${i}` });
  assert.equal(appended.length, 20);
  await clock.advance(5_000);
  await send('GET /v1/instances', { as: 'ops', password: 'another guess' });
  assert.equal(appended.at(-1)?.unwritten, 480);
});

test('each kind of request has an allowance per client; beyond it: 429 with a time to come again', async () => {
  const meter = slow({ change: { perSecond: 1, burst: 2 }, renewal: { perSecond: 1, burst: 1 } });
  const { send, clock } = await door({ meter });
  const register = () => send(`PUT ${a}`, { as: 'orders', json: anInstance() });
  assert.deepEqual([(await register()).status, (await register()).status], [200, 200]);
  const refused = await register();
  assert.equal(refused.status, 429);
  assert.match(refused.retryAfter ?? '', /^[1-3]$/);
  assert.match(refused.json.detail, /too many registrations and changes: 1 a second and 2 at once/);
  assert.equal((await send(`POST ${a}/renewal`, { as: 'orders' })).status, 204, 'another kind');
  assert.equal((await send(`PUT ${a}`, { as: 'orders', address: '10.0.0.8', json: anInstance() })).status, 200);
  const ofPeer = anInstance({ id: 'p', service: 'peer-b' });
  for (let i = 0; i < 5; i++) {
    const { status } = await send('PUT /v1/services/peer-b/instances/p', { as: 'peer-b', json: ofPeer });
    assert.equal(status, 200, 'peers are bounded where they batch');
  }
  await clock.advance(1_000);
  assert.equal((await register()).status, 200);
});

test('guessing has a pace, and shuts out nobody who was right before', async () => {
  const { send, clock } = await door({ meter: slow({ failedLogin: { perSecond: 0.1, burst: 2 } }) });
  const read = (as: string, password?: string) => send('GET /v1/instances', { as, ...(password ? { password } : {}) });
  assert.equal((await read('orders')).status, 200);
  const guesses = [];
  for (let i = 0; i < 4; i++) guesses.push((await read('ops', `guess number ${i}`)).status);
  assert.deepEqual(guesses, [401, 401, 429, 429]);
  assert.equal((await read('ops')).status, 429, 'a right guess is not told apart');
  assert.equal((await read('orders')).status, 200, 'who was right from there before is served');
  assert.equal(
    (await send('GET /v1/instances', { as: 'ops', address: '10.0.0.8' })).status,
    200,
    'and who is elsewhere',
  );
  await clock.advance(10_000);
  assert.equal((await read('ops')).status, 200);
});

test('a herd that wants the whole list is sent away with different times to come again', async () => {
  const { registry, send } = await door({ meter: slow({ maxListBytes: 2_000 }) });
  for (const id of ['a', 'b']) registry.register(anInstance({ id }));
  const list = () => send('GET /v1/instances', { as: 'console' });
  const first = await list();
  assert.equal(first.status, 200, 'one is always served');
  const refused = await Promise.all(Array.from({ length: 200 }, list));
  assert.deepEqual([...new Set(refused.map(({ status }) => status))], [503]);
  assert.equal(new Set(refused.map(({ retryAfter }) => retryAfter)).size >= 8, true);
  assert.equal((await send('GET /v1/watch', { as: 'console' })).status, 503, 'a watch begins with the list');
  assert.equal((await send(`GET /v1/watch?cursor=${registry.epoch}:1`, { as: 'console' })).status, 200);
  assert.equal((await send('GET /v1/instances?service=orders', { as: 'console' })).status, 200);
  first.call.end();
  assert.equal((await list()).status, 200);
});

test('lists of everybody have an allowance of their own', async () => {
  const { send } = await door({ meter: slow({ list: { perSecond: 1, burst: 1 } }) });
  const list = (query = '') => send(`GET /v1/instances${query}`, { as: 'console' });
  assert.deepEqual([(await list()).status, (await list()).status], [200, 429]);
  assert.equal((await list('?service=orders')).status, 200);
});

test('a list that is refused because others are sent theirs uses up nothing; one above its allowance holds nobody up', async () => {
  const { registry, send } = await door({
    meter: slow({ maxListBytes: 2_000, list: { perSecond: 0.1, burst: 2 } }),
  });
  for (const id of ['a', 'b']) registry.register(anInstance({ id }));
  const list = (as: string) => send('GET /v1/instances', { as });
  const first = await list('console');
  for (let n = 0; n < 5; n++) assert.equal((await list('console')).status, 503);
  first.call.end();
  const second = await list('console');
  assert.equal(second.status, 200);
  second.call.end();
  assert.equal((await list('console')).status, 429);
  assert.equal((await list('ops')).status, 200);
});

test('a list that is compressed takes less of the bytes that may be on their way', () => {
  const meter = slow({ maxListBytes: 10_000 });
  const random = seededRandom(1);
  for (let n = 0; n < 10; n++) meter.enterList(10, random, 100);
  assert.throws(() => meter.enterList(10, random, 100), { code: 'UNAVAILABLE' });
  const other = slow({ maxListBytes: 10_000 });
  other.enterList(10, random);
  assert.throws(() => other.enterList(10, random), { code: 'UNAVAILABLE' });
});

test('a machine that talks to itself without users has no limits; open to others it has', async () => {
  const { send } = await door({ users: undefined, meter: slow({ read: { perSecond: 1, burst: 1 } }) });
  const read = (address: string) => send('GET /v1/services', { address });
  assert.deepEqual([(await read('127.0.0.1')).status, (await read('::1')).status], [200, 200]);
  assert.deepEqual([(await read('10.0.0.7')).status, (await read('10.0.0.7')).status], [200, 429]);
});

test('addresses of one IPv6 network are one client', () => {
  assert.equal(networkOf('2001:db8::1'), networkOf('2001:db8::ffff:2'));
  assert.notEqual(networkOf('2001:db8::1'), networkOf('2001:db8:0:1::1'));
  assert.equal(networkOf('::ffff:10.0.0.1'), networkOf('10.0.0.1'));
});

test('what a handler throws goes on to whoever asked', async () => {
  const handler = guard(new Access({ users: undefined }), () => Promise.reject(new TypeError('broken')));
  const [clock, random] = [new ManualClock(), seededRandom(1)];
  const request: HttpRequest = {
    method: 'GET',
    authority: 'r',
    path: pathFromText('/'),
    query: '',
    headers: new HttpHeaders(),
    body: undefined,
  };
  await assert.rejects(async () => handler(request, new Call({ clock, random })), TypeError);
});

test('the default limits', () => {
  assert.deepEqual(new ClientMeter().limits, {
    renewal: { perSecond: 2_000, burst: 10_000 },
    change: { perSecond: 100, burst: 2_000 },
    read: { perSecond: 500, burst: 5_000 },
    list: { perSecond: 20, burst: 500 },
    failedLogin: { perSecond: 0.2, burst: 10 },
    maxClients: 50_000,
    maxListBytes: 268_435_456,
  });
});
