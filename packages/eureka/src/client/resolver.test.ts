import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Secret } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { HttpHeaders, type HttpResponse } from '@flotilla/http';
import { type Answered, type Asked, ClientWorld, watched } from '../testing/client-world.ts';
import { registration } from '../testing/served.ts';

const { instance: spring } = registration(1_000) as { instance: Record<string, unknown> };

function applications(ids: readonly string[], more: object = {}): object {
  const instance = ids.map((id) => ({ ...spring, instanceId: id }));
  const hashCode = ids.length === 0 ? '' : `UP_${ids.length}_`;
  return {
    applications: {
      versions__delta: '1',
      apps__hashcode: hashCode,
      application: [{ name: 'ORDER-SERVICE', instance }],
      ...more,
    },
  };
}

function response(status: number, fields: Record<string, string>, body?: Uint8Array): HttpResponse {
  return { status, headers: new HttpHeaders(Object.entries(fields)), body };
}

test('all is fetched once, then what changed, for everybody who watches', async () => {
  const world = new ClientWorld();
  const { registry, lines } = await world.registry('eureka');
  const register = (id: string, service = 'orders'): void => void registry.register({ ...anInstance(service), id });
  register('a');
  const client = world.client('http://eureka:8761/eureka');
  const [orders, users] = [watched(client, 'orders'), watched(client, 'users')];
  await settle();
  assert.deepEqual([orders.ids(), users.ids()], ['a', '']);
  register('b');
  register('u', 'users');
  registry.deregister({ service: 'orders', id: 'a' });
  await world.clock.advance(36_000);
  assert.deepEqual([orders.ids(), users.ids()], ['b', 'u']);
  assert.deepEqual(lines, ['GET /eureka/apps/', 'GET /eureka/apps/delta']);
  assert.equal(orders.sets.length, 2);
  await world.end();
});

test('a status, weight, zone and contracts of our own instances are seen behind Eureka; renewals are no news', async () => {
  const world = new ClientWorld();
  const { registry } = await world.registry('eureka');
  registry.register({
    ...anInstance('orders'),
    zone: 'a',
    weight: 0.5,
    contracts: [{ name: 'o', version: 2, hash: 'h' }],
  });
  const client = world.client('http://eureka:8761/eureka');
  const { sets } = watched(client, { contract: 'o' });
  await settle();
  registry.renew({ service: 'orders', id: 'a' });
  await world.clock.advance(36_000);
  assert.equal(sets.length, 1);
  registry.setStatus({ service: 'orders', id: 'a' }, 'draining');
  await world.clock.advance(36_000);
  const seen = sets.map(({ instances: [found] }) => [found?.status, found?.weight, found?.zone]);
  assert.deepEqual(seen, [
    ['up', 0.5, 'a'],
    ['draining', 0.5, 'a'],
  ]);
  await world.end();
});

test('when the hash codes differ everything is fetched, at once', async () => {
  const world = new ClientWorld();
  let ids = ['a', 'b'];
  const { asked } = await world.scripted('eureka', ({ line }) =>
    line.endsWith('/delta')
      ? { applications: { versions__delta: '2', apps__hashcode: `UP_${ids.length}_`, application: [] } }
      : applications(ids),
  );
  const orders = watched(world.client('http://eureka:8761'), 'order-service');
  await settle();
  ids = ['a', 'b', 'c']; // and no delta ever says so
  await world.clock.advance(36_000);
  assert.equal(orders.ids(), 'a,b,c');
  assert.deepEqual(
    asked.map(({ line }) => line),
    ['GET /eureka/apps/', 'GET /eureka/apps/delta', 'GET /eureka/apps/'],
  );
  await world.end();
});

for (const [what, answer] of [
  ['a server without deltas', 403],
  ['a server that knows no deltas', 404],
  ['a delta that cannot be read', response(200, {}, Buffer.from('<html>'))],
] as const) {
  test(`${what}: everything is fetched each time`, async () => {
    const world = new ClientWorld();
    let ids = ['a'];
    await world.scripted('eureka', ({ line }) => (line.endsWith('/delta') ? answer : applications(ids)));
    const orders = watched(world.client('http://eureka:8761'), 'order-service');
    await settle();
    ids = ['a', 'b'];
    await world.clock.advance(36_000);
    assert.equal(orders.ids(), 'a,b');
    await world.end();
  });
}

test('servers that are gone or answer nonsense change nothing: the last list stays', async () => {
  const world = new ClientWorld();
  let answer: (asked: Asked) => Answered = () => applications(['a', 'b']);
  await world.scripted('eureka', (asked) => answer(asked));
  const orders = watched(world.client('http://eureka:8761'), 'order-service');
  await settle();
  const nonsense: Answered[] = [
    500,
    503,
    404,
    response(200, { 'content-type': 'application/json' }, Buffer.from('{"applications":')),
    response(200, {}),
    response(200, { 'content-encoding': 'br' }, Buffer.from('x')),
    { applications: 7 },
  ];
  for (const broken of nonsense) {
    answer = () => broken;
    await world.clock.advance(90_000);
    assert.equal(orders.ids(), 'a,b');
  }
  answer = () => applications(['c']);
  await world.clock.advance(90_000);
  assert.equal(orders.ids(), 'c');
  assert.equal(world.messages.filter((message) => /cannot be read/.test(message)).length >= 1, true);
  await world.end();
});

test('who was known stays for a lease when the list is empty', async () => {
  const world = new ClientWorld();
  let ids = ['a', 'b'];
  const { asked } = await world.scripted('eureka', ({ line }) => (line.endsWith('/delta') ? 403 : applications(ids)));
  const orders = watched(world.client('http://eureka:8761'), 'order-service');
  await settle();
  ids = [];
  await world.clock.advance(36_000);
  assert.deepEqual([orders.ids(), asked.length], ['a,b', 3]);
  await world.clock.advance(89_000);
  assert.equal(orders.ids(), 'a,b');
  await world.clock.advance(37_000); // the next turn
  assert.equal(orders.ids(), '');
  await world.end();
});

test('before anything is known it is tried soon; afterwards with the next turn', async () => {
  const world = new ClientWorld();
  const orders = watched(world.client('http://eureka:8761'), 'order-service');
  await settle();
  const { asked } = await world.scripted('eureka', () => applications(['a']));
  await world.clock.advance(5_000);
  assert.equal(orders.ids(), 'a');
  assert.equal(asked.length, 1);
  await world.end();
});

test('another server is asked when one fails, and the one that answers is kept', async () => {
  const world = new ClientWorld();
  const first = await world.scripted('first', () => 500);
  const second = await world.scripted('second', ({ line }) => (line.endsWith('/delta') ? 404 : applications(['a'])));
  const orders = watched(world.client(['http://first:8761', 'http://second:8761']), 'order-service');
  await settle();
  assert.equal(orders.ids(), 'a');
  const before = first.asked.length;
  await world.clock.advance(300_000);
  assert.equal(first.asked.length, before);
  assert.equal(second.asked.length > 10, true);
  await world.end();
});

test('the servers of the own zone are asked; those of another when they are gone', async () => {
  const world = new ClientWorld();
  const near = await world.scripted('near', () => applications(['a']));
  const far = await world.scripted('far', () => applications(['a', 'b']));
  const urls = ['http://far:8761/eureka?zone=west', 'http://near:8761/eureka?zone=east'];
  const orders = watched(world.client(urls, { zone: 'east', delta: false }), 'order-service');
  await world.clock.advance(200_000);
  assert.deepEqual([orders.ids(), far.asked.length], ['a', 0]);
  await near.stop();
  await world.clock.advance(40_000);
  assert.equal(orders.ids(), 'a,b');
  await world.end();
});

test('a server is chosen anew after twenty minutes, give or take ten', async () => {
  const world = new ClientWorld();
  const one = await world.scripted('one', () => applications(['a']));
  const two = await world.scripted('two', () => applications(['a']));
  const orders = watched(world.client(['http://one:8761', 'http://two:8761'], { delta: false }), 'order-service');
  await world.clock.advance(590_000); // shorter than the shortest session
  assert.equal(Math.min(one.asked.length, two.asked.length), 0);
  for (let step = 0; step < 40; step++) await world.clock.advance(600_000);
  assert.equal(Math.min(one.asked.length, two.asked.length) > 10, true);
  assert.equal(orders.ids(), 'a');
  await world.end();
});

test('a redirection to another one of the servers is followed, with its credentials; elsewhere none is', async () => {
  const world = new ClientWorld();
  let location = 'http://b:8761/other/v2/apps/?x=1';
  await world.scripted('a', () => response(302, { location }));
  const b = await world.scripted('b', () => applications(['a']));
  const evil = await world.scripted('evil', () => applications(['x']));
  const urls = ['http://a:8761/eureka?zone=z', 'http://me:secret-password@b:8761/eureka'];
  const options = { zone: 'z', delta: false, sessionMs: 1 };
  const followed = watched(world.client(urls, options), 'order-service');
  await settle();
  assert.equal(followed.ids(), 'a');
  assert.deepEqual(
    b.asked.map(({ line, headers }) => [line, headers.get('authorization')]),
    [['GET /other/v2/apps/?x=1', `Basic ${Buffer.from('me:secret-password').toString('base64')}`]],
  );
  followed.close();
  location = 'http://evil:8761/eureka/apps/';
  const refused = watched(world.client(['http://a:8761'], options), 'order-service');
  await world.clock.advance(60_000);
  assert.deepEqual([refused.ids(), evil.asked.length], ['nothing', 0]);
  assert.equal(world.messages.filter((message) => /not in "registry"/.test(message)).length, 1);
  await world.end();
});

test('a redirection in a circle ends', async () => {
  const world = new ClientWorld();
  const { asked } = await world.scripted('a', () => response(302, { location: '/eureka/apps/' }));
  watched(world.client(['http://a:8761']), 'order-service');
  await settle();
  assert.equal(asked.length, 11);
  await world.end();
});

test('gzip is asked for and read, and a bomb is not', async () => {
  const world = new ClientWorld();
  let body: Buffer = gzipSync(JSON.stringify(applications(['a'])));
  const { asked } = await world.scripted('eureka', () => response(200, { 'content-encoding': 'gzip' }, body));
  const orders = watched(world.client('http://eureka:8761', { delta: false }), 'order-service');
  await until(() => orders.sets.length > 0);
  assert.deepEqual([asked[0]?.headers.get('accept-encoding'), orders.ids()], ['gzip', 'a']);
  body = gzipSync(Buffer.alloc(134_217_729));
  await world.clock.advance(36_000);
  await until(() => world.messages.some((message) => /no Eureka server can be reached/.test(message)));
  assert.equal(orders.ids(), 'a');
  body = Buffer.from('not gzip');
  await world.clock.advance(36_000);
  body = gzipSync(JSON.stringify(applications(['b'])));
  await untilMoved(world, () => orders.ids() === 'b');
  await world.end();
});

test('the short form is asked for where the configuration says so', async () => {
  const world = new ClientWorld();
  const { asked } = await world.scripted('eureka', () => applications(['a']));
  watched(world.client('http://eureka:8761/eureka?compact=true&pollEveryMs=1000'), 'order-service');
  await world.clock.advance(3_000);
  assert.equal(asked[0]?.headers.get('x-eureka-accept'), 'compact');
  assert.equal(asked.length >= 3, true);
  await world.end();
});

test('credentials are sent; wrong ones are said once, by server and user, without the password', async () => {
  const world = new ClientWorld();
  const password = new Secret('correct horse battery');
  const { registry } = await world.registry('eureka', [{ name: 'me', password, role: 'instance' }]);
  registry.register(anInstance('orders'));
  const good = watched(world.client('http://me:correct%20horse%20battery@eureka:8761'), 'orders');
  const bad = watched(world.client('http://me:wrong-password@eureka:8761'), 'orders');
  await world.clock.advance(100_000);
  assert.deepEqual([good.ids(), bad.ids()], ['a', 'nothing']);
  const refusals = world.messages.filter((message) => /refuses our credentials/.test(message));
  assert.equal(refusals.length, 1);
  assert.equal(
    world.messages.some((message) => message.includes('wrong-password')),
    false,
  );
  await world.end();
});

test('nobody watches: nothing is fetched; somebody does again: everything is', async () => {
  const world = new ClientWorld();
  const { asked } = await world.scripted('eureka', () => applications(['a']));
  const client = world.client('http://eureka:8761');
  const first = watched(client, 'order-service');
  await settle();
  first.close();
  await world.clock.advance(600_000);
  assert.equal(asked.length, 1);
  const second = watched(client, 'order-service');
  await settle();
  assert.deepEqual([second.ids(), asked.at(-1)?.line, asked.length], ['a', 'GET /eureka/apps/', 2]);
  assert.equal(first.sets.length, 1);
  await world.end();
});

function anInstance(
  service: string,
): Parameters<Awaited<ReturnType<ClientWorld['registry']>>['registry']['register']>[0] {
  return {
    id: 'a',
    identity: { namespace: 'default', group: 'default', service, version: '' },
    incarnation: 1,
    addresses: [{ protocol: 'http', host: '10.0.0.1', port: 8080 }],
    contracts: [],
    status: 'up',
    weight: 1,
    revision: 0,
    metadata: {},
    bags: {},
  };
}

/** As {@link until}, while the client waits for its next turn too. */
async function untilMoved(world: ClientWorld, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition() && performance.now() < deadline) {
    await world.clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(condition());
}

/** Inflating is the machine's affair, so it takes real time. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}
