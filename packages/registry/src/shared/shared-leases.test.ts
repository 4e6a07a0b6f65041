import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { MemoryEngine } from '../engines/memory-engine.ts';
import { createRegistry, type Registry, type RegistryOptions } from '../server/registry.ts';
import { anInstance } from '../testing/instances.ts';
import { type RecordedLine, recordingLogger } from '../testing/recording-logger.ts';
import type { LeaseEngine } from './engine.ts';

/** Registry nodes in front of one engine, under a clock that a test moves. */
class Cluster {
  readonly clock = new ManualClock();
  readonly engine = new MemoryEngine();
  readonly lines: RecordedLine[] = [];
  /** The nodes' engines, in the order of their start. */
  readonly ways: LeaseEngine[] = [];
  #seed = 1;

  async node(options: Partial<RegistryOptions> = {}): Promise<Registry> {
    const random = seededRandom(this.#seed++);
    const logger = recordingLogger(this.lines);
    const engine = this.engine.node();
    this.ways.push(engine);
    const registry = createRegistry({ clock: this.clock, random, engine, logger, ...options });
    await registry.start();
    await this.told();
    return registry;
  }

  async nodes(count: number): Promise<[Registry, Registry, ...Registry[]]> {
    const made: Registry[] = [];
    for (let i = 0; i < count; i++) made.push(await this.node());
    return made as [Registry, Registry, ...Registry[]];
  }

  /** Everything that is on its way has arrived; no time goes by. */
  async told(): Promise<void> {
    for (let i = 0; i < 20; i++) await settle();
  }

  /** Time goes by in steps of a second, in each of which these instances are renewed at that node. */
  async pass(seconds: number, renewing: readonly [Registry, Instance][] = []): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      for (const [registry, { id }] of renewing) registry.renew({ service: 'orders', id });
      await this.clock.advance(1_000);
      await this.told();
    }
  }

  messages(level: RecordedLine['level']): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

const orders = (id: string) => ({ service: 'orders', id });
const ids = (registry: Registry) => Array.from(registry.list(), ({ instance }) => instance.id).sort();
const many = (count: number, parts: Partial<Instance> = {}) =>
  Array.from({ length: count }, (_, i) => anInstance({ id: `i${i}`, ...parts }));

test('what one node is told, all list, and it is in the engine before it is acknowledged', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  a.register(anInstance());
  assert.equal(cluster.engine.records.size, 0);
  await a.settled();
  assert.equal(cluster.engine.records.size, 1);
  await cluster.told();
  assert.deepEqual(ids(b), ['a']);
  b.setStatus(orders('a'), 'draining');
  a.setOverride(orders('a'), 'out-of-service');
  await Promise.all([a.settled(), b.settled()]);
  await cluster.told();
  for (const node of [a, b]) {
    assert.equal(node.get(orders('a'))?.instance.status, 'draining', 'both words count');
    assert.equal(node.get(orders('a'))?.instance.override, 'out-of-service');
  }
  b.deregister(orders('a'));
  await b.settled();
  await cluster.told();
  assert.deepEqual(ids(a), []);
  assert.equal(a.register(anInstance()).outcome, 'stale', 'the tombstone is everywhere');
});

test('a word that an operator takes back at one node lets all nodes await the owner', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  a.register(anInstance({ id: 'a' }));
  a.setOverride(orders('a'), 'out-of-service');
  await cluster.told();
  b.setOverride(orders('a'), undefined);
  await cluster.told();
  for (const node of [a, b]) {
    const lease = node.get(orders('a'));
    assert.ok(lease && node.awaitsOwner(lease));
  }
  a.register(anInstance({ id: 'a', incarnation: anInstance().incarnation + 1 }));
  await cluster.told();
  for (const node of [a, b]) {
    const lease = node.get(orders('a'));
    assert.ok(lease && !node.awaitsOwner(lease));
    await node.stop('test');
  }
});

test('a watcher of one node sees what another was told', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  const watcher = b.watch({ service: 'orders' });
  watcher.take();
  a.register(anInstance());
  await cluster.told();
  a.renew(orders('a'));
  a.register(anInstance());
  await cluster.pass(2);
  a.setStatus(orders('a'), 'draining');
  await cluster.told();
  const seen = watcher.take()?.map((event) => event.kind === 'change' && event.change.reason);
  assert.deepEqual(seen, ['registered', 'updated'], 'and nothing for signs of life');
});

test('renewals at any node keep a lease at all; without them one node evicts for all', async () => {
  const cluster = new Cluster();
  const [a, b, c] = (await cluster.nodes(3)) as [Registry, Registry, Registry];
  const [kept, lost] = [anInstance({ id: 'kept' }), anInstance({ id: 'lost' })];
  a.register(kept);
  a.register(lost);
  await cluster.told();
  assert.deepEqual(
    [a, b, c].map((node) => node.engine?.evicts),
    [true, false, false],
  );
  const revision = b.cursor.revision;
  await cluster.pass(91, [[b, kept]]);
  assert.deepEqual(
    [ids(a), ids(b), ids(c)],
    [
      ['kept', 'lost'],
      ['kept', 'lost'],
      ['kept', 'lost'],
    ],
    'two seconds of grace',
  );
  await cluster.pass(10, [[b, kept]]);
  assert.deepEqual([ids(a), ids(b), ids(c)], [['kept'], ['kept'], ['kept']]);
  assert.equal(b.cursor.revision, revision + 1, 'no renewal was a change');
});

test('a node that dies loses nothing, and another one evicts', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  const [one, two] = [anInstance({ id: '1' }), anInstance({ id: '2' })];
  a.register(one);
  a.register(two);
  await a.settled();
  cluster.engine.cut(cluster.ways[0] as LeaseEngine);
  await cluster.told();
  assert.equal(b.engine?.evicts, true);
  await cluster.pass(100, [[b, one]]);
  assert.deepEqual(ids(b), ['1']);
});

test('a node that starts has everything before it answers', async () => {
  const cluster = new Cluster();
  const [a] = await cluster.nodes(2);
  for (const instance of many(20)) a.register(instance);
  a.register(anInstance({ id: 'gone' }));
  a.deregister(orders('gone'));
  await a.settled();
  const late = await cluster.node();
  assert.equal(late.size, 20);
  assert.equal(late.warming, false);
  assert.equal(late.register(anInstance({ id: 'gone' })).outcome, 'stale');
});

test('of two nodes that are told different things at once, the higher incarnation wins at both', async () => {
  for (const [first, second] of [
    [5, 6],
    [6, 5],
  ] as const) {
    const cluster = new Cluster();
    const [a, b] = await cluster.nodes(2);
    a.register(anInstance({ incarnation: first, zone: `of ${first}` }));
    b.register(anInstance({ incarnation: second, zone: `of ${second}` }));
    await Promise.all([a.settled(), b.settled()]);
    await cluster.told();
    assert.deepEqual(
      [a, b].map((node) => node.get(orders('a'))?.instance.zone),
      ['of 6', 'of 6'],
    );
  }
});

test('a farewell and a later life that cross each other: the later life stays', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  a.register(anInstance({ incarnation: 1 }));
  await a.settled();
  await cluster.told();
  a.deregister(orders('a'));
  b.register(anInstance({ incarnation: 2 }));
  await Promise.all([a.settled(), b.settled()]);
  await cluster.told();
  assert.deepEqual(
    [a, b].map((node) => node.get(orders('a'))?.instance.incarnation),
    [2, 2],
  );
});

test('a farewell that reaches a node before the registration does, ends it all the same', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  a.register(anInstance({ incarnation: 3 }));
  assert.equal(b.deregister(orders('a'), 3).outcome, 'unknown');
  await cluster.told();
  assert.deepEqual([ids(a), ids(b)], [[], []]);
  assert.match([...cluster.engine.records.values()][0]?.text ?? '', /"gone"/);
});

test('a write whose answer got lost is found to be there, and not made twice', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  let lost = 1;
  cluster.engine.fate = () => (lost-- > 0 ? 'done, answer lost' : 'done');
  a.register(anInstance());
  const settled = a.settled();
  await cluster.pass(2);
  await settled;
  assert.equal(a.engine?.unsynced, 0);
  assert.deepEqual(ids(b), ['a']);
  a.setStatus(orders('a'), 'down');
  await a.settled();
  await cluster.told();
  assert.equal(b.get(orders('a'))?.instance.status, 'down');
});

test('what the engine does not take in two seconds is refused, not acknowledged; it is written when it can be', async () => {
  const cluster = new Cluster();
  const [a] = await cluster.nodes(1);
  cluster.engine.fate = (key) => (key === 'orders\na' ? 'refused' : 'done');
  a.register(anInstance());
  let refused: unknown;
  const settled = a.settled(orders('a')).catch((error) => {
    refused = error;
  });
  a.register(anInstance({ id: 'other' }));
  await a.settled(orders('other')); // one that cannot be written holds up nobody else
  await cluster.clock.advance(1_999);
  assert.equal(refused, undefined);
  await cluster.clock.advance(1);
  await settled;
  assert.match(String(refused), /UNAVAILABLE: memory did not take it in within 2000 ms/);
  assert.equal(a.engine?.unsynced, 1);
  cluster.engine.fate = () => 'done';
  await cluster.pass(10);
  assert.equal(a.engine?.unsynced, 0);
  assert.equal(a.isUnsynced(orders('a')), false);
});

test('without the engine the last known state is served, said, and nobody evicted; afterwards all is merged', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  for (const instance of many(10)) a.register(instance);
  await a.settled();
  await cluster.told();
  cluster.engine.down();
  await cluster.told();
  assert.equal(a.engine?.state, 'away');
  assert.match(a.engine?.reason ?? '', /the engine is down/);
  await cluster.pass(300);
  assert.equal(a.size, 10, 'five minutes of silence, and nobody goes');
  a.register(anInstance({ id: 'newcomer' }));
  await a.settled(orders('newcomer'));
  assert.equal(a.isUnsynced(orders('newcomer')), true, 'and that is said');
  a.deregister(orders('i0'));
  b.setOverride(orders('i1'), 'out-of-service');
  assert.equal(a.engine?.unsynced, 2);
  assert.throws(() => a.evictLapsed('orders'), { code: 'UNAVAILABLE', message: /nobody is evicted while/ });
  cluster.engine.up();
  await cluster.told();
  const expected = ['i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7', 'i8', 'i9', 'newcomer'];
  for (const node of [a, b]) {
    assert.deepEqual(ids(node), expected);
    assert.equal(node.get(orders('i1'))?.instance.override, 'out-of-service');
    assert.equal(node.engine?.unsynced, 0);
  }
  await cluster.pass(91);
  assert.equal(a.size, 10, 'every lease had a full term');
  const away = cluster.messages('error').filter((message) => /cannot reach its engine/.test(message));
  assert.equal(away.length, 2, 'said once by each node');
});

test('30 % silent at once: all nodes judge alike, nobody goes beyond the share; then they come back', async () => {
  const cluster = new Cluster();
  const nodes = await cluster.nodes(3);
  const instances = many(20);
  for (const [i, instance] of instances.entries()) nodes[i % 3]?.register(instance);
  await cluster.told();
  const alive = instances.slice(6).map((instance, i): [Registry, Instance] => [nodes[i % 3] as Registry, instance]);
  await cluster.pass(120, alive);
  for (const node of nodes) {
    assert.equal(node.size, 17, '15 % of 20 may go');
    assert.equal([...node.services()].filter(({ preservation }) => preservation).length, 1);
  }
  // What went comes back by registering anew, what stayed by renewing.
  for (const instance of instances.slice(0, 6)) nodes[1].register(instance);
  await cluster.pass(
    100,
    instances.map((instance) => [nodes[1], instance]),
  );
  for (const node of nodes) {
    assert.equal(node.size, 20);
    assert.equal([...node.services()].filter(({ preservation }) => preservation).length, 0);
  }
});

test('an operator ends a pause of eviction at any node, for all', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  const instances = many(10);
  for (const instance of instances) a.register(instance);
  await cluster.told();
  await cluster.pass(
    120,
    instances.slice(5).map((instance) => [a, instance]),
  );
  assert.equal(b.size, 8);
  assert.equal(b.evictLapsed('orders'), 3);
  await cluster.told();
  assert.deepEqual([a.size, b.size], [5, 5]);
});

test('evicted by the others while only a node that was cut off heard it: it is listed again once that is back', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  const [heard, silent] = [anInstance({ id: 'heard' }), anInstance({ id: 'silent' })];
  a.register(heard);
  a.register(silent);
  await a.settled();
  await cluster.told();
  cluster.engine.cut(cluster.ways[0] as LeaseEngine);
  await cluster.pass(100, [[a, heard]]);
  assert.deepEqual([ids(a), ids(b)], [['heard', 'silent'], []]);
  cluster.engine.heal(cluster.ways[0] as LeaseEngine);
  await cluster.told();
  assert.deepEqual([ids(a), ids(b)], [['heard'], ['heard']]);
});

test('an engine that came back empty: what lives is written again, and no caller saw an empty list', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  const [alive, dead] = [anInstance({ id: 'alive' }), anInstance({ id: 'dead' })];
  a.register(alive);
  a.register(dead);
  await a.settled();
  cluster.engine.down();
  cluster.engine.wipe();
  cluster.engine.up();
  await cluster.told();
  assert.deepEqual(ids(b), ['alive', 'dead']);
  await cluster.pass(100, [[b, alive]]);
  assert.deepEqual([ids(a), ids(b)], [['alive'], ['alive']]);
  assert.equal(cluster.engine.records.size, 1);
});

test('a whole reading anew, as after a compaction, changes nothing', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  for (const instance of many(10)) a.register(instance);
  await a.settled();
  await cluster.told();
  const { revision } = b.cursor;
  cluster.engine.heal(cluster.ways[1] as LeaseEngine);
  await cluster.told();
  assert.equal(b.cursor.revision, revision);
  assert.equal(b.engine?.state, 'together');
});

test('tombstones leave the engine once no node needs them', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  a.register(anInstance());
  await a.settled();
  await cluster.told();
  a.deregister(orders('a'));
  await a.settled();
  await cluster.pass(260);
  assert.equal(cluster.engine.records.size, 1);
  await cluster.pass(30);
  assert.equal(cluster.engine.records.size, 0);
  assert.equal(b.register(anInstance()).outcome, 'registered');
});

test('a record that this program does not understand is left alone and said once', async () => {
  const cluster = new Cluster();
  const foreign = cluster.engine.node();
  foreign.start('x', { listing() {}, listed() {}, back() {}, changed() {}, heard() {}, members() {}, away() {} });
  await cluster.told();
  const texts = ['{"v":2}', 'no json', '{"v":1,"alive":true,"lease":{},"instance":{"id":"\\u0000"}}', '[[[[', ''];
  for (const [i, text] of texts.entries()) await foreign.write(`orders\n${i}`, text, 0);
  const a = await cluster.node();
  await cluster.told();
  assert.equal(a.size, 0);
  assert.equal(cluster.messages('warn').filter((message) => /left alone/.test(message)).length, texts.length);
  assert.deepEqual(
    [...cluster.engine.records.values()].map(({ text }) => text),
    texts,
  );
});

test('without the engine a start goes on after ten seconds, and is one with the others later', async () => {
  const cluster = new Cluster();
  cluster.engine.down();
  const starting = cluster.node();
  await cluster.clock.advance(10_000);
  const a = await starting;
  assert.equal(a.engine?.state, 'away');
  assert.equal(a.warming, true);
  a.register(anInstance());
  cluster.engine.up();
  await cluster.told();
  assert.equal(cluster.engine.records.size, 1);
});

test('a node that stops writes what it has, and leaves the eviction to others at once', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  a.register(anInstance());
  await a.stop('test');
  await cluster.told();
  assert.deepEqual(ids(b), ['a']);
  assert.equal(b.engine?.evicts, true);
});

test('an eviction whose answer comes late does not drop who registered since', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  const instance = anInstance();
  a.register(instance);
  await a.settled();
  await cluster.told();
  const answer = cluster.engine.holdAnswer();
  await cluster.pass(95);
  assert.deepEqual([ids(a), ids(b)], [[], []], 'the eviction came back as a change before its answer');
  a.register({ ...instance, zone: 'back' });
  await a.settled();
  answer();
  await cluster.told();
  for (const node of [a, b]) assert.equal(node.get(orders('a'))?.instance.zone, 'back');
});

test('while the engine is slow to answer evictions, no more go than may', async () => {
  const cluster = new Cluster();
  const [a, b] = await cluster.nodes(2);
  const instances = many(20);
  for (const instance of instances) {
    a.register(instance);
    await cluster.pass(0);
    await cluster.clock.advance(200); // they lapse one after the other, each in a sweep of its own
  }
  await cluster.told();
  const alive = instances.slice(6).map((instance): [Registry, Instance] => [a, instance]);
  await cluster.pass(85, alive);
  cluster.engine.pause();
  await cluster.pass(8, alive);
  cluster.engine.resume();
  await cluster.pass(20, alive);
  assert.equal(a.size, b.size);
  assert.ok(a.size >= 17 && a.size < 20, `15 % of 20 may go, ${20 - a.size} went`);
});
