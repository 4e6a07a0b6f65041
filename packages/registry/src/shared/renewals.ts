import type { Clock, Timer } from '@flotilla/core';
import { bulletinTexts, readBulletin } from './bulletin.ts';
import type { LeaseEngine } from './engine.ts';
import type { KnownRecords } from './known-records.ts';

/** What {@link Renewals} need. */
export interface RenewalsParts {
  readonly engine: Pick<LeaseEngine, 'publish'>;
  readonly known: KnownRecords;
  readonly clock: Clock;
  /** Whether the engine is there. */
  readonly isOpen: () => boolean;
}

/** Renewals are told to the other nodes this often. */
const bulletinEveryMs = 1_000;

/** Which leases were renewed at this node, told to the other nodes as bulletins. */
export class Renewals {
  readonly #parts: RenewalsParts;
  #renewed = new Set<string>();
  #timer: Timer | undefined;

  constructor(parts: RenewalsParts) {
    this.#parts = parts;
  }

  start(): void {
    const fire = (): void => {
      void this.publish();
      this.start();
    };
    this.#timer = this.#parts.clock.setTimer(bulletinEveryMs, fire, { background: true });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  add(key: string): void {
    this.#renewed.add(key);
  }

  /** Whether the other nodes were not told yet. */
  has(key: string): boolean {
    return this.#renewed.has(key);
  }

  /** Tells the other nodes now. What cannot be told waits for the next time. */
  async publish(): Promise<void> {
    const { engine, known, isOpen } = this.#parts;
    if (!isOpen() || this.#renewed.size === 0) return;
    const renewed = this.#renewed;
    this.#renewed = new Set();
    const revisions: number[] = [];
    for (const key of renewed) {
      const record = known.get(key);
      if (record?.kind === 'lease') revisions.push(record.revision);
    }
    try {
      for (const text of bulletinTexts('renewed', revisions)) await engine.publish(text);
    } catch {
      for (const key of renewed) this.#renewed.add(key);
    }
  }

  /** The keys that a bulletin of another node renews, as far as they are still what that node saw. */
  *read(text: string): Generator<string, undefined> {
    for (const revision of readBulletin('renewed', text)) {
      const key = this.#parts.known.keyAt(revision);
      if (key !== undefined) yield key;
    }
  }
}
