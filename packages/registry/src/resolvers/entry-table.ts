import type { Clock, Instance } from '@flotilla/core';
import { mostInstances } from '../client/answers.ts';
import { Gathered } from './gathered.ts';
import { type Readable, readEntries } from './readable.ts';
import type { Following, Source, SourceListener, Wanted } from './source.ts';

/** One entry of a tree: undefined when it is gone. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** A value that is longer stands for no instance: the bounds of a registration, written as JSON, are below it. */
export const maxEntryBytes = 262_144;

/** Port: a tree of entries, one for each instance. */
export interface Tree {
  /** Keeps a table filled with the entries of one service, or of all. Returns at once; never throws. */
  fill(service: string | undefined, table: EntryTable): Following;
  /** The instance that an entry stands for. It may throw. */
  read(key: string, value: Uint8Array): unknown;
  close(): Promise<void>;
}

/** A source over a {@link Tree}: whoever follows the same part of it shares one table. */
export function treeSource(tree: Tree, clock: Clock): Source {
  const tables = new Map<string, { readonly table: EntryTable; readonly filling: Following }>();
  const open = (service: string | undefined): { table: EntryTable; filling: Following } => {
    const table = new EntryTable(clock, (key, value) => tree.read(key, value));
    const opened = { table, filling: tree.fill(service, table) };
    tables.set(service ?? '', opened);
    return opened;
  };
  return {
    follow(wanted: Wanted, listener: SourceListener): Following {
      const service = 'service' in wanted ? wanted.service : undefined;
      const { table, filling } = tables.get(service ?? '') ?? open(service);
      table.add(wanted, listener);
      return {
        close() {
          if (!table.remove(listener) || table.size > 0) return;
          filling.close();
          table.close();
          tables.delete(service ?? '');
        },
      };
    },
    async close() {
      for (const { table, filling } of tables.values()) {
        filling.close();
        table.close();
      }
      tables.clear();
      await tree.close();
    },
  };
}

/** The entries of one service, or of all, each read once; and who is told of them. */
export class EntryTable {
  readonly #read: (key: string, value: Uint8Array) => unknown;
  readonly #listeners = new Map<SourceListener, Wanted>();
  readonly #changes: Gathered;
  #entries = new Map<string, Readable>();
  #loaded = false;

  constructor(clock: Clock, read: (key: string, value: Uint8Array) => unknown) {
    this.#read = read;
    this.#changes = new Gathered(clock, () => this.#tellAll(true));
  }

  /** Who is told. */
  get size(): number {
    return this.#listeners.size;
  }

  add(wanted: Wanted, listener: SourceListener): void {
    this.#listeners.set(listener, wanted);
    if (this.#loaded) this.#tell(wanted, listener, false);
  }

  /** @returns whether it was there. */
  remove(listener: SourceListener): boolean {
    return this.#listeners.delete(listener);
  }

  /** The tree was read as a whole. @returns `doubted` when it is to be read again soon. */
  replace(entries: Iterable<Entry>): 'believed' | 'doubted' {
    const read = new Map<string, Readable>();
    for (const entry of entries) this.#put(read, entry);
    this.#entries = read;
    this.#loaded = true;
    this.#changes.drop();
    return this.#tellAll(false);
  }

  /** Single entries changed, each said by the tree. */
  change(entries: Iterable<Entry>): void {
    for (const entry of entries) this.#put(this.#entries, entry);
    if (this.#loaded) this.#changes.soon();
  }

  close(): void {
    this.#listeners.clear();
    this.#changes.drop();
  }

  #put(into: Map<string, Readable>, { key, value }: Entry): void {
    if (value === undefined) into.delete(key);
    else if (into.size < mostInstances || into.has(key)) into.set(key, this.#readable(key, value));
  }

  #readable(key: string, value: Uint8Array): Readable {
    return readEntries(
      [value],
      () => {
        if (value.byteLength > maxEntryBytes)
          throw new RangeError(`${value.byteLength} bytes are over ${maxEntryBytes}`);
        return [this.#read(key, value)];
      },
      () => JSON.stringify(key.slice(0, 120)),
    );
  }

  #tellAll(certain: boolean): 'believed' | 'doubted' {
    let verdict: 'believed' | 'doubted' = 'believed';
    for (const [listener, wanted] of this.#listeners) {
      if (this.#tell(wanted, listener, certain) === 'doubted') verdict = 'doubted';
    }
    return verdict;
  }

  #tell(wanted: Wanted, listener: SourceListener, certain: boolean): 'believed' | 'doubted' {
    const instances: Instance[] = [];
    const leftOut: string[] = [];
    for (const read of this.#entries.values()) {
      for (const instance of read.instances) if (isWanted(instance, wanted)) instances.push(instance);
      leftOut.push(...read.leftOut);
    }
    listener.leftOut(leftOut);
    return listener.list(instances, certain);
  }
}

function isWanted({ contracts }: Instance, wanted: Wanted): boolean {
  return 'service' in wanted || contracts.some(({ name }) => name === wanted.contract);
}
