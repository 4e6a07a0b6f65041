import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { Clock } from '@flotilla/core';

/** How long the event loop of a program stood still, and by what. */
export class StallWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  #longest: Record<'timer' | 'save' | 'gc', number> = { timer: 0, save: 0, gc: 0 };

  constructor() {
    this.#delay.enable();
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#note('gc', duration);
    }).observe({ entryTypes: ['gc'] });
  }

  /** A clock that notes the CPU time of what its timers do: a registry's sweeps are timers. */
  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      wallNow: () => clock.wallNow(),
      setTimer: (delayMs, callback, options) =>
        clock.setTimer(
          delayMs,
          () => {
            const before = process.threadCpuUsage();
            callback();
            const { user, system } = process.threadCpuUsage(before);
            this.#note('timer', (user + system) / 1_000);
          },
          options,
        ),
    };
  }

  /** Notes how long the loop stands still at most while `work` goes on. */
  async during<T>(what: 'save', work: () => Promise<T>): Promise<T> {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    try {
      return await work();
    } finally {
      delay.disable();
      this.#note(what, delay.max / 1e6);
    }
  }

  /** Milliseconds, since it was asked last. */
  take(): Readonly<Record<'longest' | 'timer' | 'save' | 'gc', number>> {
    const taken = { longest: this.#delay.max / 1e6, ...this.#longest };
    this.#delay.reset();
    this.#longest = { timer: 0, save: 0, gc: 0 };
    return taken;
  }

  #note(what: 'timer' | 'save' | 'gc', ms: number): void {
    this.#longest[what] = Math.max(this.#longest[what], ms);
  }
}
