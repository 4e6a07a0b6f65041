import { assertDuration, type Clock, type Timer } from '../clock.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * A clock that moves only when a test says so.
 *
 * ```ts
 * const clock = new ManualClock();
 * clock.setTimer(1_000, () => lapsed.push('a'));
 * await clock.advance(999);  // nothing
 * await clock.advance(1);    // fires
 * ```
 */
export class ManualClock implements Clock {
  #now: number;
  #epochMs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  /** @param epochMs wall time at `now() === startMs`; default 2026-01-01T00:00:00Z. */
  constructor({ startMs = 0, epochMs = 1_767_225_600_000 }: { startMs?: number; epochMs?: number } = {}) {
    this.#now = startMs;
    this.#epochMs = epochMs - startMs;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#epochMs + this.#now;
  }

  /** Moves the wall clock alone, forward or backward, as an operator, NTP or a suspend does. */
  jumpWall(ms: number): void {
    this.#epochMs += ms;
  }

  /** Timers that have neither fired nor been cancelled: what a test asserts to be 0 at its end. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** When the next timer fires; undefined while none is pending. */
  get nextTimerAt(): number | undefined {
    return this.#next(Infinity)?.at;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    assertDuration(delayMs);
    if (delayMs === Infinity) return { cancel() {} };
    const entry = { at: this.#now + delayMs, order: this.#order++, fire };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }

  /**
   * Moves time forward by `ms`, firing each timer at its own instant, in order, and lets the promises that it settles
   * run before the next one.
   */
  async advance(ms: number): Promise<void> {
    assertDuration(ms, 'ms');
    const target = this.#now + ms;
    await settle();
    for (let next = this.#next(target); next; next = this.#next(target)) {
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await settle();
    }
    this.#now = target;
    await settle();
  }

  #next(until: number): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.at > until) continue;
      if (!first || entry.at < first.at || (entry.at === first.at && entry.order < first.order)) first = entry;
    }
    return first;
  }
}

/** Lets everything that is already settled run, including streams that hop through several turns of the loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
