import type { Registry } from '@flotilla/registry/server';
import type { Format, FormatName } from '../formats.ts';
import type { ApplicationsIndex } from './applications-index.ts';
import { writeList } from './list-writer.ts';
import { listChunk } from './sections.ts';
import type { SharedList } from './shared-list.ts';

/** A list as it was made for a reader. */
interface Made {
  readonly revision: number;
  readonly packed: boolean;
  readonly list: SharedList;
  /** How often it was asked for. */
  asked: number;
}

/** A list that so many asked for between two changes is worth being compressed better. */
const worthSqueezing = 16;

/** What was written in a form that nobody asked for within this time is thrown away. */
const keepMs = 300_000;

/**
 * The whole registry in each form that is asked for, written once for everybody who asks between two changes; a change
 * costs the instances that stand around it. Renewals are no change, as with a Java server's cache:
 * `lastRenewalTimestamp` may be that old.
 */
export class FullListing {
  readonly #registry: Registry;
  readonly #index: ApplicationsIndex;
  readonly #made = new Map<FormatName, Made>();
  readonly #making = new Map<FormatName, Promise<void>>();
  /** When each form was asked for last (monotonic). */
  readonly #asked = new Map<FormatName, number>();

  constructor(registry: Registry, index: ApplicationsIndex) {
    this.#registry = registry;
    this.#index = index;
  }

  /** @param packed the reader wants it compressed. @param now monotonic. */
  async list(format: Format, packed: boolean, now: number): Promise<SharedList> {
    const { revision } = this.#registry.cursor;
    this.#forgetUnasked(now);
    this.#asked.set(format.name, now);
    for (;;) {
      const made = this.#made.get(format.name);
      // One that somebody else waited for may be older than this reader's own writes.
      if (made && made.revision >= revision && (made.packed || !packed)) {
        if (++made.asked === worthSqueezing && packed) await made.list.squeeze(); // who else asks does not wait
        return made.list;
      }
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
    const list = await writeList({
      index,
      now,
      format,
      packed,
      chunks: () => Array.from(index.chunks(), (chunk) => listChunk(index, chunk, format, 'everybody')),
      facts: () => {
        revision = this.#registry.cursor.revision;
        return { version: 1, hashCode: index.hashCode };
      },
    });
    this.#made.set(format.name, { revision, packed, list, asked: 0 });
  }

  #forgetUnasked(now: number): void {
    for (const [name, at] of this.#asked) {
      if (now - at < keepMs || this.#making.has(name)) continue;
      this.#asked.delete(name);
      this.#made.delete(name);
      this.#index.forget(name);
    }
  }
}
