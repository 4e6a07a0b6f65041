import type { Counter, Family, Gauge, Histogram, Meter, MetricSpec } from '@flotilla/core';
import { collectDefaultMetrics, type Metric, Registry, validateMetricName } from '@prometheus-io/client';
import { defaultBuckets, type Recorded, RecordedCounter, RecordedGauge, RecordedHistogram } from './recorded.ts';
import { SeriesTable } from './series-table.ts';

/** A meter that can show what it counted. */
export interface PrometheusMeter extends Meter {
  /** All metrics in the Prometheus text format 0.0.4. */
  render(): Promise<string>;
  /** Media type of what {@link render} gives. */
  readonly contentType: string;
}

export interface PrometheusMeterOptions {
  /** Also event-loop delay and utilisation, heap, CPU, garbage collection, open handles. Default true. */
  readonly processMetrics?: boolean;
}

/**
 * A meter in memory, shown in the Prometheus text format by a registry of its own, never the library's global one.
 * Recording into a series is a few additions; the library only writes the text and measures the process.
 * A metric has at most 1 000 series: label sets beyond are recorded under `other` and counted in
 * `flotilla_metric_label_sets_dropped_total`.
 */
export function prometheusMeter({ processMetrics = true }: PrometheusMeterOptions = {}): PrometheusMeter {
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry, ...processMeasuring });
  const metrics = new Map<string, RegisteredMetric>();
  const dropped = new RegisteredMetric('counter', droppedSpec, '', () => new RecordedCounter(), nothing);
  const family = (type: MetricType, spec: MetricSpec, rule: string, create: () => Recorded): RegisteredMetric => {
    const known = metrics.get(spec.name);
    if (known) return known.assertSame(type, spec, rule);
    const onOverflow = (): void => (dropped.table.with({ metric: spec.name }) as RecordedCounter).add();
    const metric = new RegisteredMetric(type, spec, rule, create, onOverflow);
    registry.registerMetric(metric.forRegistry());
    metrics.set(spec.name, metric);
    return metric;
  };
  metrics.set(droppedSpec.name, dropped);
  registry.registerMetric(dropped.forRegistry());
  return Object.freeze({
    contentType: registry.contentType,
    render: () => registry.metrics(),
    counter: (spec: MetricSpec) => family('counter', spec, '', () => new RecordedCounter()).table as Family<Counter>,
    gauge: (spec: MetricSpec) => family('gauge', spec, '', () => new RecordedGauge()).table as Family<Gauge>,
    histogram: (spec: MetricSpec & { readonly buckets?: readonly number[] }) => {
      const bounds = risingBounds(spec.name, spec.buckets ?? defaultBuckets);
      const create = (): Recorded => new RecordedHistogram(bounds);
      return family('histogram', spec, bounds.join(' '), create).table as Family<unknown> as Family<Histogram>;
    },
  });
}

/** The library takes up to a millisecond for a sample of utilisation: by default ten times a second, which calls wait for. */
const processMeasuring = { eventLoopMonitoringPrecision: 20, eventLoopUtilizationTimeout: 1_000 } as const;

type MetricType = 'counter' | 'gauge' | 'histogram';

const droppedSpec: MetricSpec = {
  name: 'flotilla_metric_label_sets_dropped_total',
  help: 'Label sets recorded under "other" because their metric had too many series.',
  labels: ['metric'],
};

function nothing(): void {}

/** A metric as the library's registry reads it: it asks for nothing but the values, each time that it writes text. */
class RegisteredMetric {
  readonly table: SeriesTable<Recorded & Partial<Counter & Gauge & Histogram>>;
  readonly #type: MetricType;
  readonly #spec: MetricSpec;
  /** What else two declarations of one name must agree on. */
  readonly #rule: string;

  constructor(type: MetricType, spec: MetricSpec, rule: string, create: () => Recorded, onOverflow: () => void) {
    const { name, labels = [] } = spec;
    if (!validateMetricName(name)) throw new TypeError(`"${name}" is no name of a metric`);
    const unfit = labels.find((label) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label === 'le');
    if (unfit !== undefined) throw new TypeError(`the metric "${name}" may not have a label "${unfit}"`);
    this.#type = type;
    this.#spec = spec;
    this.#rule = rule;
    this.table = new SeriesTable(name, labels, create, onOverflow);
  }

  /** @throws TypeError when the same name was declared in another way. */
  assertSame(type: MetricType, spec: MetricSpec, rule: string): this {
    const shape = (of: MetricType, labels: readonly string[] = [], buckets: string): string =>
      `a ${of} with ${labels.length === 0 ? 'no labels' : `the labels ${labels.join(', ')}`}${buckets && ` and the buckets ${buckets}`}`;
    const known = shape(this.#type, this.#spec.labels, this.#rule);
    const asked = shape(type, spec.labels, rule);
    if (known !== asked) throw new TypeError(`the metric "${spec.name}" is ${known}; it was asked for as ${asked}`);
    return this;
  }

  /** The registry's types want a metric of its own classes; at run time it calls `get` alone. */
  forRegistry(): Metric<string> {
    const { name, help } = this.#spec;
    const type = this.#type;
    const get = async (): Promise<unknown> => ({ name, help, type, aggregator: 'sum', values: this.#values(name) });
    return { name, help, type, aggregator: 'sum', get, reset: nothing } as unknown as Metric<string>;
  }

  #values(name: string): unknown[] {
    const values: unknown[] = [];
    for (const { labels, series } of this.table) {
      for (const { suffix, labels: own, value } of series.samples()) {
        values.push({ metricName: `${name}${suffix}`, labels: own, sharedLabels: labels, value });
      }
    }
    return values;
  }
}

function risingBounds(name: string, bounds: readonly number[]): readonly number[] {
  const rising = bounds.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > (bounds[i - 1] ?? 0)));
  if (!rising || bounds.length === 0) {
    throw new RangeError(`the buckets of "${name}" must be finite and rise, got ${bounds.join(', ')}`);
  }
  return bounds;
}
