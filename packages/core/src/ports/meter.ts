/** Label names and values of one series. Values must come from a bounded set. */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(amount?: number): void;
}

export interface Gauge {
  set(value: number): void;
}

export interface Histogram {
  record(value: number): void;
}

/** A metric with its labels still open. Ask for a series once and keep it: that makes recording cheap. */
export interface Family<Series> {
  with(labels: Labels): Series;
}

/** Name, meaning and label names of a metric; `docs/metrics.md` lists them all. */
export interface MetricSpec {
  /** Prometheus name with its unit: `flotilla_client_duration_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Port for metrics. Asking twice for one name gives the same metric. */
export interface Meter {
  counter(spec: MetricSpec): Family<Counter>;
  gauge(spec: MetricSpec): Family<Gauge>;
  /** @param spec.buckets upper bounds, rising. Default: 1 ms to 10 s, for durations in seconds. */
  histogram(spec: MetricSpec & { readonly buckets?: readonly number[] }): Family<Histogram>;
}

const nullSeries: Counter & Gauge & Histogram = Object.freeze({ add() {}, set() {}, record() {} });
const nullFamily: Family<Counter & Gauge & Histogram> = Object.freeze({ with: () => nullSeries });

/** Counts nothing. */
export const nullMeter: Meter = Object.freeze({
  counter: () => nullFamily,
  gauge: () => nullFamily,
  histogram: () => nullFamily,
});
