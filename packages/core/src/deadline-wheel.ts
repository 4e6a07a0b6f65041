import type { Clock, Timer } from './clock.ts';

/** Something that happens when its deadline has passed. */
export interface DeadlineEntry {
  readonly deadline: number;
  expire(): void;
}

/**
 * One coarse timer for all deadlines of a process: a call costs two set operations instead of a timer of its own.
 *
 * ```
 *   tick = ceil(deadline / 10 ms)
 *   buckets: 41 → {a, b}   43 → {c}   3041 → {d, e, f, …}
 *            ▲ the only armed timer
 * ```
 *
 * An entry expires at the first tick at or after its deadline: never early, at most {@link grainMs} late.
 */
export class DeadlineWheel {
  static readonly grainMs = 10;
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Set<DeadlineEntry>>();
  #armedTick = Infinity;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(entry: DeadlineEntry): void {
    const tick = tickOf(entry);
    const bucket = this.#buckets.get(tick);
    if (bucket) bucket.add(entry);
    else this.#buckets.set(tick, new Set([entry]));
    if (tick < this.#armedTick) this.#arm(tick);
  }

  /** Removing an entry that expired or was never added does nothing. The timer stays: the next call will want it. */
  remove(entry: DeadlineEntry): void {
    this.#buckets.get(tickOf(entry))?.delete(entry);
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#armedTick = tick;
    const delayMs = Math.max(0, tick * DeadlineWheel.grainMs - this.#clock.now());
    // In the background: what waits for a deadline holds a socket or a timer of its own.
    this.#timer = this.#clock.setTimer(delayMs, () => this.#turn(), { background: true });
  }

  #turn(): void {
    const nowTick = Math.floor(this.#clock.now() / DeadlineWheel.grainMs);
    const due = [...this.#buckets].filter(([tick]) => tick <= nowTick).sort(([a], [b]) => a - b);
    for (const [tick] of due) this.#buckets.delete(tick);
    for (const [tick, bucket] of this.#buckets) if (bucket.size === 0) this.#buckets.delete(tick);
    this.#armedTick = Infinity;
    this.#timer = undefined;
    for (const [, bucket] of due) for (const entry of bucket) entry.expire();
    let next = Infinity;
    for (const tick of this.#buckets.keys()) next = Math.min(next, tick);
    if (next < this.#armedTick) this.#arm(next);
  }
}

const wheels = new WeakMap<Clock, DeadlineWheel>();

/** The wheel of a clock: one each. */
export function wheelOf(clock: Clock): DeadlineWheel {
  let wheel = wheels.get(clock);
  if (!wheel) {
    wheel = new DeadlineWheel(clock);
    wheels.set(clock, wheel);
  }
  return wheel;
}

function tickOf({ deadline }: DeadlineEntry): number {
  return Math.ceil(deadline / DeadlineWheel.grainMs);
}
