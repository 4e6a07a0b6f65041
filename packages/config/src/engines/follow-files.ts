import type { Clock } from '@flotilla/core';
import { type FileWatch, watchFile } from './watch-file.ts';

/** Files that are being followed. */
export interface FileFollower {
  /** Nothing is read any more after this. Resolves when a reading that goes on has ended. Later calls share the first one's promise. */
  close(): Promise<void>;
}

/**
 * Calls `read` after each change of any of the files, one reading at a time: changes that come meanwhile make one further
 * reading. Resolves when changes from now on are seen, so: follow first, then read for the first time.
 * @param read must not reject.
 */
export async function followFiles(
  paths: readonly string[],
  clock: Clock,
  read: () => Promise<void>,
): Promise<FileFollower> {
  const turns = new Turns(read);
  const watches: FileWatch[] = [];
  for (const path of paths) watches.push(await watchFile(path, clock, () => turns.ask()));
  let closing: Promise<void> | undefined;
  return {
    close() {
      for (const watch of watches) watch.close();
      closing ??= turns.end();
      return closing;
    },
  };
}

/** One piece of work that is never done twice at a time. */
class Turns {
  readonly #work: () => Promise<void>;
  #tail: Promise<void> = Promise.resolve();
  #waiting = false;
  #ended = false;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  ask(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#tail = this.#tail.then(() => {
      this.#waiting = false;
      return this.#ended ? undefined : this.#work();
    });
  }

  end(): Promise<void> {
    this.#ended = true;
    return this.#tail;
  }
}
