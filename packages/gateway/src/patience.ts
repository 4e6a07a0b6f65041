import { type Call, type DeadlineEntry, type DeadlineWheel, FlotillaError, wheelOf } from '@flotilla/core';

/**
 * Cancels a call that shows no sign of life.
 *
 * | state | ends the call after | exits |
 * |---|---|---|
 * | waiting for the head | `headTimeoutMs` since the last byte of the request | flowing, over |
 * | flowing | `idleTimeoutMs` since the last byte of either body | over |
 * | over | nothing | none |
 *
 * A sign of life only notes the time: the one entry on the wheel looks at it when it is due and moves on.
 */
export class Patience {
  readonly #call: Call;
  readonly #wheel: DeadlineWheel;
  #limitMs: number;
  #waitsFor: string;
  #lastAt: number;
  #entry: DeadlineEntry;
  #late: (reason: FlotillaError) => void;

  constructor(call: Call, headTimeoutMs: number) {
    this.#call = call;
    this.#wheel = wheelOf(call.clock);
    this.#limitMs = headTimeoutMs;
    this.#waitsFor = `no answer began within ${headTimeoutMs} ms; see headTimeoutMs`;
    this.#lastAt = call.startedAt; // it has just begun
    this.#late = (reason) => call.cancel(reason);
    this.#entry = this.#arm();
    call.onEnd(() => this.#wheel.remove(this.#entry));
  }

  /** A byte passed. */
  touch(): void {
    this.#lastAt = this.#call.clock.now();
  }

  /**
   * The head of the answer is here.
   * @param late what is done when nothing flows, instead of cancelling the call
   */
  flowing(idleTimeoutMs: number, late: (reason: FlotillaError) => void = this.#late): void {
    this.#limitMs = idleTimeoutMs;
    this.#waitsFor = `no byte passed for ${idleTimeoutMs} ms; see idleTimeoutMs`;
    this.#late = late;
    this.touch();
    // An entry that is due before that only looks, and moves on.
    if (this.#call.ended || this.#entry.deadline <= this.#lastAt + idleTimeoutMs) return;
    this.#wheel.remove(this.#entry);
    this.#entry = this.#arm();
  }

  #arm(): DeadlineEntry {
    const entry = { deadline: this.#lastAt + this.#limitMs, expire: () => this.#look() };
    this.#wheel.add(entry);
    return entry;
  }

  #look(): void {
    if (this.#call.ended) return;
    if (this.#lastAt + this.#limitMs > this.#call.clock.now()) this.#entry = this.#arm();
    else this.#late(new FlotillaError('DEADLINE_EXCEEDED', this.#waitsFor));
  }
}
