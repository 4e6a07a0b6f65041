import assert from 'node:assert/strict';
import { type Clock, FlotillaError, formatIdentity, type Instance } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import type { HttpHandler, HttpListener, HttpNetwork } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import type { InstanceKey } from '@flotilla/registry';
import { createRegistry, memoryStore, type Registry, type RegistryStore } from '@flotilla/registry/server';
import type { PeerTimes } from '../peers/options.ts';
import { createPeers, type Peers } from '../peers/peers.ts';
import { fingerprintOf } from '../peers/versions.ts';
import { eurekaHandler } from '../server/routes.ts';

/** A registry that is up. */
export interface Node {
  readonly name: string;
  readonly registry: Registry;
  readonly peers: Peers;
  readonly listener: HttpListener;
}

/** Registries that replicate with each other in one process, under a clock that a test moves. */
export class Cluster {
  readonly clock: ManualClock = new ManualClock();
  readonly network: HttpNetwork;
  readonly nodes: Map<string, Node> = new Map();
  /** Pairs that do not reach each other, as `a b`, in either order. */
  readonly cut: Set<string> = new Set();
  /** By how much the wall clock of a node is off, from its next start on. */
  readonly skewMs: Map<string, number> = new Map();
  readonly #names: readonly string[];
  readonly #stores = new Map<string, RegistryStore>();
  readonly #times: Partial<PeerTimes>;
  #seed = 1;

  constructor(names: readonly string[], times: Partial<PeerTimes> = {}) {
    this.#names = names;
    this.#times = { startTimeoutMs: 0, ...times };
    this.network = memoryNetwork({ clock: this.clock, random: seededRandom(99) });
  }

  static async start(names: readonly string[], times?: Partial<PeerTimes>): Promise<Cluster> {
    const cluster = new Cluster(names, times);
    for (const name of names) await cluster.start(name);
    await cluster.clock.advance(100);
    return cluster;
  }

  at(name: string): Node {
    const node = this.nodes.get(name);
    if (!node) throw new Error(`the node "${name}" is not up`);
    return node;
  }

  /** Starts a node, with what its store kept of an earlier life. */
  async start(name: string, wrap: (handler: HttpHandler) => HttpHandler = (handler) => handler): Promise<Node> {
    const { clock } = this;
    const own = skewed(clock, this.skewMs.get(name) ?? 0);
    const random = seededRandom(this.#seed++);
    const store = this.#stores.get(name) ?? memoryStore();
    this.#stores.set(name, store);
    const registry = createRegistry({ clock: own, random, store });
    const peers = createPeers({
      registry,
      network: this.#networkOf(name),
      clock: own,
      random,
      urls: this.#names.map((other) => `http://${other}:8761/eureka/`),
      myUrl: `http://${name}:8761/eureka/`,
      ...this.#times,
    });
    await registry.start();
    let waiting = true;
    const started = peers.start().finally(() => {
      waiting = false;
    });
    while (waiting) await clock.advance(10);
    await started;
    const handler = wrap(eurekaHandler(registry, { peers }));
    const listener = await this.network.listen({ host: name, port: 8761 }, handler);
    const node = { name, registry, peers, listener };
    this.nodes.set(name, node);
    return node;
  }

  /** Ends a node; `killed` without a word to anybody. */
  async end(name: string, how: 'stopped' | 'killed' = 'stopped'): Promise<void> {
    const { registry, peers, listener } = this.at(name);
    this.nodes.delete(name);
    if (how === 'killed') for (const other of this.#names) this.cut.add(`${name} ${other}`);
    const drained = listener.drain(0);
    await Promise.all([peers.stop('test'), this.clock.advance(0)]);
    await Promise.all([registry.stop('test'), drained, this.clock.advance(0)]);
    if (how === 'killed') for (const other of this.#names) this.cut.delete(`${name} ${other}`);
  }

  /** What a node that ended kept of its life is lost. */
  forget(name: string): void {
    this.#stores.delete(name);
  }

  /** Until nothing is on its way, and a comparison between all has followed. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      await this.clock.advance(2_000);
      for (const { peers } of this.nodes.values()) await Promise.all([peers.compareNow(), this.clock.advance(1_000)]);
    }
    await this.clock.advance(2_000);
  }

  /** What every node lists, as text that is equal when the lists are. */
  lists(): Map<string, string[]> {
    return new Map(
      [...this.nodes].map(([name, { registry }]) => [
        name,
        Array.from(registry.list(), ({ instance }) => textOf(instance)).sort(),
      ]),
    );
  }

  assertConverged(): void {
    const [first, ...others] = this.lists();
    if (!first) return;
    for (const [name, list] of others)
      assert.deepEqual(list, first[1], `${name} lists something else than ${first[0]}`);
  }

  async stop(): Promise<void> {
    for (const name of [...this.nodes.keys()]) await this.end(name);
    await this.clock.advance(10_000); // the wheel of deadlines turns once more
    assert.equal(this.clock.pendingTimers, 0, 'a timer is left');
  }

  #networkOf(name: string): HttpNetwork {
    const { network, cut } = this;
    return {
      listen: (bind, handler) => network.listen(bind, handler),
      connect: (target) => {
        const endpoint = network.connect(target);
        const handle: typeof endpoint.handle = (request, call) => {
          if (!cut.has(`${name} ${target.host}`) && !cut.has(`${target.host} ${name}`)) {
            return endpoint.handle(request, call);
          }
          call.end();
          return Promise.reject(new FlotillaError('CONNECT_FAILED', `${name} does not reach ${target.host}`));
        };
        return {
          handle,
          get status() {
            return endpoint.status;
          },
          get load() {
            return endpoint.load;
          },
          close: () => endpoint.close(),
        };
      },
    };
  }
}

function skewed(clock: Clock, skewMs: number): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow() + skewMs,
    setTimer: (delayMs, fire, options) => clock.setTimer(delayMs, fire, options),
  };
}

/** How an instance is named. */
export function keyOf({ identity, id }: Instance): InstanceKey {
  return { service: formatIdentity(identity), id };
}

function textOf(instance: Instance): string {
  const { content } = fingerprintOf(instance);
  return [formatIdentity(instance.identity), instance.id, instance.incarnation, instance.override ?? '', content].join(
    ' ',
  );
}
