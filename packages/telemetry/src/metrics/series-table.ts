import type { Labels } from '@flotilla/core';

/** Series of one metric; more label sets than this share one series whose labels are all `other`. */
export const maxSeriesPerMetric = 1_000;

/** One set of label values and what is recorded under it. */
export interface LabelledSeries<Series> {
  readonly labels: Labels;
  readonly series: Series;
}

/** The series of one metric by their label values. The same labels give the same series, so asking costs one look-up. */
export class SeriesTable<Series> {
  readonly #metric: string;
  readonly #names: readonly string[];
  readonly #create: () => Series;
  readonly #onOverflow: () => void;
  readonly #byKey = new Map<string, LabelledSeries<Series>>();

  /** @param onOverflow is called each time that a label set had to be dropped. */
  constructor(metric: string, names: readonly string[], create: () => Series, onOverflow: () => void) {
    this.#metric = metric;
    this.#names = names;
    this.#create = create;
    this.#onOverflow = onOverflow;
    if (names.length === 0) this.with({});
  }

  /** @throws TypeError when the labels are not exactly those of the metric. */
  with(labels: Labels): Series {
    const values = this.#valuesOf(labels);
    const key = JSON.stringify(values);
    const known = this.#byKey.get(key);
    if (known) return known.series;
    if (this.#byKey.size < maxSeriesPerMetric) return this.#add(key, values);
    this.#onOverflow();
    const others = this.#names.map(() => 'other');
    const otherKey = JSON.stringify(others);
    return this.#byKey.get(otherKey)?.series ?? this.#add(otherKey, others);
  }

  *[Symbol.iterator](): Iterator<LabelledSeries<Series>> {
    yield* this.#byKey.values();
  }

  #valuesOf(labels: Labels): string[] {
    const given = Object.keys(labels);
    const values: string[] = [];
    for (const name of this.#names) {
      const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
      if (typeof value !== 'string' || given.length !== this.#names.length) this.#refuse(given);
      else values.push(value.slice(0, 200));
    }
    if (given.length !== this.#names.length) this.#refuse(given);
    return values;
  }

  #refuse(given: readonly string[]): never {
    const list = (names: readonly string[]): string =>
      names.length === 0 ? 'no labels' : `text for ${names.map((name) => `"${name}"`).join(', ')}`;
    throw new TypeError(`the metric "${this.#metric}" takes ${list(this.#names)}; got ${list(given)}`);
  }

  #add(key: string, values: readonly string[]): Series {
    const labels = Object.fromEntries(this.#names.map((name, position) => [name, values[position] ?? '']));
    const series = this.#create();
    this.#byKey.set(key, { labels, series });
    return series;
  }
}
