import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { parseCursor } from '../cursor.ts';
import { memoryStore } from '../engines/memory-store.ts';
import { anInstance } from '../testing/instances.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { World } from '../testing/world.ts';
import { createRegistry } from './registry.ts';

const hour = 3_600_000;

async function started(clock: ManualClock, store = memoryStore()) {
  const logger = recordingLogger();
  const registry = createRegistry({ clock, random: seededRandom(3), store, logger });
  await registry.start();
  return {
    registry,
    messages: () => logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message),
  };
}

for (const jump of [5 * hour, -5 * hour]) {
  const direction = jump > 0 ? 'forward' : 'back';

  test(`the wall clock goes ${direction} by hours: nobody is evicted before the time, whoever is silent goes in time`, async () => {
    const clock = new ManualClock();
    const { registry } = await started(clock);
    for (const id of ['a', 'b', 'c']) registry.register(anInstance({ id, incarnation: clock.wallNow() }));
    await clock.advance(60_000);
    clock.jumpWall(jump);
    await clock.advance(29_000);
    assert.equal(registry.size, 3);
    registry.renew({ service: 'orders', id: 'a' });
    await clock.advance(89_999);
    assert.deepEqual(
      Array.from(registry.list(), ({ instance }) => instance.id),
      ['a'],
    );
    await registry.stop('test');
  });

  test(`the wall clock goes ${direction} by hours: cursors go on, what was seen is not sent again`, async () => {
    const clock = new ManualClock();
    const { registry } = await started(clock);
    registry.register(anInstance({ id: 'a' }));
    const { epoch, revision } = registry.cursor;
    clock.jumpWall(jump);
    registry.register(anInstance({ id: 'b' }));
    assert.deepEqual(registry.cursor, { epoch, revision: revision + 1 });
    const watcher = registry.watch(undefined, `${epoch}:${revision}`);
    assert.deepEqual(
      watcher.take()?.map((event) => event.kind === 'change' && event.change.id),
      ['b'],
    );
    await registry.stop('test');
  });

  test(`a registry that starts with a wall clock that went ${direction} by hours has another epoch, and lets everybody in`, async () => {
    const clock = new ManualClock();
    const store = memoryStore();
    const first = await started(clock, store);
    const incarnation = clock.wallNow();
    first.registry.register(anInstance({ id: 'left', incarnation }));
    first.registry.register(anInstance({ id: 'stays', incarnation }));
    first.registry.deregister({ service: 'orders', id: 'left' }, incarnation);
    await first.registry.stop('test');
    clock.jumpWall(jump);
    const { registry } = await started(clock, store);
    assert.notEqual(registry.epoch, first.registry.epoch);
    assert.ok(parseCursor(`${registry.epoch}:1`));
    // Hours later, or hours down: the two look the same, and a tombstone has ended by then.
    const late = registry.register(anInstance({ id: 'left', incarnation })).outcome;
    assert.equal(late, jump > 0 ? 'registered' : 'stale');
    assert.equal(registry.register(anInstance({ id: 'left', incarnation: incarnation + 1 })).outcome, 'registered');
    await clock.advance(90_000);
    assert.equal(registry.size, 0, 'leases last as long as ever');
    await clock.advance(300_000);
    assert.equal(
      registry.register(anInstance({ id: 'left', incarnation })).outcome,
      'registered',
      'and tombstones too',
    );
    await registry.stop('test');
  });

  test(`an owner is heard when the registry's wall clock goes ${direction} by hours: draining, leaving, coming again`, async () => {
    const clock = new ManualClock();
    const { registry } = await started(clock);
    const key = { service: 'orders', id: 'a' };
    const now = clock.wallNow();
    registry.register(anInstance({ id: 'a', incarnation: now }));
    clock.jumpWall(jump);
    registry.setStatus(key, 'draining', now + 1_000);
    assert.equal(registry.get(key)?.instance.status, 'draining');
    registry.register(anInstance({ id: 'a', incarnation: now + 2_000 }));
    assert.equal(registry.get(key)?.instance.status, 'up');
    assert.equal(registry.deregister(key, now + 2_000).outcome, 'known');
    assert.equal(registry.size, 0);
    assert.equal(registry.register(anInstance({ id: 'a', incarnation: now + 3_000 })).outcome, 'registered');
    await registry.stop('test');
  });
}

test('a wall clock that went on while the monotonic one stood still, as in a suspend: every lease gets a full term', async () => {
  const clock = new ManualClock();
  const { registry, messages } = await started(clock);
  registry.register(anInstance());
  await clock.advance(89_000);
  clock.jumpWall(hour);
  await clock.advance(1_000);
  assert.equal(registry.size, 1, 'its owner could not be heard');
  assert.deepEqual(messages(), ['the wall clock jumped, as after a suspend; every lease has a full term from now on']);
  await clock.advance(89_999);
  assert.equal(registry.size, 1);
  await clock.advance(1);
  assert.equal(registry.size, 0);
  await registry.stop('test');
});

test('a registry and a client of which one has a clock that is hours behind agree on who is newer', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', { clock: world.clock });
  const client = world.client();
  const registration = client.registrar.register(anInstance({ incarnation: world.clock.wallNow() + 5 * hour }));
  await settle();
  await registration.setStatus('draining');
  await settle();
  assert.equal(registry.find('orders', 'a')?.instance.status, 'draining');
  await registration.deregister();
  assert.equal(registry.size, 0);
  await world.end();
});
