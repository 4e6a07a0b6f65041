import type { Counter, Family, Gauge, Histogram, Labels, Meter, MetricSpec } from '@flotilla/core';
import { isOf } from './log-book.ts';

type Series = Counter & Gauge & Histogram;

interface RecordedSeries {
  readonly party: string;
  readonly name: string;
  readonly labels: Labels;
  /** Of a counter and a gauge its value, of a histogram the sum of what was recorded. */
  sum: number;
  /** How often something was recorded. */
  count: number;
}

/** More series than this are no test of ours: a label has a value without bound. */
const mostSeries = 10_000;

/** What the parties of a fleet counted and measured, without any exposition format. */
export class MetricBook {
  readonly #series = new Map<string, RecordedSeries>();

  /**
   * The sum over all series of that metric that have these labels: of a counter or gauge its value, of a histogram what
   * was recorded in all. 0 when there is none.
   * @param party a copy (`web.2`), or a service for all of its copies. Default: everybody.
   */
  value(name: string, labels: Labels = {}, party?: string): number {
    return this.#matching(name, labels, party).reduce((sum, series) => sum + series.sum, 0);
  }

  /** How often something was recorded: the samples of a histogram. */
  count(name: string, labels: Labels = {}, party?: string): number {
    return this.#matching(name, labels, party).reduce((sum, series) => sum + series.count, 0);
  }

  /** Names of the metrics that have a series. */
  names(): readonly string[] {
    return [...new Set([...this.#series.values()].map(({ name }) => name))].sort();
  }

  meter(party: string): Meter {
    const family = ({ name }: MetricSpec): Family<Series> => ({
      with: (labels) => this.#open(party, name, labels),
    });
    return { counter: family, gauge: family, histogram: family };
  }

  #open(party: string, name: string, labels: Labels): Series {
    const key = JSON.stringify([party, name, Object.entries(labels).sort()]);
    const series = this.#series.get(key) ?? { party, name, labels, sum: 0, count: 0 };
    if (!this.#series.has(key) && this.#series.size >= mostSeries) {
      throw new RangeError(`${name} has a label without bound: the fleet has ${mostSeries} series already`);
    }
    this.#series.set(key, series);
    const add = (amount: number): void => {
      series.sum += amount;
      series.count++;
    };
    return {
      add: (amount = 1) => add(amount),
      record: add,
      set(value) {
        series.sum = value;
        series.count++;
      },
    };
  }

  #matching(name: string, labels: Labels, party: string | undefined): RecordedSeries[] {
    return [...this.#series.values()].filter(
      (series) =>
        series.name === name &&
        (party === undefined || isOf(series.party, party)) &&
        Object.entries(labels).every(([label, value]) => series.labels[label] === value),
    );
  }
}
