import type { Call, PriorityClass } from '@flotilla/core';
import { type Waiter, WaitQueue } from './wait-queue.ts';

/** Why a call got no place. */
export type NoPlace =
  /** As many wait as may, all of them more urgent or sooner due. */
  | 'queue full'
  /** It waited as long as it may. */
  | 'waited';

/** How long may be waited, and by how many. */
export interface Waiting {
  readonly maxQueued: number;
  readonly maxWaitMs: number;
}

/** How the classes stand in a queue: the most urgent first. */
export const ranks: Readonly<Record<PriorityClass, number>> = Object.freeze({
  critical: 0,
  default: 1,
  bulk: 2,
  probe: 3,
});

interface WaitingCall extends Waiter {
  /** The wait is over: with a place, without one, or because the call is no longer wanted. */
  settle(result: undefined | NoPlace): void;
}

/**
 * Places for calls, and a short queue of those that wait for one. Invariants: nobody waits who could have a place; the
 * queue holds at most `maxQueued`, each for at most `maxWaitMs`.
 */
export class Places {
  readonly #limitOf: (rank: number) => number;
  readonly #queue = new WaitQueue<WaitingCall>();
  #inFlight = 0;

  /** @param limitOf how many calls may be in flight for one of this rank to be let in; never more for a lower rank */
  constructor(limitOf: (rank: number) => number) {
    this.#limitOf = limitOf;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Takes a place if there is one. Whoever takes one has to {@link leave}. */
  enter(rank: number): boolean {
    if (this.#inFlight >= this.#limitOf(rank)) return false;
    this.#inFlight += 1;
    return true;
  }

  leave(): void {
    this.#inFlight -= 1;
    if (this.#queue.length > 0) this.admit();
  }

  /** Lets in whom the limits allow by now: call it when they have risen. */
  admit(): void {
    for (let first = this.#queue.first; first && this.enter(first.rank); first = this.#queue.first) {
      this.#queue.shift();
      first.settle(undefined);
    }
  }

  /**
   * Waits for a place, by priority and deadline.
   * @returns undefined: it has one now. Rejects with the reason when the call is cancelled meanwhile.
   */
  wait(call: Call, rank: number, { maxQueued, maxWaitMs }: Waiting): Promise<NoPlace | undefined> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        timer.cancel();
        leaveCancel();
      };
      const waiter: WaitingCall = {
        rank,
        deadline: call.deadline,
        settle(result) {
          done();
          resolve(result);
        },
      };
      const timer = call.clock.setTimer(maxWaitMs, () => {
        this.#queue.remove(waiter);
        leaveCancel();
        resolve('waited');
      });
      const leaveCancel = call.onCancel((reason) => {
        this.#queue.remove(waiter);
        timer.cancel();
        reject(reason);
      });
      if (call.cancelled) return;
      this.#queue.push(waiter, maxQueued)?.settle('queue full');
    });
  }
}
