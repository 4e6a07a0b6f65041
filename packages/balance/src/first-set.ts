import type { Call, FlotillaError } from '@flotilla/core';

/** How waiting ended: `known`, `late` (the time or the deadline was over), or the reason why nobody waits any more. */
export type WaitResult = 'known' | 'late' | FlotillaError;

/**
 * The calls that wait until anything is known of a target. They do so within one span of time that begins when the target
 * is first followed, not each for a span of its own: a name that nobody bears costs its callers a wait once, and from then
 * on they are told at once.
 */
export class FirstSet {
  #endsAt = Infinity;
  readonly #waiting = new Set<(result: WaitResult) => void>();
  #result: WaitResult | undefined;

  get known(): boolean {
    return this.#result === 'known';
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Ends the waiting of all, now and later. The first result stays. */
  settle(result: WaitResult): void {
    if (this.#result) return;
    this.#result = result;
    for (const leave of this.#waiting) leave(result);
  }

  /** The target is followed from now on. @param now on the clock of the calls that will wait */
  begin(now: number, timeoutMs: number): void {
    this.#endsAt = now + timeoutMs;
  }

  /** Waits no longer than the span that is left, the call's deadline, or the call itself. Never rejects. */
  wait(call: Call): Promise<WaitResult> {
    if (this.#result) return Promise.resolve(this.#result);
    if (call.cancelled) return Promise.resolve(call.cancelled);
    const leftMs = this.#endsAt - call.clock.now();
    if (leftMs <= 0) return Promise.resolve('late');
    return new Promise((resolve) => {
      const leave = (result: WaitResult): void => {
        this.#waiting.delete(leave);
        timer.cancel();
        stopListening();
        resolve(result);
      };
      const timer = call.clock.setTimer(Math.min(leftMs, call.remainingMs), () => leave('late'));
      const stopListening = call.onCancel((reason) => leave(reason.code === 'DEADLINE_EXCEEDED' ? 'late' : reason));
      this.#waiting.add(leave);
    });
  }
}
