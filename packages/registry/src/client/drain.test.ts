import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InstanceStatus, nullLogger } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { awayMs } from '../server/audience.ts';
import { anInstance } from '../testing/instances.ts';
import { World } from '../testing/world.ts';

/** A registry that has been up for a while, an instance there, and as many callers as are asked for. */
async function fleet(callers: number, wrap?: Parameters<World['registry']>[1]) {
  const world = new World();
  const { registry } = await world.registry('registry', { warmingMs: 0, ...wrap });
  await world.clock.advance(awayMs);
  const owner = world.client();
  const registration = owner.registrar.register(anInstance());
  await registration.announced;
  const clients = Array.from({ length: callers }, () => world.client());
  const watches = clients.map((client) => world.watch(client, { service: 'orders' }));
  await settle();
  const statuses = (): (InstanceStatus | undefined)[] => watches.map(({ sets }) => sets.at(-1)?.instances[0]?.status);
  return { world, registry, registration, clients, watches, statuses };
}

test('an instance that drains learns at once that its callers know, without any time passing', async () => {
  const { world, registration, statuses, registry } = await fleet(20);
  const before = world.clock.now();
  await registration.setStatus('draining');
  assert.equal(await registration.noticed?.(5_000), true);
  assert.deepEqual(new Set(statuses()), new Set(['draining']));
  assert.equal(world.clock.now(), before);
  assert.equal(registry.audience.size, 20);
  await world.end();
});

test('a caller that follows nothing of it is not waited for', async () => {
  const { world, registration, clients } = await fleet(1);
  world.watch(clients[0] as ReturnType<World['client']>, { service: 'users' });
  await settle();
  await registration.setStatus('draining');
  assert.equal(await registration.noticed?.(0), true);
  await world.end();
});

test('a caller that does not read holds it up for no longer than the limit', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', { warmingMs: 0 });
  await world.clock.advance(awayMs);
  registry.audience.enter({ who: 'anybody', target: { service: 'orders' }, part: 'caller' }, undefined);
  const registration = world.client().registrar.register(anInstance());
  await registration.announced;
  await registration.setStatus('draining');
  let noticed: boolean | undefined;
  void registration.noticed?.(5_000).then((answer) => {
    noticed = answer;
  });
  await world.clock.advance(4_999);
  assert.equal(noticed, undefined);
  await world.clock.advance(1);
  assert.equal(noticed, false);
  await world.end();
});

test('a limit longer than the registry waits is waited for in turns', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', { warmingMs: 0 });
  await world.clock.advance(awayMs);
  const reader = registry.audience.enter({ who: 'anybody', target: undefined, part: 'caller' }, undefined);
  const registration = world.client().registrar.register(anInstance());
  await registration.setStatus('draining');
  let noticed: boolean | undefined;
  void registration.noticed?.(300_000).then((answer) => {
    noticed = answer;
  });
  await world.clock.advance(200_000);
  assert.equal(noticed, undefined);
  registry.audience.acknowledge(reader.id, 'anybody', registry.cursor.revision);
  await settle();
  assert.equal(noticed, true);
  await world.end();
});

test('a caller that closes says so, and is not waited for', async () => {
  const { world, registration, clients, registry } = await fleet(2);
  await clients[0]?.close();
  await settle();
  assert.equal(registry.audience.size, 1);
  await registration.setStatus('draining');
  assert.equal(await registration.noticed?.(0), true);
  await world.end();
});

test('a caller whose connection broke comes back as the same watch, and then knows', async () => {
  const { world, registration, registry } = await fleet(1);
  registry.endWatches(() => false);
  await settle();
  await registration.setStatus('draining');
  let noticed: boolean | undefined;
  void registration.noticed?.(60_000).then((answer) => {
    noticed = answer;
  });
  await settle();
  assert.equal(noticed, undefined);
  await world.clock.advance(1_000);
  assert.deepEqual([noticed, registry.audience.size], [true, 1]);
  await world.end();
});

test('a registry that is gone, or has none of this, tells nothing', async () => {
  const { world, registration } = await fleet(0, {
    wrap: (handler) => (request, call) => {
      if (!request.path.text.endsWith('/notice')) return handler(request, call);
      return handler({ ...request, path: { text: '/none', segments: ['none'] } }, call);
    },
  });
  assert.equal(await registration.noticed?.(5_000), false);
  await registration.deregister();
  assert.equal(await registration.noticed?.(5_000), false);
  await world.end();
  const nowhere = world.client(['http://nowhere:1'], { logger: nullLogger }).registrar.register(anInstance());
  assert.equal(await nowhere.noticed?.(5_000), false);
});

test('changes come as patches, and instances are whole', async () => {
  const { world, registration, watches, registry } = await fleet(1);
  registry.setOverride({ service: 'orders', id: 'a' }, 'out-of-service');
  await settle();
  const seen = (): unknown => watches[0]?.sets.at(-1)?.instances[0];
  assert.deepEqual(seen(), registry.get({ service: 'orders', id: 'a' })?.instance);
  registry.setOverride({ service: 'orders', id: 'a' }, undefined);
  await registration.setWeight(3);
  await settle();
  assert.deepEqual(seen(), registry.get({ service: 'orders', id: 'a' })?.instance);
  await world.end();
});
