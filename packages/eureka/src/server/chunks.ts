import { type ApplicationEntry, hashOf, newWritten, type Written } from './application-entry.ts';
import type { ListRun } from './shared-list.ts';

/** Applications that stand together in lists, and what was written of all of them. */
export interface Chunk {
  readonly applications: Map<string, ApplicationEntry>;
  readonly written: Written<ListRun>;
}

/** Small registries are one chunk. */
const leastPerChunk = 64;

/**
 * Applications by a hash of their names, in about as many chunks as each of them holds applications: a list after a change
 * looks at the applications of one chunk, and at all chunks.
 */
export class Chunks {
  #chunks: readonly Chunk[] = [newChunk()];
  #size = 0;

  [Symbol.iterator](): Iterator<Chunk> {
    return this.#chunks[Symbol.iterator]();
  }

  get(name: string): ApplicationEntry | undefined {
    return this.of(name).applications.get(name);
  }

  /** The chunk in which an application of this name stands. */
  of(name: string): Chunk {
    const { length } = this.#chunks;
    return this.#chunks[length === 1 ? 0 : hashOf(name) % length] as Chunk;
  }

  add(application: ApplicationEntry): void {
    this.of(application.name).applications.set(application.name, application);
    const { length } = this.#chunks;
    if (++this.#size > length * Math.max(length, leastPerChunk)) this.#split();
  }

  remove({ name }: ApplicationEntry): void {
    if (this.of(name).applications.delete(name)) this.#size--;
  }

  clear(): void {
    this.#chunks = [newChunk()];
    this.#size = 0;
  }

  #split(): void {
    const before = this.#chunks;
    this.#chunks = Array.from({ length: 2 * before.length }, newChunk);
    for (const { applications } of before) {
      for (const [name, application] of applications) this.of(name).applications.set(name, application);
    }
  }
}

function newChunk(): Chunk {
  return { applications: new Map(), written: newWritten() };
}
