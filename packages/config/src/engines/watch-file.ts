import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Clock, Timer } from '@flotilla/core';

/** A file that is being watched. */
export interface FileWatch {
  /** No change is announced after this. May be called twice. */
  close(): void;
}

/** How often the file is looked at when the operating system says nothing. */
const pollMs = 200;
/** A change is announced when the file has looked the same for this long: editors write in several steps. */
const settleMs = 20;

/**
 * Calls `onChange` after each change of the file at `path`, once it has settled. Resolves when changes from now on are
 * seen, so: watch first, then read.
 *
 * The operating system's own notice makes it quick; looking every 200 ms makes it sure where there is none (network
 * drives, used-up inotify watches). Both look at the path, not at the open file: an editor that writes a new file and
 * renames it over the old one, and a mounted ConfigMap that swaps a link, are changes like any other. While the file is
 * missing nothing is announced. The watch alone does not keep the process alive.
 */
export async function watchFile(path: string, clock: Clock, onChange: () => void): Promise<FileWatch> {
  const watcher = new Watcher(path, clock, onChange);
  await watcher.start();
  return watcher;
}

class Watcher implements FileWatch {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  /** How the file looked when it was last announced, and when it was last looked at. */
  #announced = '';
  #seen = '';
  #timer: Timer | undefined;
  #notices: FSWatcher | undefined;
  #looking = false;
  #hurried = false;
  #closed = false;

  constructor(path: string, clock: Clock, onChange: () => void) {
    this.#path = path;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  async start(): Promise<void> {
    this.#listen();
    this.#announced = this.#seen = await looksOf(this.#path);
    this.#lookIn(pollMs);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#notices?.close();
  }

  /** Watches the directory: a watch on the file would stay with the old one after a rename. */
  #listen(): void {
    const name = basename(this.#path);
    try {
      this.#notices = watch(dirname(this.#path), { persistent: false }, (_kind, changed) => {
        // A mounted ConfigMap swaps a link named `..data`; on some systems no name is given at all.
        if (changed === null || changed === name || changed.startsWith('..')) this.#hurry();
      });
      this.#notices.on('error', () => this.#notices?.close()); // polling goes on
    } catch {
      this.#notices = undefined; // no watches left, or no directory yet: polling alone
    }
  }

  /** Once per look: a file that is written all the time must not push the look ahead of itself. */
  #hurry(): void {
    if (this.#hurried) return;
    this.#hurried = true;
    this.#lookIn(settleMs);
  }

  #lookIn(delayMs: number): void {
    if (this.#closed || this.#looking) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(delayMs, () => void this.#look(), { background: true });
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#hurried = false;
    const looks = await looksOf(this.#path);
    this.#looking = false;
    if (this.#closed) return;
    const settled = looks === this.#seen;
    this.#seen = looks;
    this.#lookIn(settled ? pollMs : settleMs);
    if (!settled || looks === this.#announced || looks === missing) return;
    this.#announced = looks;
    this.#onChange();
  }
}

const missing = 'missing';

/** Identity, size and times of what is at the path: equal texts mean an untouched file. */
async function looksOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return missing;
  }
}
