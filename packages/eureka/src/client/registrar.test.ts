import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anInstance, settle } from '@flotilla/core/testing';
import { HttpHeaders } from '@flotilla/http';
import { type Answered, type Asked, ClientWorld, watched } from '../testing/client-world.ts';

const instance = anInstance({ id: 'a:1', incarnation: 1_000 });

/** The line of each request, and of a registration the status and dirty timestamp in it. */
function shown({ line, json }: Asked): string {
  const { instance: document } = (json ?? {}) as { instance?: { status: string; lastDirtyTimestamp: string } };
  return document ? `${line} ${document.status} ${document.lastDirtyTimestamp}` : line;
}

const usual = ({ line }: Asked): Answered => (line.startsWith('POST') ? 204 : 200);

test('it registers at once, renews with its dirty timestamp, and leaves', async () => {
  const world = new ClientWorld();
  const { asked } = await world.scripted('eureka', usual);
  const registration = world.client('http://eureka:8761').registrar.register(instance);
  await registration.announced;
  await world.clock.advance(36_000);
  await registration.deregister();
  await world.clock.advance(600_000);
  assert.deepEqual(asked.map(shown), [
    'POST /eureka/apps/ORDERS UP 1000',
    'PUT /eureka/apps/ORDERS/a%3A1?status=UP&lastDirtyTimestamp=1000',
    'DELETE /eureka/apps/ORDERS/a%3A1',
  ]);
  await world.end();
});

test('who is forgotten registers at once, as newer than before', async () => {
  const world = new ClientWorld();
  const { asked } = await world.scripted('eureka', ({ line }) => (line.startsWith('PUT') ? 404 : 204));
  world.client('http://eureka:8761').registrar.register(instance);
  await world.clock.advance(36_000);
  const [, , again] = asked.map(shown);
  assert.match(again ?? '', /^POST \/eureka\/apps\/ORDERS UP \d+$/);
  assert.equal(Number(again?.split(' ').at(-1)) > 1_000, true);
  await world.end();
});

test('a status is said at once, two in a burst and then one every 15 s, the last one for sure', async () => {
  const world = new ClientWorld();
  const { asked } = await world.scripted('eureka', usual);
  const registration = world.client('http://eureka:8761').registrar.register(instance);
  await registration.announced;
  for (const status of ['down', 'up', 'down', 'up', 'down'] as const) await registration.setStatus(status);
  const posts = (): string[] =>
    asked.filter(({ line }) => line.startsWith('POST')).map((one) => shown(one).split(' ')[2] ?? '');
  assert.deepEqual(posts(), ['UP', 'DOWN', 'UP']);
  await world.clock.advance(15_000);
  assert.deepEqual(posts(), ['UP', 'DOWN', 'UP', 'DOWN']);
  await world.clock.advance(60_000);
  assert.equal(posts().length, 4);
  await world.end();
});

test('draining never waits: Java sees DOWN, we see draining', async () => {
  const world = new ClientWorld();
  const { registry } = await world.registry('eureka');
  const client = world.client('http://eureka:8761');
  const registration = client.registrar.register(instance);
  await registration.announced;
  for (const status of ['down', 'up', 'down', 'draining'] as const) await registration.setStatus(status);
  assert.equal(registry.find('orders', 'a:1')?.instance.status, 'draining');
  const orders = watched(client, 'orders');
  await settle();
  assert.equal(orders.sets.at(-1)?.instances[0]?.status, 'draining');
  await world.end();
  const scripted = new ClientWorld();
  const { asked } = await scripted.scripted('eureka', usual);
  const other = scripted.client('http://eureka:8761').registrar.register(instance);
  await other.announced;
  await other.setStatus('draining');
  assert.deepEqual(
    asked.map((one) => shown(one).split(' ')[2]),
    ['UP', 'DOWN'],
  );
  await scripted.end();
});

test('out of service is said apart: a Java server keeps UP over a re-registration', async () => {
  const world = new ClientWorld();
  const { asked } = await world.scripted('eureka', usual);
  const registration = world.client('http://eureka:8761').registrar.register(instance);
  await registration.announced;
  await registration.setStatus('out-of-service');
  await registration.setStatus('up');
  assert.deepEqual(
    asked.map(shown).filter((line) => line.includes('/status')),
    ['PUT /eureka/apps/ORDERS/a%3A1/status?value=OUT_OF_SERVICE', 'DELETE /eureka/apps/ORDERS/a%3A1/status?value=UP'],
  );
  await world.end();
});

test('out of service that a server does not take apart is said again: it is registered when both are', async () => {
  const world = new ClientWorld();
  let broken = true;
  const { asked } = await world.scripted('eureka', (one) =>
    broken && one.line.includes('/status') ? 500 : usual(one),
  );
  const registration = world.client('http://eureka:8761').registrar.register(instance);
  await registration.announced;
  await registration.setStatus('out-of-service');
  broken = false;
  await world.clock.advance(2_000);
  const said = asked.map((one) => shown(one)).filter((line) => line.includes('/status'));
  assert.ok(said.length >= 2, 'once in vain');
  assert.equal(asked.filter(({ line }) => line.startsWith('POST')).length, 3);
  await world.end();
});

test('a server that is not there is tried until it is, and nobody waits for it', async () => {
  const world = new ClientWorld();
  const registration = world.client('http://eureka:8761').registrar.register(instance);
  await registration.announced;
  const { registry } = await world.registry('eureka');
  await world.clock.advance(31_000);
  assert.equal(registry.size, 1);
  await world.end();
});

test('a refusal is said with the words of the server, once', async () => {
  const world = new ClientWorld();
  await world.scripted('eureka', ({ line }) =>
    line.startsWith('POST') ? { status: 400, headers: new HttpHeaders(), body: Buffer.from('Missing hostname') } : 404,
  );
  world.client('http://eureka:8761').registrar.register(instance);
  await world.clock.advance(300_000);
  assert.equal(world.messages.filter((message) => /refuses the registration/.test(message)).length, 1);
  await world.end();
});

test('leaving takes two seconds at most, whether anybody hears of it or not', async () => {
  const world = new ClientWorld();
  const registry = await world.registry('eureka');
  const registration = world.client('http://eureka:8761').registrar.register(instance);
  await registration.announced;
  await registry.stop();
  const left = registration.deregister();
  await world.clock.advance(2_000);
  await left;
  await world.end();
});
