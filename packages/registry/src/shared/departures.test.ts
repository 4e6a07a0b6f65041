import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { MemoryEngine } from '../engines/memory-engine.ts';
import type { Notice } from '../server/audience.ts';
import { createRegistry, type Registry } from '../server/registry.ts';
import { anInstance } from '../testing/instances.ts';
import { Departures } from './departures.ts';
import type { LeaseEngine } from './engine.ts';

const a = { service: 'orders', id: 'a' };
const random = seededRandom(1);

/** Three registries in front of one engine, for long enough that each knows its callers. */
async function fleet(count = 3) {
  const clock = new ManualClock();
  const engine = new MemoryEngine();
  const ways: LeaseEngine[] = [];
  const nodes: Registry[] = [];
  const told = async (): Promise<void> => {
    for (let i = 0; i < 30; i++) await settle();
  };
  for (let i = 0; i < count; i++) {
    const way = engine.node();
    const node = createRegistry({ clock, random: seededRandom(i + 1), engine: way });
    await node.start();
    ways.push(way);
    nodes.push(node);
    await told();
  }
  await clock.advance(30_000);
  nodes[0]?.register(anInstance());
  await told();
  const caller = (node: Registry | undefined) => {
    assert.ok(node);
    const reader = node.audience.enter({ who: 'shop', target: { service: 'orders' }, part: 'caller' }, undefined);
    return () => node.audience.acknowledge(reader.id, 'shop', node.get(a)?.instance.revision ?? 0);
  };
  /** The instance drains at one node and asks another; `answer` is what it has been told so far. */
  const leave = async (at: Registry | undefined, asks: Registry | undefined, limitMs = 5_000) => {
    at?.setStatus(a, 'draining');
    await told();
    const lease = asks?.get(a);
    assert.ok(lease && asks);
    const said: { answer?: Notice } = {};
    void asks.noticed(lease, limitMs, new Call({ clock, random })).then((answer) => {
      said.answer = answer;
    });
    await told();
    return said;
  };
  return { clock, engine, ways, nodes, told, caller, leave };
}

test('one that leaves learns at once when no node has callers', async () => {
  for (const count of [1, 3]) {
    const { nodes, leave } = await fleet(count);
    const said = await leave(nodes[0], nodes[0]);
    assert.deepEqual(said.answer, { noticed: true, waiting: 0, silent: [] });
  }
});

test('callers of all nodes are waited for, wherever it says so and wherever it asks', async () => {
  for (const [at, asks] of [
    [0, 0],
    [0, 2],
    [1, 2],
  ] as const) {
    const { nodes, caller, leave, told } = await fleet();
    const acknowledgements = nodes.map((node) => caller(node));
    const said = await leave(nodes[at], nodes[asks]);
    for (const acknowledge of acknowledgements) {
      assert.equal(said.answer, undefined);
      acknowledge();
      await told();
    }
    assert.equal(said.answer?.noticed, true);
  }
});

test('word that came before the question counts', async () => {
  const { nodes, caller, leave, told } = await fleet();
  const acknowledge = caller(nodes[1]);
  nodes[0]?.setStatus(a, 'draining');
  await told();
  acknowledge();
  await told();
  assert.equal((await leave(nodes[0], nodes[0])).answer?.noticed, true);
});

test('a caller elsewhere that does not acknowledge costs the limit', async () => {
  const { clock, nodes, caller, leave, told } = await fleet();
  caller(nodes[1]);
  const said = await leave(nodes[0], nodes[0]);
  await clock.advance(4_999);
  await told();
  assert.equal(said.answer, undefined);
  await clock.advance(1);
  await told();
  assert.deepEqual(said.answer, { noticed: false, waiting: 0, silent: ['watches at other nodes'] });
});

test('who cannot acknowledge at another node is not taken for somebody who did', async () => {
  const { clock, nodes, leave, told } = await fleet();
  nodes[1]?.audience.readBy('Eureka');
  const said = await leave(nodes[0], nodes[0]);
  await clock.advance(5_000);
  await told();
  assert.equal(said.answer?.noticed, false);
});

test('a node that goes takes its word with it: for 30 s nobody can tell', async () => {
  const { clock, engine, ways, nodes, caller, leave, told } = await fleet();
  caller(nodes[1]);
  const said = await leave(nodes[0], nodes[0]);
  engine.cut(ways[1] as LeaseEngine);
  await told();
  assert.equal(said.answer?.noticed, false);
  assert.equal((await leave(nodes[0], nodes[0])).answer?.noticed, false);
  await clock.advance(30_000);
  assert.equal((await leave(nodes[0], nodes[0])).answer?.noticed, true);
});

test('while the engine is away, or does not have the change, nobody can tell', async () => {
  const { engine, nodes, leave, told } = await fleet();
  engine.fate = () => 'refused';
  assert.equal((await leave(nodes[0], nodes[0])).answer?.noticed, false);
  engine.down();
  await told();
  assert.equal((await leave(nodes[0], nodes[0])).answer?.noticed, false);
});

test('what nodes say is remembered within bounds, and only a whole bulletin of that subject is heard', async () => {
  const clock = new ManualClock();
  const published: string[] = [];
  const departures = new Departures({
    engine: { publish: async (text) => void published.push(text) },
    clock,
    node: 'me',
    noticedHere: async () => true,
  });
  const ask = (revision: number) => departures.noticed(revision, 0, new Call({ clock, random }));
  departures.members(['me', 'other']);
  departures.heard('other', '2 rs');
  departures.heard('other', '1 rt');
  departures.heard('other', '2 !');
  const asked = ask(1_001);
  await clock.advance(0);
  assert.deepEqual([await ask(1_000), await asked], [true, false]);
  for (let revision = 2_000; revision < 12_001; revision++) departures.heard('other', `2 ${revision.toString(36)}`);
  const forgotten = ask(1_000);
  await clock.advance(0);
  assert.equal(await forgotten, false);
  departures.listed(anInstance({ status: 'up' }), 5);
  departures.listed(anInstance({ status: 'draining' }), 6);
  departures.listed(anInstance({ override: 'out-of-service' }), 7);
  departures.listed(anInstance({ override: 'out-of-service' }), 7);
  await settle();
  assert.deepEqual(published, ['2 6', '2 7']);
});
