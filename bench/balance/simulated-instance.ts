import type { LoadReport } from '@flotilla/balance';
import { type Call, type Endpoint, FlotillaError, type Random } from '@flotilla/core';
import type { VirtualClock } from '@flotilla/core/testing';

/** What an instance does with a call at a time. */
export type Conduct =
  /** Answers, taking so many times as long as a healthy one. */
  | { readonly kind: 'serves'; readonly slowness: number }
  /** Answers an error at once. */
  | { readonly kind: 'fails' }
  /** Refuses the connection. */
  | { readonly kind: 'dead' }
  /** Takes the call and says nothing. */
  | { readonly kind: 'silent' };

/** How long a healthy instance works for one call, on average. */
export const workMs = 5;

/** Over which an instance takes its utilisation. */
const windowMs = 500;

/**
 * One instance: an event loop that does one thing after the other. Work takes random times around {@link workMs}, so a queue
 * builds up as the load nears its capacity, as in life.
 */
export class SimulatedInstance {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #conduct: (now: number) => Conduct;
  #busyUntil = 0;
  #busyMs = 0;
  #windowAt = 0;
  #utilisation = 0;

  constructor(clock: VirtualClock, random: Random, conduct: (now: number) => Conduct) {
    this.#clock = clock;
    this.#random = random;
    this.#conduct = conduct;
  }

  /** Takes a call that one of its callers sent. */
  take(call: Call, report: LoadReport): Promise<string> {
    const now = this.#clock.now();
    const conduct = this.#conduct(now);
    switch (conduct.kind) {
      case 'serves':
        return this.#serve(call, now, conduct.slowness, report);
      case 'fails':
        return this.#later(call, 1, new FlotillaError('INTERNAL', 'it is broken', { fromPeer: true }), report);
      case 'dead':
        return this.#later(call, 0.2, new FlotillaError('CONNECT_FAILED', 'it refuses', { executed: 'no' }), report);
      case 'silent':
        return this.#later(call, Infinity, undefined, report);
    }
  }

  #serve(call: Call, now: number, slowness: number, report: LoadReport): Promise<string> {
    const took = -Math.log(1 - this.#random()) * workMs * slowness;
    const from = Math.max(now, this.#busyUntil);
    this.#busyUntil = from + took;
    this.#busyMs += took;
    return this.#later(call, this.#busyUntil - now, undefined, report);
  }

  #later(call: Call, delayMs: number, error: FlotillaError | undefined, report: LoadReport): Promise<string> {
    return new Promise((resolve, reject) => {
      const leave = call.onCancel((reason) => {
        timer.cancel();
        call.end(reason);
        reject(reason);
      });
      const timer = this.#clock.setTimer(delayMs, () => {
        leave();
        if (report.wanted) report.utilisation(this.#share());
        call.end(error);
        if (error) reject(error);
        else resolve('answer');
      });
    });
  }

  #share(): number {
    const now = this.#clock.now();
    const passedMs = now - this.#windowAt;
    if (passedMs < windowMs) return this.#utilisation;
    this.#utilisation = Math.min(1, this.#busyMs / passedMs);
    this.#busyMs = 0;
    this.#windowAt = now;
    return this.#utilisation;
  }
}

/** What one caller has of an instance. It refuses nothing; the calls in flight are the caller's own. */
export class SimulatedConnection implements Endpoint<string, string> {
  readonly status = 'open';
  load = 0;
  readonly handle: (request: string, call: Call) => Promise<string>;

  constructor(instance: SimulatedInstance, report: LoadReport, count: () => void) {
    this.handle = (_request, call) => {
      this.load += 1;
      call.onEnd(() => {
        this.load -= 1;
      });
      count();
      return instance.take(call, report);
    };
  }

  async close(): Promise<void> {}
}
