import { type Component, FlotillaError, formatIdentity, type Timer } from '@flotilla/core';
import { type InstanceKey, type Lease, momentOf } from '@flotilla/registry';
import type { Operation, PeerState } from '@flotilla/registry/server';
import { Comparison } from './comparison.ts';
import { readListing, readOne } from './listing-reader.ts';
import { type PeersLog, peersLog } from './log.ts';
import { type PeersMetrics, peersMetrics } from './metrics.ts';
import { type PeersOptions, type ResolvedPeersOptions, resolvePeersOptions } from './options.ts';
import { type PeerAddress, readPeerUrls } from './peer-address.ts';
import { PeerHttp } from './peer-http.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { Task, TaskKind } from './task-queue.ts';
import { TaskWriter } from './task-writer.ts';
import { Stamps } from './versions.ts';

/** The registries that this one replicates with. */
export interface Peers extends Component {
  readonly receiver: Receiver;
  readonly writer: TaskWriter;
  readonly stamps: Stamps;
  /** One for each peer, in the order of the configuration. */
  readonly states: readonly PeerState[];
  /** True when nothing waits for a peer that answers. */
  readonly idle: boolean;
  /** Compares with every peer now. Never rejects. */
  compareNow(): Promise<void>;
}

/**
 * Replication between registries: ours among each other, and with Java servers in both directions.
 *
 * Lifecycle: `start`, after the registry's and before anybody is served, takes over what the first peer that answers
 * lists, within `startTimeoutMs` (1); from then on tells every peer what is heard from owners and operators here (2), and
 * compares with each every `compareEveryMs` (3), first at once. `stop` ends comparing (1) and tells peers what they do not
 * know yet, within `farewellMs` (2).
 *
 * A registry that came up empty has warmed up when all peers were compared with that know everybody.
 *
 * ```ts
 * const peers = createPeers({ registry, network, clock, random, urls: ['http://peer:secret@registry-2:8761/eureka/'] });
 * await registry.start();
 * await peers.start();
 * const handler = routesHandler(eurekaRoutes(registry, { users, peers }));
 * ```
 *
 * @throws FlotillaError CONFIG_INVALID for urls and numbers that are none
 */
export function createPeers(options: PeersOptions): Peers {
  return new ReplicatedPeers(resolvePeersOptions(options), readPeerUrls(options.urls, options.myUrl));
}

interface Peer {
  readonly sender: Sender;
  readonly comparison: Comparison;
  /** The last comparison found, or made, equal what it lists, and its list is complete. */
  complete: boolean;
  /** Comparisons in a row that failed. */
  failures: number;
  /** Monotonic. */
  comparedAt: number;
  /** When {@link timer} is due (monotonic). */
  dueAt: number;
  timer?: Timer | undefined;
  comparing?: Promise<void> | undefined;
}

/** The longest wait before the next comparison with a peer that does not answer: it is how its return is noticed. */
const longestAwayMs = 4_000;
/** A peer that is back is compared with within so long; several that come back with a network are not at one instant. */
const backWithinMs = 2_000;
/** Comparisons out of turn are no closer than that: each reads everything. */
const leastBetweenMs = 5_000;
const firstRetryMs = 100;
const lastRetryMs = 2_000;
/** An operator's word is worth that long; a later one takes its place. */
const overrideLastsMs = 3_600_000;
const withoutLeaseMs = 90_000;

class ReplicatedPeers implements Peers {
  readonly name = 'peers';
  readonly stamps = new Stamps();
  readonly receiver: Receiver;
  readonly writer: TaskWriter;
  readonly #options: ResolvedPeersOptions;
  readonly #log: PeersLog;
  readonly #metrics: PeersMetrics;
  readonly #peers: readonly Peer[];
  #unfollow: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ResolvedPeersOptions, addresses: readonly PeerAddress[]) {
    const { registry, clock } = options;
    this.#options = options;
    this.#log = peersLog(options.logger);
    this.#metrics = peersMetrics(options.meter);
    this.receiver = new Receiver(registry, this.stamps, clock);
    this.writer = new TaskWriter(registry, this.stamps, clock);
    this.#peers = addresses.map((address) => this.#peer(address));
  }

  get states(): readonly PeerState[] {
    return this.#peers.map(({ sender }) => sender.state);
  }

  get idle(): boolean {
    return this.#peers.every(({ sender, comparing }) => (sender.idle || !sender.state.reachable) && !comparing);
  }

  async start(): Promise<void> {
    await this.#takeOver();
    this.#unfollow = this.#options.registry.follow((operation) => this.#heard(operation));
    for (const peer of this.#peers) void this.#compare(peer);
  }

  stop(_reason: string): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async compareNow(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => this.#compare(peer)));
  }

  #peer(address: PeerAddress): Peer {
    const options = this.#options;
    const { registry } = options;
    const http = new PeerHttp(address, { ...options, node: registry.epoch });
    const sender: Sender = new Sender({
      url: address.url,
      http,
      options,
      log: this.#log,
      metrics: this.#metrics,
      reactions: {
        itemOf: (task, forOurs) => this.writer.write(task, forOurs),
        adopt: (document) => {
          const instance = readOne(document, momentOf(options.clock).wallAt);
          if (instance) this.receiver.adopt(instance);
        },
        gone: (key, incarnation) => this.#gone(key, incarnation),
        missing: (key) => this.#tell(sender, key),
        outdated: () => this.#compareSoon(peer),
      },
    });
    const comparison = new Comparison({
      sender,
      receiver: this.receiver,
      stamps: this.stamps,
      options,
      tell: (key) => this.#tell(sender, key),
      cancel: (key, incarnation) => sender.offer(this.#task('cancel', key, undefined, incarnation)),
    });
    const peer: Peer = { sender, comparison, complete: false, failures: 0, comparedAt: -Infinity, dueAt: Infinity };
    return peer;
  }

  /** From the first peer that tells; when none does within the bound, the start goes on without. */
  async #takeOver(): Promise<void> {
    const { clock, random, startTimeoutMs } = this.#options;
    const startedAt = clock.now();
    let cause: unknown;
    for (let tries = 0; this.#peers.length > 0; tries++) {
      for (const { sender } of this.#peers) {
        if (clock.now() - startedAt >= startTimeoutMs || this.#stopping) break;
        try {
          await this.#takeOverFrom(sender);
          return;
        } catch (error) {
          cause = error;
        }
      }
      const leftMs = startTimeoutMs - (clock.now() - startedAt);
      if (leftMs <= 0 || this.#stopping) break;
      const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** tries) * (0.5 + 0.5 * random());
      await new Promise<void>((resolve) => clock.setTimer(Math.min(leftMs, waitMs), resolve));
    }
    if (this.#peers.length > 0) this.#log.notSynced({ waitedMs: Math.round(clock.now() - startedAt), cause });
  }

  async #takeOverFrom(sender: Sender): Promise<void> {
    const answer = await sender.ask({ method: 'GET', segments: ['apps', ''], list: true });
    if (answer.status === 404) throw new FlotillaError('NO_ROUTE', `${sender.url} is no Eureka registry`);
    const { instances, skipped } = await readListing(answer.json, this.#options.clock);
    // Later than anything that the disk remembers, and earlier than all that is heard from now on.
    for (const instance of instances) this.receiver.adopt(instance, { saidAt: 1, overriddenAt: 1 });
    this.#log.synced({ peer: sender.url, instances: instances.length, skipped });
  }

  #heard({ kind, lease, replicated }: Operation): void {
    const key = keyOf(lease);
    if (replicated) {
      const left = kind === 'deregistered' && this.#task('cancel', key, lease);
      if (left) for (const { sender } of this.#peers) sender.withdraw(left);
      return;
    }
    const isNews = lease.instance.revision === this.#options.registry.cursor.revision;
    if (kind === 'overrideSet') this.stamps.noteOverridden(key, Math.floor(this.#options.clock.wallNow()));
    if ((kind === 'registered' || kind === 'statusSet') && isNews) this.stamps.noteSaid(key, lease.changedAt);
    if (kind === 'deregistered') this.stamps.forget(key);
    const task = this.#task(taskKinds[kind], key, lease);
    for (const { sender } of this.#peers) sender.offer(task);
  }

  #task(kind: TaskKind, key: InstanceKey, lease?: Lease, incarnation = lease?.instance.incarnation ?? 0): Task {
    const terms = lease?.instance.lease;
    const lastsMs = {
      register: terms?.lastsMs ?? withoutLeaseMs,
      heartbeat: terms?.renewEveryMs ?? withoutLeaseMs,
      cancel: terms?.lastsMs ?? withoutLeaseMs, // the peer's own lease ends then
      override: overrideLastsMs,
    }[kind];
    const expiresAt = this.#options.clock.now() + lastsMs;
    return { kind, key, expiresAt, ...(kind === 'cancel' ? { incarnation } : undefined) };
  }

  /** Everything that is known of an instance. A Java server keeps the override that it has when somebody registers. */
  #tell(sender: Sender, key: InstanceKey): void {
    const lease = this.#options.registry.get(key);
    if (!lease) return;
    sender.offer(this.#task('register', key, lease));
    const spoken = lease.instance.override !== undefined || this.stamps.overriddenAt(key) > 0;
    if (sender.kind !== 'flotilla' && spoken) sender.offer(this.#task('override', key, lease));
  }

  #gone(key: InstanceKey, incarnation: number): void {
    const lease = this.#options.registry.get(key);
    if (!lease || lease.instance.incarnation > incarnation) return;
    this.#options.registry.deregister(key, undefined, { replicated: true });
    this.stamps.forget(key);
  }

  /** One at a time for each peer; the next one is planned when it ends. Never rejects. */
  #compare(peer: Peer): Promise<void> {
    peer.timer?.cancel();
    peer.comparing ??= this.#compareOnce(peer).finally(() => {
      peer.comparing = undefined;
      if (this.#stopping || peer.sender.kind === 'self') return;
      const { random, compareEveryMs } = this.#options;
      // A peer that comes back is compared with soon: nobody may have told us anything while it was away.
      const awayMs = Math.min(compareEveryMs, longestAwayMs, 1_000 * 2 ** peer.failures);
      const everyMs = peer.failures === 0 ? compareEveryMs : awayMs;
      this.#plan(peer, everyMs * (0.8 + 0.4 * random()));
    });
    return peer.comparing;
  }

  #plan(peer: Peer, waitMs: number): void {
    const { clock } = this.#options;
    peer.timer?.cancel();
    peer.dueAt = clock.now() + waitMs;
    peer.timer = clock.setTimer(waitMs, () => void this.#compare(peer), { background: true });
  }

  /** One that runs now, or is due earlier, will do. */
  #compareSoon(peer: Peer): void {
    if (!this.#unfollow || this.#stopping || peer.comparing || peer.sender.kind === 'self') return;
    const { clock, random } = this.#options;
    const now = clock.now();
    const dueAt = Math.max(now + backWithinMs * random(), peer.comparedAt + leastBetweenMs);
    if (dueAt < peer.dueAt) this.#plan(peer, dueAt - now);
  }

  async #compareOnce(peer: Peer): Promise<void> {
    const { sender, comparison } = peer;
    this.stamps.prune((key) => this.#options.registry.get(key) !== undefined);
    try {
      const { pulled, pushed, complete } = await comparison.run();
      peer.complete = complete;
      this.#noticeComplete();
      peer.comparedAt = this.#options.clock.now();
      if (sender.kind === 'self') return this.#log.isOurselves({ peer: sender.url });
      peer.failures = 0;
      sender.compared();
      if (pulled + pushed === 0) return;
      this.#metrics.differences.with({ peer: sender.url }).add(pulled + pushed);
      this.#log.differed({ peer: sender.url, pulled, pushed });
    } catch (cause) {
      peer.complete = false;
      peer.failures = Math.min(peer.failures + 1, 16);
      if (!this.#stopping) this.#log.compareFailed({ peer: sender.url, cause });
    }
  }

  /** One peer that cannot be asked may be the one with whom those are of whom the others lost sight. */
  #noticeComplete(): void {
    const others = this.#peers.filter(({ sender }) => sender.kind !== 'self');
    if (others.length > 0 && others.every(({ complete }) => complete)) this.#options.registry.learntAll();
  }

  async #stop(): Promise<void> {
    for (const { timer } of this.#peers) timer?.cancel();
    await Promise.all(this.#peers.map(({ sender }) => sender.close(this.#options.farewellMs)));
    await Promise.all(this.#peers.map(({ comparing }) => comparing));
    this.#unfollow?.();
  }
}

const taskKinds: Readonly<Record<Operation['kind'], TaskKind>> = Object.freeze({
  registered: 'register',
  renewed: 'heartbeat',
  statusSet: 'register', // Eureka's only word for a status is an operator's
  overrideSet: 'override',
  deregistered: 'cancel',
});

function keyOf({ instance: { identity, id } }: Lease): InstanceKey {
  return { service: formatIdentity(identity), id };
}
