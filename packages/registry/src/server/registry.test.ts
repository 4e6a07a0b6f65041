import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { memoryStore } from '../engines/memory-store.ts';
import { anInstance } from '../testing/instances.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { createRegistry, type Registry, type RegistryOptions } from './registry.ts';
import type { RegistryStore } from './store.ts';

const a = { service: 'orders', id: 'a' };
const ids = (registry: Registry) => Array.from(registry.list(), ({ instance }) => instance.id).sort();

async function started(options: Partial<RegistryOptions> = {}) {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const registry = createRegistry({ clock, random: seededRandom(1), logger, ...options });
  await registry.start();
  return { clock: (options.clock as ManualClock) ?? clock, logger, registry };
}

test('an instance is evicted at the exact end of its lease, whatever else happens', async () => {
  const { clock, registry } = await started();
  await clock.advance(1_234);
  registry.register(anInstance());
  await clock.advance(89_999);
  assert.deepEqual(ids(registry), ['a']);
  await clock.advance(1);
  assert.deepEqual(ids(registry), []);
  await registry.stop('test');
  assert.equal(clock.pendingTimers, 0);
});

test('an instance that renews stays for hours', async () => {
  const { clock, registry } = await started();
  registry.register(anInstance());
  for (let i = 0; i < 480; i++) {
    await clock.advance(30_000);
    assert.equal(registry.renew(a).outcome, 'known');
  }
  assert.deepEqual(ids(registry), ['a']);
  await registry.stop('test');
});

test('a registry that comes up empty warms up for one lease duration, and tells its watchers when it is over', async () => {
  const { clock, registry } = await started();
  assert.equal(registry.warming, true);
  const watcher = registry.watch(undefined);
  assert.deepEqual(watcher.take(), [{ kind: 'snapshot' }]);
  await clock.advance(89_999);
  assert.equal(registry.warming, true);
  assert.deepEqual(watcher.take(), []);
  await clock.advance(1);
  assert.equal(registry.warming, false);
  assert.deepEqual(watcher.take(), [{ kind: 'snapshot' }]);
  await registry.stop('test');
});

test('a cursor from the warming does not resume: its owner would never learn that it is over', async () => {
  const { clock, registry } = await started();
  registry.register(anInstance());
  const cursor = `${registry.epoch}:1`;
  assert.deepEqual(registry.watch(undefined, cursor).take(), []);
  registry.renew(a);
  await clock.advance(89_000);
  registry.renew(a);
  await clock.advance(1_000);
  assert.deepEqual(registry.watch(undefined, cursor).take(), [{ kind: 'snapshot' }]);
  await registry.stop('test');
});

test('a state that was saved is served after a restart, with fresh leases, without warming', async () => {
  const store = memoryStore();
  const first = await started({ store });
  first.registry.register(anInstance());
  await first.clock.advance(80_000);
  await first.registry.stop('test');

  const second = await started({ store, clock: first.clock, random: seededRandom(2) });
  assert.equal(second.registry.warming, false);
  assert.notEqual(second.registry.epoch, first.registry.epoch);
  await second.clock.advance(89_999);
  assert.deepEqual(ids(second.registry), ['a']);
  await second.clock.advance(1);
  assert.deepEqual(ids(second.registry), []);
  await second.registry.stop('test');
});

test('each change is in the store at once, a renewal is none; the whole state is saved later, and when it is worth it', async () => {
  const inner = memoryStore();
  const written = { changes: 0, saves: 0 };
  let crowded = false;
  const store: RegistryStore = {
    ...inner,
    append(change) {
      written.changes++;
      inner.append(change);
    },
    get crowded() {
      return crowded;
    },
    async save(draft) {
      written.saves++;
      crowded = false;
      await inner.save(draft);
    },
  };
  const { clock, registry } = await started({ store, saveDelayMs: 10_000 });
  for (let i = 0; i < 100; i++) registry.register(anInstance({ id: `i${i}` }));
  await registry.settled();
  assert.deepEqual(written, { changes: 100, saves: 0 });
  assert.equal((await inner.load())?.leases.length, 100);
  registry.renew({ service: 'orders', id: 'i1' });
  await clock.advance(9_999);
  assert.deepEqual(written, { changes: 100, saves: 0 });
  await clock.advance(1);
  assert.deepEqual(written, { changes: 100, saves: 1 });
  crowded = true;
  registry.deregister({ service: 'orders', id: 'i1' });
  await clock.advance(0);
  assert.deepEqual(written, { changes: 101, saves: 2 });
  await registry.stop('test');
  assert.equal(written.saves, 2, 'nothing was left to save');
});

test('settled waits for the store, for what was done before it, and for nothing while the store fails', async () => {
  let answer: PromiseWithResolvers<void> = Promise.withResolvers();
  const store: RegistryStore = { ...memoryStore(), flush: () => answer.promise };
  const { clock, logger, registry } = await started({ store });
  let settled = false;
  const note = () => {
    settled = true;
  };
  await registry.settled();
  registry.register(anInstance());
  void registry.settled().then(note);
  await settle();
  assert.equal(settled, false);
  answer.resolve();
  await settle();
  assert.equal(settled, true);
  answer = Promise.withResolvers();
  registry.register(anInstance({ id: 'b' }));
  const failing = registry.settled();
  answer.reject(new FlotillaError('STORE_FAILED', 'the disk is full'));
  await failing;
  registry.register(anInstance({ id: 'c' }));
  await registry.settled();
  assert.equal(registry.saving.failing?.reason, 'the disk is full');
  assert.equal(logger.lines.filter(({ level }) => level === 'error').length, 1);
  answer = Promise.withResolvers();
  answer.resolve();
  await clock.advance(5_000);
  assert.equal(registry.saving.failing, undefined, 'a whole save worked');
  await registry.stop('test');
});

test('a store that fails is said once, tried again, and does not stop the registry', async () => {
  let failing = true;
  const inner = memoryStore();
  const full = () => Promise.reject(new FlotillaError('STORE_FAILED', 'the disk is full'));
  const store: RegistryStore = {
    ...inner,
    flush: () => (failing ? full() : inner.flush()),
    save: (draft) => (failing ? full() : inner.save(draft)),
  };
  const { clock, logger, registry } = await started({ store });
  registry.register(anInstance());
  await clock.advance(21_000);
  registry.register(anInstance({ id: 'b' }));
  const said = () => logger.lines.filter(({ message }) => message.includes('save')).map(({ level }) => level);
  assert.deepEqual(said(), ['error']);
  failing = false;
  await clock.advance(5_000);
  assert.deepEqual(said(), ['error', 'info']);
  assert.equal((await inner.load())?.leases.length, 2);
  await registry.stop('test');
});

test('a registry whose store has lost changes calls its lists incomplete', async () => {
  const inner = memoryStore();
  const first = await started({ store: inner });
  first.registry.register(anInstance());
  await first.registry.stop('test');
  const store: RegistryStore = {
    ...inner,
    load: async () => {
      const state = await inner.load();
      return state && { ...state, incomplete: true };
    },
  };
  const { registry } = await started({ store });
  assert.deepEqual([ids(registry), registry.warming], [['a'], true]);
  await registry.stop('test');
});

test('a store that cannot be loaded stops the start', async () => {
  const store: RegistryStore = {
    ...memoryStore(),
    load: () => Promise.reject(new FlotillaError('STORE_FAILED', 'it is damaged')),
  };
  await assert.rejects(started({ store }), { code: 'STORE_FAILED' });
});

test('a slow watcher holds a bounded number of changes, then gets a snapshot for them all', async () => {
  const { registry, logger } = await started({ limits: { maxQueuedChanges: 10 } });
  const watcher = registry.watch({ service: 'orders' });
  watcher.take();
  for (let i = 0; i < 10; i++) registry.register(anInstance({ id: `i${i}` }));
  assert.equal(watcher.queued, 10);
  for (let i = 10; i < 1_000; i++) registry.register(anInstance({ id: `i${i}` }));
  assert.equal(watcher.queued, 0);
  assert.deepEqual(watcher.take(), [{ kind: 'snapshot' }]);
  assert.deepEqual(watcher.take(), []);
  assert.equal(logger.lines.filter(({ message }) => message.includes('slow watcher')).length, 1);
  await registry.stop('test');
});

test('a watcher that resumes from its cursor gets exactly what it missed; one from elsewhere a snapshot', async () => {
  const { registry } = await started({ limits: { maxChanges: 5 } });
  for (let i = 0; i < 8; i++) registry.register(anInstance({ id: `i${i}` }));
  const kinds = (cursor?: string) =>
    registry
      .watch(undefined, cursor)
      .take()
      ?.map((event) => event.kind);
  assert.deepEqual(kinds(`${registry.epoch}:6`), ['change', 'change']);
  assert.deepEqual(kinds(`${registry.epoch}:8`), []);
  assert.deepEqual(kinds(`${registry.epoch}:2`), ['snapshot'], 'too old');
  assert.deepEqual(kinds(`${registry.epoch}:9`), ['snapshot'], 'from the future');
  assert.deepEqual(kinds('other:6'), ['snapshot'], 'of another start');
  assert.deepEqual(kinds('nonsense'), ['snapshot']);
  assert.deepEqual(kinds(), ['snapshot']);
  await registry.stop('test');
});

test('only watchers whom a change may concern are woken', async () => {
  const { registry } = await started();
  const watchers = {
    all: registry.watch(undefined),
    orders: registry.watch({ service: 'orders' }),
    users: registry.watch({ service: 'users' }),
    catalog: registry.watch({ contract: 'catalog' }),
  };
  for (const watcher of Object.values(watchers)) watcher.take();
  const contracts = [{ name: 'catalog', version: 1, hash: '' }];
  registry.register(anInstance({ contracts }));
  registry.register(anInstance({ incarnation: 2 }));
  registry.register(anInstance({ incarnation: 3 }));
  const queued = Object.fromEntries(Object.entries(watchers).map(([name, watcher]) => [name, watcher.queued]));
  assert.deepEqual(queued, { all: 3, orders: 3, users: 0, catalog: 2 });
  await registry.stop('test');
});

test('watchers are limited, and those who left make room', async () => {
  const { registry } = await started({ limits: { maxWatchers: 1 } });
  const watcher = registry.watch(undefined);
  assert.throws(() => registry.watch(undefined), { code: 'UNAVAILABLE', message: /limit of 1 watchers/ });
  watcher.close();
  registry.watch(undefined).close();
  await registry.stop('test');
});

test('stopping ends every watch; a registry that does not run refuses', async () => {
  const { registry } = await started();
  const watcher = registry.watch(undefined);
  watcher.take();
  const waiting = watcher.wait();
  await registry.stop('test');
  await waiting;
  assert.equal(watcher.take(), undefined);
  assert.throws(() => registry.register(anInstance()), { code: 'UNAVAILABLE' });
  assert.throws(() => registry.watch(undefined), { code: 'UNAVAILABLE' });
  await registry.stop('again');
  await assert.rejects(registry.start(), { code: 'START_FAILED' });
});

test('whose override is taken back owes a word of its own, until it registers or says its status', async () => {
  const { registry } = await started();
  const owes = () => {
    const lease = registry.get(a);
    return lease !== undefined && registry.awaitsOwner(lease);
  };
  const takeOutAndBack = () => {
    registry.setOverride(a, 'out-of-service');
    registry.renew(a);
    assert.equal(owes(), false);
    registry.setOverride(a, undefined, { replicated: true });
    registry.renew(a);
    assert.equal(owes(), true);
  };
  registry.register(anInstance());
  takeOutAndBack();
  registry.register(anInstance());
  assert.equal(owes(), false);
  takeOutAndBack();
  registry.setStatus(a, 'up');
  assert.equal(owes(), false);
  await registry.stop('test');
});

test('an override in a registration counts only for those who may override', async () => {
  const { registry } = await started();
  registry.register(anInstance({ override: 'out-of-service' }));
  assert.equal(registry.get(a)?.instance.override, undefined);
  registry.register(anInstance({ id: 'b', override: 'out-of-service' }), { acceptOverride: true });
  assert.equal(registry.get({ ...a, id: 'b' })?.instance.override, 'out-of-service');
  await registry.stop('test');
});

test('operations are told to whoever follows, renewals too; what found nobody is not', async () => {
  const { registry } = await started();
  const heard: string[] = [];
  const stop = registry.follow(({ kind, lease, replicated }) => {
    heard.push(`${kind} ${lease.instance.id}${replicated ? ' by a peer' : ''}`);
  });
  registry.register(anInstance());
  registry.renew(a, undefined, { replicated: true });
  registry.setStatus(a, 'draining');
  registry.setOverride(a, 'down');
  registry.deregister(a);
  registry.renew(a);
  assert.deepEqual(heard, ['registered a', 'renewed a by a peer', 'statusSet a', 'overrideSet a', 'deregistered a']);
  stop();
  registry.register(anInstance({ incarnation: 2 }));
  assert.equal(heard.length, 5);
  await registry.stop('test');
});

test('an incarnation from the future is clamped and logged', async () => {
  const { clock, registry, logger } = await started();
  registry.register(anInstance({ incarnation: clock.wallNow() + 3_600_000 }));
  assert.equal(registry.get(a)?.instance.incarnation, clock.wallNow());
  const line = logger.lines.find(({ level }) => level === 'warn');
  assert.match(line?.message ?? '', /incarnation from the future/);
  await registry.stop('test');
});

test('paused eviction is said once with its numbers, shown, and ended by an operator', async () => {
  const { clock, registry, logger } = await started();
  for (let i = 0; i < 20; i++) registry.register(anInstance({ id: `i${i}` }));
  await clock.advance(600_000);
  assert.equal(registry.size, 17);
  const lines = () => logger.lines.filter(({ message }) => message.startsWith('eviction'));
  assert.equal(lines().length, 1);
  assert.match(String(lines()[0]?.fields['reason']), /20 of 20 instances fell silent/);
  const [service] = [...registry.services()];
  assert.equal(service?.preservation?.lapsed, 17);
  assert.equal(registry.evictLapsed('orders'), 17);
  assert.equal(lines().length, 2);
  assert.equal(registry.size, 0);
  await registry.stop('test');
});

/** Time goes on between two looks at the clock, as it does. */
class FlowingClock extends ManualClock {
  #looks = 0;

  override now(): number {
    return super.now() + 0.01 * this.#looks++;
  }
}

test('a save that is due at once is planned, however little time goes on meanwhile', async () => {
  const clock = new FlowingClock();
  const store = memoryStore();
  const { registry } = await started({ clock, store, saveDelayMs: 0 });
  registry.register(anInstance());
  await clock.advance(100);
  assert.equal(registry.saving.failing, undefined);
  await registry.stop('test');
  assert.equal((await store.load())?.leases.length, 1);
});

/** A machine that sleeps: timers fire when it wakes up, later than they wanted. */
class SleepyClock extends ManualClock {
  #heldMs = 0;

  override now(): number {
    return super.now() + this.#heldMs;
  }

  sleepFor(ms: number): void {
    this.#heldMs += ms;
  }
}

test('after a pause of the registry itself nobody is evicted at once', async () => {
  const clock = new SleepyClock();
  const { registry, logger } = await started({ clock });
  registry.register(anInstance());
  registry.register(anInstance({ id: 'b' }));
  clock.sleepFor(300_000);
  await clock.advance(5_000);
  assert.deepEqual(ids(registry), ['a', 'b']);
  assert.equal(logger.lines.find(({ level }) => level === 'warn')?.message.includes('stood still'), true);
  registry.renew(a);
  await clock.advance(90_000);
  assert.deepEqual(ids(registry), [], 'the time is given back once');
  await registry.stop('test');
});

/** Time goes on while code runs, as everywhere but in most tests. */
class CreepingClock extends ManualClock {
  #crept = 0;

  override now(): number {
    this.#crept += 0.01;
    return super.now() + this.#crept;
  }
}

test('a save that is due at once is planned though time goes on meanwhile', async () => {
  const store: RegistryStore = { ...memoryStore(), crowded: true };
  const { clock, registry } = await started({ store, clock: new CreepingClock() });
  for (let i = 0; i < 10; i++) assert.equal(registry.register(anInstance({ id: `i${i}` })).outcome, 'registered');
  await clock.advance(1_000);
  await registry.stop('test');
});
