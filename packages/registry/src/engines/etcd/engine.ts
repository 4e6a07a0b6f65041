import { crc32 } from 'node:zlib';
import { type Clock, FlotillaError, type Timer, toFlotillaError } from '@flotilla/core';
import type { EngineListener, EngineRecord, LeaseEngine, Written } from '../../shared/engine.ts';
import {
  EtcdClient,
  type EtcdClientOptions,
  type EtcdEvent,
  type EtcdPair,
  type EtcdStep,
  isCompacted,
} from './client.ts';
import type { EtcdWatch } from './watch.ts';
import { WriteBatches } from './write-batches.ts';

/** How registry nodes share an etcd. */
export interface EtcdEngineOptions extends EtcdClientOptions {
  /** All keys of this cluster of nodes begin with it and a slash. Default `/flotilla/registry`. */
  readonly prefix?: string | undefined;
  /** A node that says nothing for this long is no member any more. Default 10. */
  readonly memberSeconds?: number;
}

const pageSize = 500;

/**
 * Writes that go together have one revision of etcd, so that a record's revision is etcd's and the place of its key: no two
 * keys of one place are written together. 2^53 leave room for 35 million million writes.
 */
const places = 256;

/** Keeps the leases of registry nodes in an etcd. */
export function etcdEngine(options: EtcdEngineOptions): LeaseEngine {
  return new EtcdEngine(options);
}

/**
 * Keys under the prefix, in one range that one watch follows, so that everything comes in the order of its writing:
 *
 * ```
 *   instances/<service>/<id>   one record; both parts percent-encoded
 *   nodes/<node>               a member, on a lease that its node keeps alive
 *   bulletins/<node>           what it published last, on the same lease
 * ```
 *
 * | state | exits |
 * |---|---|
 * | listing: pages as of one revision, then a watch from the next one | armed → following; failed → waiting |
 * | following | interrupted → away; compacted → listing |
 * | away: the watch arms itself anew from its last revision | armed → following; compacted → listing |
 * | waiting | a jittered second → listing |
 */
class EtcdEngine implements LeaseEngine {
  readonly #client: EtcdClient;
  readonly #writes: WriteBatches;
  readonly #clock: Clock;
  readonly #options: EtcdEngineOptions;
  readonly #prefix: string;
  readonly #memberSeconds: number;
  readonly #members = new Map<string, number>();
  #node = '';
  #listener: EngineListener | undefined;
  #watch: EtcdWatch | undefined;
  #retry: Timer | undefined;
  #keepAliveTimer: Timer | undefined;
  #lease: string | undefined;
  /** Listings so far: an older one that is still under way is given up. */
  #listing = 0;
  #isFollowing = false;

  constructor(options: EtcdEngineOptions) {
    this.#options = options;
    this.#client = new EtcdClient(options);
    this.#writes = new WriteBatches((transactions) => this.#client.transactEach(transactions));
    this.#clock = options.clock;
    this.#prefix = `${options.prefix ?? '/flotilla/registry'}/`;
    this.#memberSeconds = options.memberSeconds ?? 10;
  }

  get name(): string {
    return `etcd at ${this.#client.endpoint}`;
  }

  start(node: string, listener: EngineListener): void {
    this.#node = node;
    this.#listener = listener;
    void this.#list();
    void this.#keepMembership();
  }

  async write(key: string, text: string, revision: number): Promise<Written> {
    const path = this.#path(key);
    return this.#compare(path, revision, { kind: 'put', key: path, value: text });
  }

  async remove(key: string, revision: number): Promise<boolean> {
    const path = this.#path(key);
    const { outcome } = await this.#compare(path, revision, { kind: 'delete', key: path });
    return outcome === 'written';
  }

  async publish(text: string): Promise<void> {
    await this.#client.put(`${this.#prefix}bulletins/${this.#node}`, text, await this.#membership());
  }

  async stop(): Promise<void> {
    const lease = this.#lease;
    this.#listener = undefined;
    this.#listing++;
    this.#retry?.cancel();
    this.#keepAliveTimer?.cancel();
    this.#watch?.close();
    if (lease !== undefined && this.#isFollowing) await this.#client.revokeLease(lease).catch(() => false);
    this.#client.close();
  }

  async #compare(path: string, revision: number, step: EtcdStep): Promise<Written> {
    const transaction = {
      compare: [{ key: path, modRevision: Math.floor(revision / places) }],
      success: [step],
      failure: [{ kind: 'get', key: path } as const],
    };
    const size = path.length + (step.kind === 'put' ? step.value.length : 0);
    const done = await this.#writes.do({ transaction, place: placeOf(path), size });
    if (done.succeeded) return { outcome: 'written', revision: revisionOf(path, done.revision) };
    const [pair] = done.found[0] ?? [];
    return { outcome: 'conflict', current: pair && recordOf(pair) };
  }

  async #list(): Promise<void> {
    const listing = ++this.#listing;
    const current = (): boolean => listing === this.#listing && this.#listener !== undefined;
    this.#watch?.close();
    this.#retry?.cancel();
    this.#isFollowing = false;
    try {
      let revision = 0;
      this.#members.clear();
      this.#listener?.listing();
      for await (const page of this.#client.pages(this.#prefix, pageSize)) {
        if (!current()) return;
        revision = page.revision;
        for (const pair of page.pairs) this.#heard({ kind: 'put', ...pair });
      }
      if (!current()) return;
      this.#follow(revision + 1);
      this.#isFollowing = true;
      this.#listener?.listed();
      this.#tellMembers();
    } catch (error) {
      if (!current()) return;
      this.#away(toFlotillaError(error));
      const waitMs = isCompacted(error) ? 0 : 500 + 500 * this.#options.random();
      this.#retry = this.#clock.setTimer(waitMs, () => void this.#list(), { background: true });
    }
  }

  #follow(revision: number): void {
    this.#watch = this.#client.watch({ prefix: this.#prefix }, revision, {
      events: (events) => {
        for (const event of events) this.#heard(event);
      },
      compacted: () => void this.#list(),
      armed: () => {
        if (!this.#isFollowing) this.#listener?.back();
        this.#isFollowing = true;
        this.#tellMembers();
      },
      interrupted: (reason) => this.#away(reason),
    });
  }

  #heard(event: EtcdEvent): void {
    const path = event.key.slice(this.#prefix.length);
    if (path.startsWith('instances/')) {
      const key = keyOf(path);
      if (key !== undefined) this.#listener?.changed(key, event.kind === 'put' ? recordOf(event) : undefined);
    } else if (path.startsWith('bulletins/') && event.kind === 'put')
      this.#listener?.heard(path.slice('bulletins/'.length), event.value.toString());
    else if (path.startsWith('nodes/')) this.#memberChanged(path.slice('nodes/'.length), event);
  }

  #memberChanged(node: string, { kind, createRevision }: EtcdEvent): void {
    if (kind === 'put') this.#members.set(node, createRevision);
    else this.#members.delete(node);
    if (this.#isFollowing) this.#tellMembers();
  }

  #tellMembers(): void {
    const nodes = [...this.#members].sort(([, a], [, b]) => a - b).map(([node]) => node);
    this.#listener?.members(nodes);
  }

  #away(reason: FlotillaError): void {
    this.#isFollowing = false;
    this.#listener?.away(reason);
  }

  /** Keeps this node a member: as often as needed, and with a new lease when the last one ended. */
  async #keepMembership(): Promise<void> {
    try {
      const lease = await this.#membership();
      if ((await this.#client.keepAlive(lease)) === 0 && this.#lease === lease) this.#lease = undefined;
    } catch {
      // The watch tells that the engine is away; this goes on trying.
    }
    if (!this.#listener) return;
    const waitMs = this.#lease === undefined ? 500 : (this.#memberSeconds * 1_000) / 3;
    this.#keepAliveTimer = this.#clock.setTimer(waitMs, () => void this.#keepMembership(), { background: true });
  }

  /** The lease on which this node is a member, made if it is not. */
  async #membership(): Promise<string> {
    if (this.#lease !== undefined) return this.#lease;
    const lease = await this.#client.grantLease(this.#memberSeconds);
    if (this.#listener === undefined) throw new FlotillaError('UNAVAILABLE', 'this node has left the engine');
    await this.#client.put(`${this.#prefix}nodes/${this.#node}`, '{}', lease);
    this.#lease = lease;
    return lease;
  }

  #path(key: string): string {
    return `${this.#prefix}instances/${key.split('\n').map(encodeURIComponent).join('/')}`;
  }
}

function recordOf({ key, value, modRevision }: Pick<EtcdPair, 'key' | 'value' | 'modRevision'>): EngineRecord {
  return { text: value.toString(), revision: revisionOf(key, modRevision) };
}

function revisionOf(path: string, modRevision: number): number {
  return modRevision * places + placeOf(path);
}

function placeOf(path: string): number {
  return crc32(path) % places;
}

/** @returns undefined for a key that no node of ours wrote. */
function keyOf(path: string): string | undefined {
  const [, service, id, ...more] = path.split('/');
  if (!service || !id || more.length > 0) return undefined;
  try {
    return `${decodeURIComponent(service)}\n${decodeURIComponent(id)}`;
  } catch {
    return undefined;
  }
}
