import { assertDuration, type Clock, type Timer } from '@flotilla/core';

interface Pending {
  readonly timer: Timer;
  readonly delayMs: number;
  /** Where it was set. */
  readonly stack: string;
}

/** The fleet's clock as one start of a party has it: it knows what its party waits for, and stops with it. */
export class PartyClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<Pending>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wallNow(): number {
    return this.#clock.wallNow();
  }

  setTimer(delayMs: number, fire: () => void, options?: { readonly background?: boolean }): Timer {
    assertDuration(delayMs);
    if (this.#stopped || delayMs === Infinity) return { cancel() {} };
    const timer = this.#clock.setTimer(
      delayMs,
      () => {
        this.#pending.delete(pending);
        fire();
      },
      options,
    );
    const pending: Pending = { timer, delayMs, stack: new Error('set here').stack ?? '' };
    this.#pending.add(pending);
    return {
      cancel: () => {
        this.#pending.delete(pending);
        timer.cancel();
      },
    };
  }

  /** Nothing fires any more: its party is dead. */
  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#pending) timer.cancel();
    this.#pending.clear();
  }

  /** Timers that nobody cancelled. The one on which all deadlines hang stays by design and is none. */
  leftovers(): string[] {
    return [...this.#pending]
      .filter(({ stack }) => !/deadline-wheel/.test(stack))
      .map(({ delayMs, stack }) => `a timer of ${delayMs} ms, set ${placeOf(stack)}`);
  }
}

function placeOf(stack: string): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !/party-clock\.[jt]s/.test(line));
  return frames[0]?.trim() ?? 'somewhere';
}
