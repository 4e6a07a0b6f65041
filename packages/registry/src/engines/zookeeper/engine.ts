import { crc32 } from 'node:zlib';
import { type Clock, type FlotillaError, type Timer, toFlotillaError } from '@flotilla/core';
import type { EngineListener, EngineRecord, LeaseEngine, Written } from '../../shared/engine.ts';
import {
  codeOf,
  type SessionEvent,
  type Stat,
  ZooKeeperClient,
  type ZooKeeperClientOptions,
  zookeeperCode,
} from './client.ts';

/** How registry nodes share a ZooKeeper (3.6 or newer). */
export interface ZooKeeperEngineOptions extends Omit<ZooKeeperClientOptions, 'onSession'> {
  /** All nodes of this cluster are below it; no slash at its end. Default `/flotilla/registry`. */
  readonly root?: string | undefined;
}

/** Instances are spread over so many nodes: a list of children stays under a megabyte with a million of them. */
const shards = 256;
/** A reader that lags so many bulletins behind misses one. */
const bulletinSlots = 8;
/** Reads under way at a time. */
const maxReads = 500;

/** Keeps the leases of registry nodes in a ZooKeeper. */
export function zookeeperEngine(options: ZooKeeperEngineOptions): LeaseEngine {
  return new ZooKeeperEngine(options);
}

/**
 * Nodes below the root, all followed by one persistent recursive watch:
 *
 * ```
 *   instances/<shard>/<service>,<id>   one record; both parts percent-encoded, the shard by their hash
 *   nodes/<node>                       a member, ephemeral
 *   bulletins/<node>,<slot>            what it published, ephemeral, in slots that take turns
 * ```
 *
 * A watch tells that something happened, not what: each event has its node read, and since a server answers in order,
 * what is read is at least as new as the event. Several changes may be one read; the last state is what counts. After a
 * lost connection nothing is known of the time in between, so everything is read anew.
 */
class ZooKeeperEngine implements LeaseEngine {
  readonly name: string;
  readonly #client: ZooKeeperClient;
  readonly #clock: Clock;
  readonly #options: ZooKeeperEngineOptions;
  readonly #root: string;
  /** Versions of records by key: what a write compares with, where the record is that of the revision. */
  readonly #versions = new Map<string, { readonly revision: number; readonly version: number }>();
  readonly #members = new Map<string, number>();
  /** Paths of which something was told and that are not read yet. */
  readonly #dirty = new Set<string>();
  #node = '';
  #slot = 0;
  #listener: EngineListener | undefined;
  #listing = 0;
  #isFollowing = false;
  #reading: Promise<void> | undefined;
  #hasTree = false;
  #retry: Timer | undefined;

  constructor(options: ZooKeeperEngineOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.name = `ZooKeeper at ${options.servers.join(',')}`;
    this.#root = options.root ?? '/flotilla/registry';
    this.#client = new ZooKeeperClient({ ...options, onSession: (event) => this.#sessionChanged(event) });
  }

  start(node: string, listener: EngineListener): void {
    this.#node = node;
    this.#listener = listener;
    this.#client.connect().catch((error: unknown) => this.#away(toFlotillaError(error)));
  }

  async write(key: string, text: string, revision: number): Promise<Written> {
    const path = this.#path(key);
    try {
      const stat = await this.#put(key, path, text, revision);
      if (stat) return this.#wrote(key, stat);
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
    return { outcome: 'conflict', current: await this.#reread(key, path) };
  }

  async remove(key: string, revision: number): Promise<boolean> {
    const known = this.#versions.get(key);
    if (known?.revision !== revision) return false;
    try {
      await this.#client.delete(this.#path(key), known.version);
    } catch (error) {
      if (!isConflict(error)) throw error;
      return codeOf(error) === zookeeperCode.noNode;
    }
    this.#versions.delete(key);
    return true;
  }

  async publish(text: string): Promise<void> {
    const path = `${this.#root}/bulletins/${this.#node},${this.#slot}`;
    this.#slot = (this.#slot + 1) % bulletinSlots;
    try {
      await this.#client.set(path, text);
    } catch (error) {
      if (codeOf(error) !== zookeeperCode.noNode) throw error;
      await this.#client.create(path, text, { ephemeral: true });
    }
  }

  async stop(): Promise<void> {
    this.#listener = undefined;
    this.#listing++;
    this.#retry?.cancel();
    await this.#client.close();
  }

  /** @returns undefined: the record is known to be another one. */
  async #put(key: string, path: string, text: string, revision: number): Promise<Stat | undefined> {
    if (revision === 0) return (await this.#client.createStat(path, text)).stat;
    const known = this.#versions.get(key);
    if (known?.revision !== revision) return undefined;
    return this.#client.set(path, text, known.version);
  }

  #wrote(key: string, stat: Stat): Written {
    this.#remember(key, stat);
    return { outcome: 'written', revision: stat.modifiedZxid };
  }

  async #reread(key: string, path: string): Promise<EngineRecord | undefined> {
    await this.#client.sync(path); // the server that we ask may lag behind the one that refused
    const found = await this.#client.get(path);
    if (!found) return undefined;
    this.#remember(key, found.stat);
    return { text: found.data.toString(), revision: found.stat.modifiedZxid };
  }

  #remember(key: string, { modifiedZxid: revision, version }: Stat): void {
    if ((this.#versions.get(key)?.revision ?? 0) < revision) this.#versions.set(key, { revision, version });
  }

  #sessionChanged(event: SessionEvent): void {
    if (event.kind === 'connected') void this.#list();
    else if (event.kind === 'interrupted') this.#away(event.reason);
  }

  /** One listing per connection; the watch of the connection is armed before it, so that nothing falls in between. */
  async #list(): Promise<void> {
    const listing = ++this.#listing;
    const current = (): boolean => listing === this.#listing && this.#listener !== undefined;
    this.#retry?.cancel();
    this.#isFollowing = false;
    try {
      await this.#ensureTree();
      if (!current()) return;
      this.#members.clear();
      this.#listener?.listing();
      await this.#readInstances(current);
      await this.#join();
      await this.#readMembers();
      if (!current()) return;
      this.#isFollowing = true;
      await this.#readDirty();
      if (!current() || !this.#isFollowing) return;
      this.#listener?.listed();
      this.#tellMembers();
    } catch (error) {
      if (!current()) return;
      this.#away(toFlotillaError(error));
      const waitMs = 500 + 500 * this.#options.random();
      this.#retry = this.#clock.setTimer(waitMs, () => void (this.#client.connected && this.#list()), {
        background: true,
      });
    }
  }

  /** The fixed nodes, and the watch; the client arms it again over each connection, before anything else is asked. */
  async #ensureTree(): Promise<void> {
    for (const part of ['instances', 'nodes', 'bulletins']) await this.#client.ensure(`${this.#root}/${part}`);
    const known = new Set((await this.#client.children(`${this.#root}/instances`))?.names);
    const missing = shardNames.filter((name) => !known.has(name));
    await Promise.all(missing.map((name) => this.#client.ensure(`${this.#root}/instances/${name}`)));
    if (this.#hasTree) return;
    await this.#client.addWatch(this.#root, true, {
      happened: (_kind, path) => this.#happened(path),
      rearmed: () => {}, // the session tells that too, and then everything is read
    });
    this.#hasTree = true;
  }

  async #readInstances(current: () => boolean): Promise<void> {
    const seen = new Set<string>();
    for (const shard of shardNames) {
      const folder = `${this.#root}/instances/${shard}`;
      const names = (await this.#client.children(folder))?.names ?? [];
      for (let from = 0; from < names.length; from += maxReads) {
        const some = names.slice(from, from + maxReads);
        for (const name of some) seen.add(keyOf(name) ?? '');
        await Promise.all(some.map((name) => this.#readInstance(`${folder}/${name}`, name)));
      }
      if (!current()) return;
    }
    for (const key of [...this.#versions.keys()]) if (!seen.has(key)) this.#versions.delete(key);
  }

  async #readInstance(path: string, name: string): Promise<void> {
    const key = keyOf(name);
    if (key === undefined) return;
    const found = await this.#client.get(path);
    if (found) this.#remember(key, found.stat);
    else this.#versions.delete(key);
    this.#listener?.changed(key, found && { text: found.data.toString(), revision: found.stat.modifiedZxid });
  }

  /** Makes this node a member of this session; what a session before left goes. */
  async #join(): Promise<void> {
    const path = `${this.#root}/nodes/${this.#node}`;
    const known = await this.#client.exists(path);
    if (known?.ephemeralOwner === this.#client.sessionId) return;
    if (known) await this.#client.delete(path).catch(unlessGone);
    await this.#client.create(path, '{}', { ephemeral: true });
  }

  async #readMembers(): Promise<void> {
    const folder = `${this.#root}/nodes`;
    const names = (await this.#client.children(folder))?.names ?? [];
    await Promise.all(names.map((name) => this.#readMember(name)));
  }

  async #readMember(name: string): Promise<void> {
    const stat = await this.#client.exists(`${this.#root}/nodes/${name}`);
    if (stat) this.#members.set(name, stat.createdZxid);
    else this.#members.delete(name);
  }

  #tellMembers(): void {
    const nodes = [...this.#members].sort(([, a], [, b]) => a - b).map(([node]) => node);
    this.#listener?.members(nodes);
  }

  #happened(path: string): void {
    this.#dirty.add(path);
    if (this.#isFollowing) void this.#readDirty();
  }

  /** Reads what was told, until nothing is left. What is told of a path while it is read is read again. */
  #readDirty(): Promise<void> {
    this.#reading ??= this.#readWhileDirty().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readWhileDirty(): Promise<void> {
    try {
      while (this.#dirty.size > 0) {
        const paths = [...this.#dirty].slice(0, maxReads);
        for (const path of paths) this.#dirty.delete(path);
        await Promise.all(paths.map((path) => this.#readPath(path)));
      }
    } catch {
      // Something was not read: everything is. Without a connection the next one begins with that anyway.
      if (this.#client.connected && this.#listener) void this.#list();
    }
  }

  async #readPath(path: string): Promise<void> {
    const [folder, name = '', record = ''] = path.slice(this.#root.length + 1).split('/');
    if (folder === 'instances' && record !== '') await this.#readInstance(path, record);
    else if (folder === 'bulletins' && name !== '') await this.#readBulletin(path, name);
    else if (folder === 'nodes' && name !== '') {
      await this.#readMember(name);
      if (this.#isFollowing) this.#tellMembers();
    }
  }

  async #readBulletin(path: string, name: string): Promise<void> {
    const [node = ''] = name.split(',');
    if (node === this.#node) return;
    const found = await this.#client.get(path);
    if (found) this.#listener?.heard(node, found.data.toString());
  }

  #away(reason: FlotillaError): void {
    this.#isFollowing = false;
    this.#dirty.clear();
    this.#listener?.away(reason);
  }

  #path(key: string): string {
    const name = key.split('\n').map(encodeURIComponent).join(',');
    return `${this.#root}/instances/${shardOf(name)}/${name}`;
  }
}

const shardNames: readonly string[] = Array.from({ length: shards }, (_, shard) => shardName(shard));

function shardOf(name: string): string {
  return shardName(crc32(name) % shards);
}

function shardName(shard: number): string {
  return shard.toString(16).padStart(2, '0');
}

/** @returns undefined for a name that no node of ours wrote. */
function keyOf(name: string): string | undefined {
  const [service, id, ...more] = name.split(',');
  if (!service || !id || more.length > 0) return undefined;
  try {
    return `${decodeURIComponent(service)}\n${decodeURIComponent(id)}`;
  } catch {
    return undefined;
  }
}

function isConflict(error: unknown): boolean {
  const code = codeOf(error);
  return code === zookeeperCode.badVersion || code === zookeeperCode.noNode || code === zookeeperCode.nodeExists;
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== zookeeperCode.noNode) throw error;
}
