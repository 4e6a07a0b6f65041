import type { Clock, Timer } from './clock.ts';

/** Something that happens when its deadline has passed. */
export interface DeadlineEntry {
  readonly deadline: number;
  expire(): void;
  /** Its neighbours on the wheel, which are the wheel's own to write. Absent: it is on no wheel. */
  previous?: DeadlineEntry | undefined;
  next?: DeadlineEntry | undefined;
}

/**
 * One coarse timer for all deadlines of a process: a call costs the writing of a few links instead of a timer of its own.
 *
 * ```
 *   tick = ceil(deadline / 10 ms)
 *   buckets: 41 → a ⇄ b   43 → c   3041 → d ⇄ e ⇄ f ⇄ …      each a ring, closed by the bucket itself
 *            ▲ the only armed timer
 * ```
 *
 * An entry expires at the first tick at or after its deadline: never early, at most {@link grainMs} late.
 */
export class DeadlineWheel {
  static readonly grainMs = 10;
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Bucket>();
  /** The bucket that was asked for last: calls that begin together mostly end together. */
  #recent: Bucket | undefined;
  #armedTick = Infinity;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(entry: DeadlineEntry): void {
    const tick = Math.ceil(entry.deadline / DeadlineWheel.grainMs);
    const bucket = this.#recent?.tick === tick ? this.#recent : this.#bucketOf(tick);
    bucket.append(entry);
    if (tick < this.#armedTick) this.#arm(tick);
  }

  /** Removing an entry that expired or was never added does nothing. The timer stays: the next call will want it. */
  remove(entry: DeadlineEntry): void {
    unlink(entry);
  }

  #bucketOf(tick: number): Bucket {
    let bucket = this.#buckets.get(tick);
    if (!bucket) {
      bucket = new Bucket(tick);
      this.#buckets.set(tick, bucket);
    }
    this.#recent = bucket;
    return bucket;
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
    const due = [...this.#buckets.values()].filter(({ tick }) => tick <= nowTick).sort((a, b) => a.tick - b.tick);
    for (const { tick } of due) this.#buckets.delete(tick);
    for (const bucket of this.#buckets.values()) if (bucket.isEmpty) this.#buckets.delete(bucket.tick);
    this.#recent = undefined;
    this.#armedTick = Infinity;
    this.#timer = undefined;
    for (const bucket of due) bucket.expire();
    let next = Infinity;
    for (const tick of this.#buckets.keys()) next = Math.min(next, tick);
    if (next < this.#armedTick) this.#arm(next);
  }
}

/** The entries of one tick, in the order in which they came. */
class Bucket implements DeadlineEntry {
  readonly tick: number;
  readonly deadline = Infinity;
  previous: DeadlineEntry = this;
  next: DeadlineEntry = this;

  constructor(tick: number) {
    this.tick = tick;
  }

  get isEmpty(): boolean {
    return this.next === this;
  }

  append(entry: DeadlineEntry): void {
    const last = this.previous;
    entry.previous = last;
    entry.next = this;
    last.next = entry;
    this.previous = entry;
  }

  /** One at a time: what expires may take others away. */
  expire(): void {
    while (!this.isEmpty) {
      const entry = this.next;
      unlink(entry);
      entry.expire();
    }
  }
}

function unlink(entry: DeadlineEntry): void {
  const { previous, next } = entry;
  if (!previous || !next) return;
  previous.next = next;
  next.previous = previous;
  entry.previous = undefined;
  entry.next = undefined;
}

const wheels = new WeakMap<Clock, DeadlineWheel>();

/** The clock that was asked for last, and its wheel: a process has one. */
let last: { readonly clock: Clock; readonly wheel: DeadlineWheel } | undefined;

/** The wheel of a clock: one each. */
export function wheelOf(clock: Clock): DeadlineWheel {
  if (last?.clock === clock) return last.wheel;
  let wheel = wheels.get(clock);
  if (!wheel) {
    wheel = new DeadlineWheel(clock);
    wheels.set(clock, wheel);
  }
  last = { clock, wheel };
  return wheel;
}
