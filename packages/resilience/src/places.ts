import type { Call, PriorityClass } from '@flotilla/core';
import { type Waiter, WaitQueue } from './wait-queue.ts';

/** Why a call got no place. */
export type NoPlace =
  /** As many wait as may, all of them more urgent or sooner due. */
  | 'queue full'
  /** Somebody who has just come waits instead. */
  | 'stale'
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

/** What bounds the calls that are let in; neither is ever more for a lower rank. */
export interface PlaceLimits {
  /** How many calls may be in flight for one of this rank to be let in. */
  limitOf(rank: number): number;
  /** How many may have been let in this turn of the event loop for one of this rank to be. Default: any number. */
  turnLimitOf?(rank: number): number;
  /** See {@link LoadSource.afterTurn}. Needed with `turnLimitOf`. */
  afterTurn?(listener: () => void): void;
  /** Of equal urgency, who is due last comes first. Default: who is due first does. */
  freshestFirst?(): boolean;
}

/**
 * Places for calls, and a short queue of those that wait for one. Invariants: nobody waits who could have a place; the
 * queue holds at most `maxQueued`, each for at most `maxWaitMs`.
 */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #queue = new WaitQueue<WaitingCall>();
  #inFlight = 0;
  /** Let in this turn, while that is counted. */
  #inTurn = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls that were let in this turn of the event loop, while they are bounded. */
  get inTurn(): number {
    return this.#inTurn;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Takes a place if there is one. Whoever takes one has to {@link leave}. */
  enter(rank: number): boolean {
    if (this.isFull(rank) || !this.#entersTurn(rank)) return false;
    this.#inFlight += 1;
    return true;
  }

  /** Are as many in flight as may be for one of this rank to be let in? */
  isFull(rank: number): boolean {
    return this.#inFlight >= this.#limits.limitOf(rank);
  }

  leave(): void {
    this.#inFlight -= 1;
    if (this.#queue.length > 0) this.admit();
  }

  /** Lets in whom the limits allow by now: call it when they have risen. */
  admit(): void {
    for (let next = this.#next; next && this.enter(next.rank); next = this.#next) {
      this.#queue.remove(next);
      next.settle(undefined);
    }
  }

  /**
   * Ends the wait of the least urgent one that is due first, unless it is more urgent than `rank`.
   * @returns false: there is none
   */
  dropStalest(rank: number): boolean {
    const { stalest } = this.#queue;
    if (!stalest || stalest.rank < rank) return false;
    this.#queue.remove(stalest);
    stalest.settle('stale');
    return true;
  }

  get #next(): WaitingCall | undefined {
    return this.#limits.freshestFirst?.() ? this.#queue.freshest : this.#queue.first;
  }

  #entersTurn(rank: number): boolean {
    const most = this.#limits.turnLimitOf?.(rank) ?? Infinity;
    if (most === Infinity) return true;
    if (this.#inTurn >= most) return false;
    if (++this.#inTurn === 1) this.#limits.afterTurn?.(this.#turnIsOver);
    return true;
  }

  readonly #turnIsOver = (): void => {
    this.#inTurn = 0;
    if (this.#queue.length > 0) this.admit();
  };

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
