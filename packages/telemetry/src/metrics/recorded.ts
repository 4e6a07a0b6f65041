import type { Counter, Gauge, Histogram } from '@flotilla/core';

/** One line of the Prometheus text format, before it is text. */
export interface Sample {
  /** Empty: the metric's own name; else what follows it: `_bucket`. */
  readonly suffix: '' | '_bucket' | '_sum' | '_count';
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A series that can be read. */
export interface Recorded {
  samples(): Sample[];
}

/** Recording is one addition: a call counts itself several times. */
export class RecordedCounter implements Counter, Recorded {
  #value = 0;

  /** @throws RangeError for a negative amount: a counter only rises. */
  add(amount = 1): void {
    if (!(amount >= 0)) throw new RangeError(`a counter takes an amount from 0 on, got ${amount}`);
    this.#value += amount;
  }

  samples(): Sample[] {
    return [{ suffix: '', labels: {}, value: this.#value }];
  }
}

export class RecordedGauge implements Gauge, Recorded {
  #value = 0;

  set(value: number): void {
    this.#value = value;
  }

  samples(): Sample[] {
    return [{ suffix: '', labels: {}, value: this.#value }];
  }
}

/** 1 ms to 10 s, about three a decade: for durations in seconds. */
export const defaultBuckets: readonly number[] = Object.freeze([
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
]);

export class RecordedHistogram implements Histogram, Recorded {
  readonly #bounds: readonly number[];
  /** How many values fell into each bucket; the last one is above all bounds. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** A value that is not a number is dropped: it would spoil the sum for ever. */
  record(value: number): void {
    if (!Number.isFinite(value)) return;
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? Infinity)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  samples(): Sample[] {
    let total = 0;
    const buckets = this.#counts.map((count, position): Sample => {
      total += count;
      const le = position < this.#bounds.length ? String(this.#bounds[position]) : '+Inf';
      return { suffix: '_bucket', labels: { le }, value: total };
    });
    return [
      ...buckets,
      { suffix: '_sum', labels: {}, value: this.#sum },
      { suffix: '_count', labels: {}, value: total },
    ];
  }
}
