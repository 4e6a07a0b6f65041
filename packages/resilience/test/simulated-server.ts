import { Call, type Clock, type Random, type Timer } from '@flotilla/core';
import type { LoadSource, ProcessLoad } from '../src/load-source.ts';
import type { ServerGuard } from '../src/server-guard.ts';

/** What the server does with a request, and what its parts cost the one thread that it has. */
export interface Work {
  /** Waits for somebody else, before it computes. */
  readonly waitMs: number;
  readonly computeMs: number;
  /** Reading and admitting a request, and refusing it. */
  readonly admitMs: number;
  readonly refuseMs: number;
}

/** What became of one request. */
export interface Result {
  readonly sentAt: number;
  readonly endedAt: number;
  readonly good: boolean;
  readonly urgency: number;
}

/** Time of the simulation; timers are those of the guard's queue. */
class SimulatedClock implements Clock {
  time = 0;
  readonly timers = new Set<{ readonly at: number; fire(): void }>();

  now(): number {
    return this.time;
  }

  wallNow(): number {
    return this.time;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer = { at: this.time + delayMs, fire };
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer) };
  }
}

/**
 * A process with one thread under an open load, in time of its own: requests arrive while it computes, wait in its sockets,
 * and are all read when it comes round. So the delay that no filter sees is there too.
 */
export class SimulatedServer implements LoadSource {
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly results: Result[] = [];
  readonly #work: Work;
  readonly #random: Random;
  /** Answers of those that were waited for. */
  readonly #ready: { readonly at: number; readonly call: Call; readonly sentAt: number }[] = [];
  readonly #written: Call[] = [];
  readonly #afterTurn: (() => void)[] = [];
  readonly #turns: { readonly endedAt: number; readonly tookMs: number }[] = [];
  #load: ProcessLoad = { loopDelayMs: 0, utilisation: 0, heapFraction: 0.1 };
  #measuredAt = 0;
  #delaysAt = 0;
  /** Time that ended turns took; the one in hand began at `#turnAt`. */
  #busyMs = 0;
  #turnAt = 0;
  #measuredBusyMs = 0;

  constructor(work: Work, random: Random) {
    this.#work = work;
    this.#random = random;
  }

  /** As {@link NodeLoad} measures it. */
  load(now: number): ProcessLoad {
    const sinceMs = now - this.#measuredAt;
    if (sinceMs < 25) return this.#load;
    const busyMs = this.#busyMs + now - this.#turnAt;
    this.#load = { ...this.#load, utilisation: Math.min(1, (busyMs - this.#measuredBusyMs) / sinceMs) };
    this.#measuredBusyMs = busyMs;
    this.#measuredAt = now;
    if (now - this.#delaysAt < 100) return this.#load;
    const delays = this.#turns.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
    this.#load = { ...this.#load, loopDelayMs: Math.max(0, (delays[delays.length >> 1] ?? 0) - 10) };
    this.#delaysAt = now;
    this.#turns.length = 0;
    return this.#load;
  }

  afterTurn(listener: () => void): void {
    this.#afterTurn.push(listener);
  }

  /** @param arrivals in order */
  async run(guard: ServerGuard, arrivals: readonly { readonly at: number; readonly urgency: number }[]): Promise<void> {
    let next = 0;
    const last = (arrivals.at(-1)?.at ?? 0) + 5_000;
    while (this.clock.time < last) {
      const turnAt = this.clock.time;
      this.#turnAt = turnAt;
      const dueTimers = [...this.clock.timers].filter(({ at }) => at <= turnAt);
      for (const timer of dueTimers) {
        this.clock.timers.delete(timer);
        timer.fire();
      }
      for (const call of this.#written.splice(0)) call.end();
      await Promise.resolve();
      const ready = this.#ready.filter(({ at }) => at <= turnAt);
      for (const one of ready) {
        this.#ready.splice(this.#ready.indexOf(one), 1);
        this.#compute(one.call, one.sentAt);
        await Promise.resolve();
      }
      const polledAt = this.clock.time; // sockets are looked at when the timers have run
      for (; next < arrivals.length; next++) {
        const arrival = arrivals[next];
        if (!arrival || arrival.at > polledAt) break;
        await this.#take(guard, arrival.at, arrival.urgency);
      }
      for (const listener of this.#afterTurn.splice(0)) listener();
      await Promise.resolve();
      const took = this.clock.time - turnAt;
      this.#busyMs += took;
      this.#turnAt = this.clock.time;
      if (took > 0) this.#turns.push({ endedAt: this.clock.time, tookMs: took });
      else {
        const moments = [
          arrivals[next]?.at,
          ...this.#ready.map(({ at }) => at),
          ...[...this.clock.timers].map(({ at }) => at),
        ];
        const soonest = Math.min(last, ...moments.filter((at) => at !== undefined));
        this.clock.time = Math.max(soonest, turnAt + 0.001);
        this.#turnAt = this.clock.time;
      }
    }
  }

  #compute(call: Call, sentAt: number): void {
    this.clock.time += this.#work.computeMs;
    this.results.push({ sentAt, endedAt: this.clock.time, good: true, urgency: call.urgency });
    // Its last byte is out when the loop comes round again: until then it counts.
    this.#written.push(call);
  }

  async #take(guard: ServerGuard, sentAt: number, urgency: number): Promise<void> {
    const call = new Call({ clock: this.clock, random: this.#random, urgency });
    this.clock.time += this.#work.admitMs;
    const refuse = (): void => {
      this.clock.time += this.#work.refuseMs;
      this.results.push({ sentAt, endedAt: this.clock.time, good: false, urgency });
      call.end();
    };
    const start = (): void => {
      guard.hold(call, 'work', this.clock.now());
      if (this.#work.waitMs === 0) this.#compute(call, sentAt);
      else this.#ready.push({ at: this.clock.time + this.#work.waitMs, call, sentAt });
    };
    if (guard.shed(call, 'work', this.clock.now())) return refuse();
    if (guard.enter(call, this.clock.now())) return start();
    void guard.queue(call, 'work').then(start, refuse);
    await Promise.resolve();
    await Promise.resolve();
  }
}

/** An open load: `perSecond` requests from `fromMs` to `toMs`, evenly random; one in ten critical, one in ten bulk. */
export function openLoad(
  phases: readonly { readonly perSecond: number; readonly ms: number }[],
  random: Random,
): readonly { readonly at: number; readonly urgency: number }[] {
  const arrivals: { at: number; urgency: number }[] = [];
  let start = 0;
  for (const { perSecond, ms } of phases) {
    for (let at = start; at < start + ms; at += (-Math.log(1 - random()) * 1_000) / perSecond) {
      const draw = random();
      arrivals.push({ at, urgency: draw < 0.1 ? 0 : draw < 0.2 ? 6 : 3 });
    }
    start += ms;
  }
  return arrivals;
}
