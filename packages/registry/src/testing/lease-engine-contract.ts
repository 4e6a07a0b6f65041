import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FlotillaError, type Instance, systemClock } from '@flotilla/core';
import { seededRandom, until } from '@flotilla/core/testing';
import { createRegistry, type Registry } from '../server/registry.ts';
import type { EngineListener, EngineRecord, LeaseEngine, Written } from '../shared/engine.ts';
import { anInstance } from './instances.ts';
import { type RecordedLine, recordingLogger } from './recording-logger.ts';

/** One node's way to the engine. */
export interface NodeWay {
  readonly engine: LeaseEngine;
  /** Nothing goes through until {@link heal}. A node that is cut for ever has crashed, as far as others can tell. */
  cut(): Promise<void> | void;
  heal(): Promise<void> | void;
}

/** An engine under test. */
export interface EngineUnderTest {
  /** A way for one more node. @param space clusters of different names have nothing in common. */
  way(space: string): Promise<NodeWay>;
  /** It is killed and started again with its data. */
  restart(): Promise<void>;
  /** It stands still for as long as the work takes. */
  pausedWhile(work: () => Promise<void>): Promise<void>;
  /** What was written before is forgotten, as far as the engine keeps it at all. */
  compact(): Promise<void>;
  /** Longer than a node may be silent before it is no member any more. */
  readonly memberGoneMs: number;
  end(): Promise<void>;
}

const shortLease = { renewEveryMs: 1_000, lastsMs: 1_500 };
const longLease = { renewEveryMs: 60_000, lastsMs: 180_000 };
const limits = { shortestLeaseMs: 1_000, shortestRenewalMs: 100 };
const orders = (id: string) => ({ service: 'orders', id });
const sleeping = anInstance({ lease: longLease });

/** A registry on its way to an engine. */
interface Node {
  readonly registry: Registry;
  readonly way: NodeWay;
}

/** Registry nodes of one test. */
class Nodes {
  readonly lines: RecordedLine[] = [];
  readonly #engine: EngineUnderTest;
  readonly #space: string;
  readonly #nodes: Node[] = [];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(engine: EngineUnderTest, space: string) {
    this.#engine = engine;
    this.#space = space;
  }

  async add(): Promise<Node> {
    const way = await this.#engine.way(this.#space);
    const random = seededRandom(this.#nodes.length + 1);
    const registry = createRegistry({
      clock: systemClock,
      random,
      engine: way.engine,
      limits,
      logger: recordingLogger(this.lines),
    });
    await registry.start();
    const node = { registry, way };
    this.#nodes.push(node);
    return node;
  }

  async three(): Promise<[Node, Node, Node]> {
    const nodes: [Node, Node, Node] = [await this.add(), await this.add(), await this.add()];
    await until('three nodes know each other', () => nodes.every(({ registry }) => registry.engine?.nodes === 3));
    return nodes;
  }

  /** Waits until all these nodes list the same and have nothing left to write. */
  async agree(what: string, nodes: readonly Node[] = this.#nodes): Promise<string[]> {
    await until(what, () => {
      const lists = nodes.map(({ registry }) => JSON.stringify(listOf(registry)));
      const settled = nodes.every(({ registry }) => registry.engine?.state === 'together' && !registry.engine.unsynced);
      return settled && lists.every((list) => list === lists[0]);
    });
    return ids(nodes[0] as Node);
  }

  /** Renews these at those nodes every 200 ms until the test ends, or until it is told to. */
  renewing(pairs: () => readonly (readonly [Node, Instance])[]): () => void {
    const timer = setInterval(() => {
      for (const [{ registry }, instance] of pairs()) {
        // As an owner does: on a machine that is late a lease this short may lapse.
        if (registry.renew(orders(instance.id)).outcome === 'unknown') registry.register(instance);
      }
    }, 200);
    this.#timers.push(timer);
    return () => clearInterval(timer);
  }

  /** What a message of a failed test should say. */
  describe(): string {
    const states = this.#nodes.map(({ registry }) => ({ size: registry.size, ...registry.engine }));
    const said = this.lines.filter(({ level, message }) => level !== 'info' || /engine/.test(message));
    return JSON.stringify({ states, said: said.slice(-12) });
  }

  async end(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#nodes.map(({ registry }) => registry.stop('test')));
  }
}

/** What is listed, without what each node counts for itself. */
function listOf(registry: Registry): unknown[] {
  return Array.from(registry.list(), ({ instance, declaredIncarnation }) => ({
    ...instance,
    revision: 0,
    declaredIncarnation,
  }))
    .map((entry) => JSON.stringify(entry, Object.keys(entry).sort()))
    .sort();
}

function ids({ registry }: Node): string[] {
  return Array.from(registry.list(), ({ instance }) => instance.id).sort();
}

/** Whether whoever registered it is told that it is kept: not when it is refused, nor when the node says that it is unsynced. */
async function isAcknowledged({ registry }: Node, id: string): Promise<boolean> {
  try {
    await registry.settled(orders(id));
    return !registry.isUnsynced(orders(id));
  } catch (error) {
    assert.ok(error instanceof FlotillaError && error.code === 'UNAVAILABLE', String(error));
    assert.equal(error.executed, 'unknown', 'it is still written');
    return false;
  }
}

/** What registry nodes in front of an engine promise, whichever it is. */
export function leaseStoreContract(
  name: string,
  start: () => Promise<EngineUnderTest>,
  skip: string | false = false,
): void {
  describe(`${name}: registry nodes that share their leases`, { skip }, () => {
    let engine: EngineUnderTest;
    let count = 0;
    before(async () => {
      engine = await start();
    });
    after(() => engine.end());

    const claim = (text: string, prove: (nodes: Nodes) => Promise<void>): void => {
      test(text, { timeout: 120_000 }, async () => {
        const nodes = new Nodes(engine, `space-${count++}`);
        try {
          await prove(nodes);
        } catch (error) {
          throw new Error(`${error instanceof Error ? error.message : error}; ${nodes.describe()}`, { cause: error });
        } finally {
          await nodes.end();
        }
      });
    };

    claim('what one node is told, a watcher of another sees; status, override and farewell too', async (nodes) => {
      const [a, b, c] = await nodes.three();
      const watcher = b.registry.watch({ service: 'orders' });
      watcher.take();
      const seen: string[] = [];
      const follow = async (count: number): Promise<void> => {
        await until(`${count} changes`, () => {
          for (const event of watcher.take() ?? []) if (event.kind === 'change') seen.push(event.change.reason);
          return seen.length >= count;
        });
      };
      a.registry.register(sleeping);
      await follow(1);
      await nodes.agree('all know of it'); // a watcher of one node is told before another node knows
      c.registry.setOverride(orders('a'), 'out-of-service');
      await follow(2);
      assert.equal(b.registry.get(orders('a'))?.instance.override, 'out-of-service');
      a.registry.setStatus(orders('a'), 'draining');
      await follow(3);
      b.registry.setOverride(orders('a'), undefined);
      await nodes.agree('the override is taken back');
      assert.equal(a.registry.get(orders('a'))?.instance.override, undefined);
      assert.equal(a.registry.get(orders('a'))?.instance.status, 'draining');
      c.registry.deregister(orders('a'));
      await follow(5);
      assert.deepEqual(seen, ['registered', 'updated', 'updated', 'updated', 'deregistered']);
      await until('the tombstone is known', () => a.registry.size === 0);
      assert.equal(a.registry.register(sleeping).outcome, 'stale');
      assert.equal(a.registry.register({ ...sleeping, incarnation: 2 }).outcome, 'registered');
      assert.deepEqual(await nodes.agree('the next life'), ['a']);
    });

    claim('what was acknowledged outlives the node that was told', async (nodes) => {
      const a = await nodes.add();
      const odd = 'a/b c%2F,ü\u{1F6A2}#?=.';
      for (const id of ['1', '2', odd]) a.registry.register({ ...sleeping, id, metadata: { id } });
      await a.registry.settled();
      assert.equal(a.registry.engine?.unsynced, 0);
      await a.way.cut();
      const b = await nodes.add();
      assert.deepEqual(ids(b), ['1', '2', odd].sort(), 'a node that starts from nothing has everything');
      assert.equal(b.registry.get(orders(odd))?.instance.metadata['id'], odd);
      assert.equal(b.registry.warming, false);
      await a.way.heal();
      await nodes.agree('the one that was cut off is back');
    });

    claim('a lease lives by renewals at any node, and ends at all when they end', async (nodes) => {
      const [a, b, c] = await nodes.three();
      const [kept, lost] = [
        anInstance({ id: 'kept', lease: shortLease }),
        anInstance({ id: 'lost', lease: shortLease }),
      ];
      a.registry.register(kept);
      a.registry.register(lost);
      await nodes.agree('both are listed');
      assert.equal([a, b, c].filter(({ registry }) => registry.engine?.evicts).length, 1);
      const stop = nodes.renewing(() => [[b, kept]]);
      await until('the silent one is evicted', () => [a, b, c].every((node) => ids(node).join() === 'kept'));
      stop();
      await until('so is the other one', () => [a, b, c].every(({ registry }) => registry.size === 0));
    });

    claim('the node that evicts dies: another one does', async (nodes) => {
      const [a, b, c] = await nodes.three();
      const evictor = [a, b, c].find(({ registry }) => registry.engine?.evicts) ?? a;
      const others = [a, b, c].filter((node) => node !== evictor);
      evictor.registry.register(anInstance({ lease: shortLease }));
      evictor.registry.register({ ...sleeping, id: 'sleeping' });
      await evictor.registry.settled();
      await evictor.way.cut();
      await until('it is known to be gone', () => others.every(({ registry }) => registry.engine?.nodes === 2));
      await until('the silent one is evicted', () => others.every((node) => ids(node).join() === 'sleeping'));
      assert.equal(evictor.registry.engine?.state, 'away');
      assert.deepEqual(ids(evictor), ['a', 'sleeping'], 'the one that is cut off evicts nobody');
      await evictor.way.heal();
      assert.deepEqual(await nodes.agree('it is back'), ['sleeping']);
    });

    claim('30 % silent at once: all nodes hold what is left, until renewals come back', async (nodes) => {
      const all = await nodes.three();
      const instances = Array.from({ length: 20 }, (_, i) => anInstance({ id: `i${i}`, lease: shortLease }));
      let silent = 6;
      const stop = nodes.renewing(() => instances.slice(silent).map((one, i) => [all[i % 3] as Node, one] as const));
      for (const [i, instance] of instances.entries()) all[i % 3]?.registry.register(instance);
      // Three may go. On a machine that is late with renewals one of them may be alive, and the node that heard it objects.
      const holds = ({ registry }: Node): boolean =>
        registry.size >= 17 && registry.size < 20 && preserved(registry).length === 1;
      await until('eviction stops', () => all.every(holds) && new Set(all.map((node) => ids(node).join())).size === 1);
      silent = 0;
      for (const instance of instances.slice(0, 6)) all[0].registry.register(instance);
      await until('all are back', () => all.every(({ registry }) => registry.size === 20));
      stop();
    });

    claim('nodes that are told different things at once agree in the end, and no word is lost', async (nodes) => {
      const all = await nodes.three();
      const random = seededRandom(7);
      for (let round = 1; round <= 40; round++) {
        for (const { registry } of all) {
          const id = `i${Math.floor(random() * 5)}`;
          registry.register({
            ...sleeping,
            id,
            incarnation: round * 10 + Math.floor(random() * 3),
            zone: `${random()}`,
          });
          if (random() < 0.3) registry.setStatus(orders(id), 'draining');
          if (random() < 0.3) registry.setOverride(orders(id), random() < 0.5 ? 'out-of-service' : undefined);
          if (random() < 0.2) registry.deregister(orders(id));
        }
        if (round % 8 === 0) await Promise.all(all.map(({ registry }) => registry.settled()));
      }
      for (const [i, { registry }] of all.entries())
        registry.register({ ...sleeping, id: 'last', incarnation: 1_000 + i });
      await nodes.agree('all nodes list the same');
      assert.equal(all[0].registry.get(orders('last'))?.instance.incarnation, 1_002);
    });

    claim('a node that was cut off: history is gone meanwhile, and it has everything afterwards', async (nodes) => {
      const [a, b, c] = await nodes.three();
      for (const id of ['1', '2', '3']) a.registry.register({ ...sleeping, id });
      await nodes.agree('three are listed');
      const { cursor } = c.registry;
      await c.way.cut();
      await until('it knows', () => c.registry.engine?.state === 'away');
      a.registry.deregister(orders('1'));
      b.registry.register({ ...sleeping, id: '4' });
      b.registry.setStatus(orders('2'), 'draining');
      await Promise.all([a.registry.settled(), b.registry.settled()]);
      c.registry.setOverride(orders('2'), 'out-of-service');
      c.registry.register({ ...sleeping, id: '5' });
      assert.equal(c.registry.engine?.unsynced, 2);
      await engine.compact();
      await new Promise((resolve) => setTimeout(resolve, engine.memberGoneMs));
      await c.way.heal();
      assert.deepEqual(await nodes.agree('it is back'), ['2', '3', '4', '5']);
      const { status, override } = a.registry.get(orders('2'))?.instance ?? {};
      assert.deepEqual([status, override], ['draining', 'out-of-service']);
      const watcher = c.registry.watch(undefined, `${cursor.epoch}:${cursor.revision}`);
      const changes = (watcher.take() ?? []).flatMap((event) => (event.kind === 'change' ? [event.change.id] : []));
      assert.deepEqual([...new Set(changes)].sort(), ['1', '2', '4', '5'], 'who resumes there misses no change');
      await until('three nodes again', () => a.registry.engine?.nodes === 3);
    });

    claim('the engine is killed and comes back: lists stay, what was said meanwhile is written', async (nodes) => {
      const [a, b, c] = await nodes.three();
      for (const id of ['1', '2', '3', '4']) a.registry.register({ ...sleeping, id });
      await nodes.agree('four are listed');
      const restarted = engine.restart();
      await until('all know', () => [a, b, c].every(({ registry }) => registry.engine?.state === 'away'));
      assert.deepEqual(
        [a, b, c].map(({ registry }) => registry.size),
        [4, 4, 4],
      );
      a.registry.register({ ...sleeping, id: '5' });
      b.registry.deregister(orders('1'));
      await Promise.all([a.registry.settled(), b.registry.settled()]);
      await restarted;
      assert.deepEqual(await nodes.agree('all are together again'), ['2', '3', '4', '5']);
      const said = nodes.lines.filter(({ message }) => /cannot reach its engine/.test(message));
      assert.equal(said.length, 3, 'once by each node');
    });

    claim(
      'the engine stands still: what it does not have is not acknowledged, and is written afterwards',
      async (nodes) => {
        const [a, b, c] = await nodes.three();
        a.registry.register({ ...sleeping, id: 'before' });
        await nodes.agree('one is listed');
        await engine.pausedWhile(async () => {
          a.registry.register({ ...sleeping, id: 'meanwhile' });
          const from = systemClock.now();
          assert.equal(await isAcknowledged(a, 'meanwhile'), false);
          assert.ok(systemClock.now() - from < 4_000);
          assert.equal(await isAcknowledged(a, 'before'), true, 'nothing was said of it since');
          assert.deepEqual(ids(b), ['before']);
        });
        assert.deepEqual(await nodes.agree('it is everywhere'), ['before', 'meanwhile']);
        assert.equal(c.registry.size, 2);
      },
    );

    claim('the engine stands still, and a node is killed: nothing is lost that was acknowledged', async (nodes) => {
      const [a, b, c] = await nodes.three();
      const acknowledged: string[] = [];
      const register = async (from: number): Promise<void> => {
        const some = Array.from({ length: 25 }, (_, i) => `${from + i}`);
        const outcomes = some.map(async (id) => {
          a.registry.register({ ...sleeping, id });
          if (await isAcknowledged(a, id)) acknowledged.push(id);
        });
        await Promise.all(outcomes);
      };
      await register(0);
      assert.equal(acknowledged.length, 25);
      await engine.pausedWhile(async () => {
        await Promise.all([register(100), register(200)]);
        await a.way.cut();
      });
      await until('those that are left list it', () =>
        [b, c].every(({ registry }) => acknowledged.every((id) => registry.get(orders(id)))),
      );
      assert.ok(acknowledged.length < 75, 'what the engine did not take was not acknowledged');
      await a.way.heal();
      await nodes.agree('the one that was cut off is back');
    });

    claim('an owner that gives all its lives one incarnation comes back, at whichever node', async (nodes) => {
      const all = await nodes.three();
      const said = { ...sleeping, incarnation: 7 };
      for (let life = 0; life < 4; life++) {
        const [told, left] = [all[life % 3], all[(life + 1) % 3]] as [Node, Node];
        assert.equal(told.registry.register(said, { mayReturn: true }).outcome, 'registered', `life ${life}`);
        assert.deepEqual(await nodes.agree(`life ${life}`), ['a']);
        for (const { registry } of all) {
          const { instance, declaredIncarnation } = registry.get(orders('a')) ?? {};
          assert.deepEqual([instance?.incarnation, declaredIncarnation], [7 + life, 7]);
        }
        left.registry.deregister(orders('a'));
        assert.deepEqual(await nodes.agree(`the end of life ${life}`), []);
      }
      assert.equal(all[0].registry.register(said).outcome, 'stale', 'a late copy stays one');
      // A whole life between two writes.
      all[1].registry.register(said, { mayReturn: true });
      all[1].registry.deregister(orders('a'));
      all[1].registry.register({ ...said, zone: 'last' }, { mayReturn: true });
      assert.deepEqual(await nodes.agree('the last life'), ['a']);
      assert.equal(all[2].registry.get(orders('a'))?.instance.zone, 'last');
    });

    test('many writes at once: each goes by its own record, and no two have one revision', async () => {
      const way = await engine.way('many');
      const writer = new Writer(way, 0);
      await until('it is connected', () => writer.isConnected);
      const keys = Array.from({ length: 500 }, (_, i) => `orders\n${i}`);
      const first = await Promise.all(keys.map((key) => way.engine.write(key, `first ${key}`, 0)));
      const revisions = first.map((written) => (written.outcome === 'written' ? written.revision : Number.NaN));
      assert.equal(new Set(revisions).size, keys.length);
      // Every third is written on top of what it was before: nothing.
      const second = await Promise.all(
        keys.map((key, i) => way.engine.write(key, `second ${key}`, i % 3 === 0 ? 0 : (revisions[i] ?? 0))),
      );
      for (const [i, written] of second.entries()) {
        assert.equal(written.outcome, i % 3 === 0 ? 'conflict' : 'written', keys[i]);
        if (written.outcome === 'written') assert.ok(written.revision > (revisions[i] ?? 0));
        else assert.deepEqual(written.current, { text: `first ${keys[i]}`, revision: revisions[i] });
      }
      await until('all is told', () => keys.every((key) => writer.has(key)));
      await way.engine.stop();
    });

    test('no two writes win on top of the same one, whatever breaks meanwhile', { timeout: 120_000 }, async () => {
      const ways = await Promise.all([0, 1, 2].map(() => engine.way('fencing')));
      const writers = ways.map((way, i) => new Writer(way, i));
      await until('all are connected', () => writers.every((writer) => writer.isConnected));
      let isOver = false;
      const work = Promise.all(writers.map((writer) => writer.writeUntil(() => isOver)));
      await until('many writes', () => writers.every(({ won }) => won.length > 20));
      await ways[0]?.cut();
      await until('more writes', () => (writers[1]?.won.length ?? 0) > 40);
      await ways[0]?.heal();
      await engine.restart();
      const before = writers.map(({ won }) => won.length);
      await until('all write again', () => writers.every(({ won }, i) => won.length > (before[i] ?? 0) + 20), 60_000);
      isOver = true;
      await work;
      const won = writers.flatMap((writer) => writer.won);
      const bases = won.map(({ key, base }) => `${key} on ${base}`);
      assert.equal(new Set(bases).size, bases.length, 'a write was lost under another one');
      assert.equal(new Set(won.map(({ revision }) => revision)).size, won.length);
      for (const { base, revision } of won) assert.ok(revision > base);
      for (const { engine } of ways) await engine.stop();
    });
  });
}

function preserved(registry: Registry): string[] {
  return [...registry.services()].filter(({ preservation }) => preservation).map(({ service }) => service);
}

/** Writes to three records, always on top of what it saw last, and notes what it won. */
class Writer implements EngineListener {
  readonly won: { readonly key: string; readonly base: number; readonly revision: number }[] = [];
  readonly #way: NodeWay;
  readonly #name: number;
  readonly #seen = new Map<string, number>();
  isConnected = false;
  #count = 0;

  constructor(way: NodeWay, name: number) {
    this.#way = way;
    this.#name = name;
    way.engine.start(`writer${name}`, this);
  }

  has(key: string): boolean {
    return this.#seen.has(key);
  }

  async writeUntil(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const key = `orders\n${this.#count++ % 3}`;
      const base = this.#seen.get(key) ?? 0;
      const written = await this.#write(key, base);
      if (written?.outcome === 'written') this.won.push({ key, base, revision: written.revision });
      const revision = written?.outcome === 'conflict' ? written.current?.revision : written?.revision;
      if (revision !== undefined) this.#see(key, revision);
      // An engine within the process, or one that fails at once, would leave nobody else a turn.
      await new Promise((resolve) => setTimeout(resolve, written ? 0 : 20));
    }
  }

  async #write(key: string, base: number): Promise<Written | undefined> {
    try {
      return await this.#way.engine.write(key, `${this.#name}:${this.#count}`, base);
    } catch (error) {
      assert.ok(error instanceof FlotillaError, String(error));
      return undefined;
    }
  }

  #see(key: string, revision: number): void {
    this.#seen.set(key, Math.max(revision, this.#seen.get(key) ?? 0));
  }

  listing(): void {}
  listed(): void {
    this.isConnected = true;
  }
  back(): void {
    this.isConnected = true;
  }
  changed(key: string, record: EngineRecord | undefined): void {
    if (record) this.#see(key, record.revision);
  }
  heard(): void {}
  members(): void {}
  away(): void {
    this.isConnected = false;
  }
}
