import type { Registry } from '@flotilla/registry/server';
import type { Format, FormatName } from '../formats.ts';
import type { ApplicationsIndex } from './applications-index.ts';
import { writeList } from './list-writer.ts';
import { type Content, listChunk } from './sections.ts';
import type { SharedList } from './shared-list.ts';

/** How long a change stays in the delta by default: `retentionTimeInMSInDeltaQueue` of Java servers. */
export const deltaRetentionMs = 180_000;
/** A delta is written anew at least this often, to leave out what is over: `deltaRetentionTimerIntervalInMs`. */
const purgeMs = 30_000;

/**
 * `GET apps/delta`: who was added, modified or deleted within the retention, each as it is now, and the hash code of the
 * whole registry, by which a reader finds out that it missed something and fetches everything.
 *
 * - An instance that changed more than once is MODIFIED, so that readers which pass over an ADDED one that they have
 *   (`eureka-js-client`) take the change in. Java's readers take both words for the same.
 * - Within an application the deleted come first: readers that tell instances apart by host and port
 *   (`eureka-js-client`) would otherwise drop a process's successor with it.
 * - When not all changes within the retention are known (a start younger than that, more changes than are kept), everybody
 *   is in the delta. A reader then has no fewer instances than the registry, so equal hash codes mean equal lists.
 */
export class DeltaListing {
  readonly #registry: Registry;
  readonly #index: ApplicationsIndex;
  #version = 0;
  /** The last one that was made has everybody in it. */
  #hasEverybody = false;
  readonly #made = new Map<FormatName, Made>();
  readonly #making = new Map<FormatName, Promise<void>>();

  /** @param index its retention is the deltas' */
  constructor(registry: Registry, index: ApplicationsIndex) {
    this.#registry = registry;
    this.#index = index;
  }

  /** @param packed the reader wants it compressed. @param now monotonic. */
  async list(format: Format, packed: boolean, now: number): Promise<SharedList> {
    const { revision } = this.#registry.cursor;
    for (;;) {
      const made = this.#made.get(format.name);
      const isNew = made && made.revision >= revision && now < made.until;
      if (isNew && (made.packed || !packed)) return made.list;
      await (this.#making.get(format.name) ?? this.#make(format, packed, now));
    }
  }

  #make(format: Format, packed: boolean, now: number): Promise<void> {
    const making = this.#write(format, packed, now).finally(() => this.#making.delete(format.name));
    this.#making.set(format.name, making);
    return making;
  }

  async #write(format: Format, packed: boolean, now: number): Promise<void> {
    const index = this.#index;
    let revision = 0;
    let hasEverybody = false;
    const list = await writeList({
      index,
      now,
      format,
      packed,
      chunks: () => {
        hasEverybody = !index.knowsChanges(now);
        const content: Content = hasEverybody ? 'everybody and who has gone' : 'changes';
        return Array.from(index.chunks(), (chunk) => listChunk(index, chunk, format, content));
      },
      facts: () => {
        revision = this.#registry.cursor.revision;
        return { version: ++this.#version, hashCode: index.hashCode };
      },
    });
    if (this.#hasEverybody && !hasEverybody) index.forgetDeltas();
    this.#hasEverybody = hasEverybody;
    this.#made.set(format.name, { revision, until: now + purgeMs, packed, list });
  }
}

/** A list as it was made for a reader. */
interface Made {
  readonly revision: number;
  readonly until: number;
  readonly packed: boolean;
  readonly list: SharedList;
}
