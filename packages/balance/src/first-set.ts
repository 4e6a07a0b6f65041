import type { Call, FlotillaError } from '@flotilla/core';

/** How waiting ended: `known`, `late` (the time or the deadline was over), or the reason why nobody waits any more. */
export type WaitResult = 'known' | 'late' | FlotillaError;

/** The calls that wait until anything is known of a target. */
export class FirstSet {
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

  /** Waits no longer than `timeoutMs`, the call's deadline, or the call itself. Never rejects. */
  wait(call: Call, timeoutMs: number): Promise<WaitResult> {
    if (this.#result) return Promise.resolve(this.#result);
    if (call.cancelled) return Promise.resolve(call.cancelled);
    return new Promise((resolve) => {
      const leave = (result: WaitResult): void => {
        this.#waiting.delete(leave);
        timer.cancel();
        stopListening();
        resolve(result);
      };
      const timer = call.clock.setTimer(Math.min(timeoutMs, call.remainingMs), () => leave('late'));
      const stopListening = call.onCancel((reason) => leave(reason.code === 'DEADLINE_EXCEEDED' ? 'late' : reason));
      this.#waiting.add(leave);
    });
  }
}
