import { type Call, FlotillaError, jittered } from '@flotilla/core';
import { mostInstances } from '../../client/answers.ts';
import { codeOf, type ZooKeeperClient, zookeeperCode } from '../../engines/zookeeper/client.ts';
import type { Contact } from '../contact.ts';
import type { Entry, EntryTable, Tree } from '../entry-table.ts';
import { Loop, type Moment } from '../loop.ts';
import { doubtMs, type Following } from '../source.ts';
import { decodeCuratorInstance } from './curator-instance.ts';

/** What a {@link ZooKeeperTree} needs. */
export interface ZooKeeperTreeParts extends Moment {
  readonly client: ZooKeeperClient;
  /** Has the client connect, if it has not yet. */
  readonly begin: () => void;
  readonly contact: Contact;
  /** Without a slash at its end. */
  readonly root: string;
  /** The whole tree is read again after this, ± 20 %: nodes of a restored snapshot come without an event. */
  readonly relistEveryMs: number;
  /** The same where the servers know no lasting watches (before 3.6). */
  readonly pollEveryMs: number;
}

/** Nodes that are read at a time: their answers come in one piece of the connection. */
const batch = 256;
const mostServices = 10_000;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Nodes `<root>/<service>/<id>` of Curator's discovery, followed by one lasting watch on a service, or on the root. */
export class ZooKeeperTree implements Tree {
  readonly #parts: ZooKeeperTreeParts;

  constructor(parts: ZooKeeperTreeParts) {
    this.#parts = parts;
  }

  fill(service: string | undefined, table: EntryTable): Following {
    this.#parts.begin();
    const path = service === undefined ? this.#parts.root : `${this.#parts.root}/${service}`;
    const branch = new Branch(path === '' ? '/' : path, service, table, this.#parts);
    const loop = new Loop(this.#parts, branch);
    branch.readAgain = () => loop.wake();
    return {
      close() {
        loop.close();
        branch.stop();
      },
    };
  }

  read(key: string, value: Uint8Array): unknown {
    const service = key.split('/').at(-2);
    const instance = decodeCuratorInstance(JSON.parse(utf8.decode(value)));
    if (instance.identity.service !== service) {
      throw new FlotillaError('INVALID_INPUT', `it says of itself that it is of "${instance.identity.service}"`);
    }
    return instance;
  }

  async close(): Promise<void> {}
}

/**
 * A part of the tree.
 *
 * | state | does | exits |
 * |---|---|---|
 * | reading | the watch is there first, then every node is read; what happens meanwhile is noted | → calm, and what was noted is read |
 * | calm | a node that the watch names is read | another connection, a read that failed, or `relistEveryMs` → reading |
 */
class Branch {
  readonly #path: string;
  readonly #service: string | undefined;
  readonly #table: EntryTable;
  readonly #parts: ZooKeeperTreeParts;
  /** Set by the owner of the loop. */
  readAgain: () => void = () => {};
  #endWatch: (() => void) | undefined;
  #polled = false;
  #noted: Set<string> | undefined;
  #stopped = false;

  constructor(path: string, service: string | undefined, table: EntryTable, parts: ZooKeeperTreeParts) {
    this.#path = path;
    this.#service = service;
    this.#table = table;
    this.#parts = parts;
  }

  stop(): void {
    this.#stopped = true;
    this.#endWatch?.();
  }

  failed(thrown: unknown): void {
    this.#parts.contact.failed(thrown);
  }

  async step(call: Call): Promise<number> {
    const { relistEveryMs, pollEveryMs, random, contact } = this.#parts;
    await this.#watch();
    this.#noted = new Set();
    const entries: Entry[] = [];
    for (const parent of await this.#parents()) await this.#readChildren(parent, entries, call);
    call.throwIfCancelled();
    contact.worked();
    const verdict = this.#table.replace(entries);
    const noted = this.#noted;
    this.#noted = undefined;
    for (const path of noted) void this.#look(path);
    if (verdict === 'doubted') return doubtMs;
    return jittered(this.#polled ? pollEveryMs : relistEveryMs, random);
  }

  async #watch(): Promise<void> {
    if (this.#endWatch || this.#polled) return;
    try {
      const end = await this.#parts.client.addWatch(this.#path, true, {
        happened: (_, path) => void this.#look(path),
        rearmed: () => this.readAgain(),
      });
      if (this.#stopped) end();
      else this.#endWatch = end;
    } catch (thrown) {
      if (codeOf(thrown) !== zookeeperCode.unimplemented) throw thrown;
      this.#polled = true;
    }
  }

  /** The services that are read. */
  async #parents(): Promise<string[]> {
    if (this.#service !== undefined) return [this.#path];
    const services = await this.#parts.client.children(this.#path);
    const base = this.#path === '/' ? '' : this.#path;
    return (services?.names ?? []).slice(0, mostServices).map((name) => `${base}/${name}`);
  }

  async #readChildren(parent: string, entries: Entry[], call: Call): Promise<void> {
    const { client } = this.#parts;
    const names = (await client.children(parent))?.names ?? [];
    for (let from = 0; from < names.length && entries.length < mostInstances; from += batch) {
      call.throwIfCancelled();
      const paths = names.slice(from, from + batch).map((name) => `${parent}/${name}`);
      const nodes = await Promise.all(paths.map((path) => client.get(path)));
      for (const [index, key] of paths.entries()) entries.push({ key, value: nodes[index]?.data });
    }
  }

  /** A node was made, written or deleted. Never rejects. */
  async #look(path: string): Promise<void> {
    if (this.#stopped || !this.#isInstance(path)) return;
    if (this.#noted) {
      this.#noted.add(path);
      return;
    }
    try {
      const node = await this.#parts.client.get(path);
      if (!this.#stopped) this.#table.change([{ key: path, value: node?.data }]);
    } catch {
      this.readAgain(); // whoever reads all says what is wrong
    }
  }

  #isInstance(path: string): boolean {
    const below = path.slice(this.#parts.root.length).split('/');
    return below.length === 3 && below.every((name, index) => (index === 0) === (name === ''));
  }
}
