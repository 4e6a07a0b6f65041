import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { register } from '@prometheus-io/client';
import fc from 'fast-check';
import { prometheusMeter } from './prometheus-meter.ts';

const quiet = { processMetrics: false };

describe('prometheusMeter', () => {
  it('shows counters, gauges and histograms in the Prometheus text format', async () => {
    const meter = prometheusMeter(quiet);
    const calls = meter.counter({ name: 'calls_total', help: 'Calls.', labels: ['code'] });
    calls.with({ code: 'OK' }).add();
    calls.with({ code: 'a"b\\c\nd' }).add(2);
    meter.gauge({ name: 'in_flight', help: 'Now.' }).with({}).set(-1.5);
    const duration = meter
      .histogram({ name: 'd_seconds', help: 'Time.', labels: ['op'], buckets: [0.1, 1] })
      .with({ op: 'x' });
    for (const value of [0.1, 0.5, 5, Number.NaN]) duration.record(value);
    assert.equal(meter.contentType, 'text/plain; version=0.0.4; charset=utf-8');
    const [, ...metrics] = (await meter.render()).split('\n\n');
    assert.deepEqual(metrics.join('\n').trimEnd().split('\n'), [
      '# HELP calls_total Calls.',
      '# TYPE calls_total counter',
      'calls_total{code="OK"} 1',
      'calls_total{code="a\\"b\\\\c\\nd"} 2',
      '# HELP in_flight Now.',
      '# TYPE in_flight gauge',
      'in_flight -1.5',
      '# HELP d_seconds Time.',
      '# TYPE d_seconds histogram',
      'd_seconds_bucket{le="0.1",op="x"} 1',
      'd_seconds_bucket{le="1",op="x"} 2',
      'd_seconds_bucket{le="+Inf",op="x"} 3',
      'd_seconds_sum{op="x"} 5.6',
      'd_seconds_count{op="x"} 3',
    ]);
  });

  it('gives the same metric and the same series when asked twice', () => {
    const meter = prometheusMeter(quiet);
    const spec = { name: 'n_total', help: 'N.', labels: ['a', 'b'] };
    assert.equal(meter.counter(spec), meter.counter(spec));
    assert.equal(meter.counter(spec).with({ a: '1', b: '2' }), meter.counter(spec).with({ b: '2', a: '1' }));
    assert.notEqual(meter.counter(spec).with({ a: '1', b: '2' }), meter.counter(spec).with({ a: '2', b: '1' }));
  });

  it('refuses another declaration under the same name, bad names and bad buckets', () => {
    const meter = prometheusMeter(quiet);
    meter.counter({ name: 'n', help: 'N.', labels: ['a'] });
    assert.throws(() => meter.gauge({ name: 'n', help: 'N.', labels: ['a'] }), {
      name: 'TypeError',
      message: 'the metric "n" is a counter with the labels a; it was asked for as a gauge with the labels a',
    });
    assert.throws(() => meter.counter({ name: 'n', help: 'N.' }), /was asked for as a counter with no labels/);
    assert.throws(() => meter.counter({ name: '1-x', help: 'N.' }), /"1-x" is no name of a metric/);
    assert.throws(() => meter.histogram({ name: 'h', help: 'H.', labels: ['le'] }), /may not have a label "le"/);
    assert.throws(() => meter.histogram({ name: 'h', help: 'H.', buckets: [1, 1] }), RangeError);
  });

  it('refuses labels that are not the metric’s, naming both', () => {
    const family = prometheusMeter(quiet).counter({ name: 'n_total', help: 'N.', labels: ['a', 'b'] });
    const message = (got: string): string => `the metric "n_total" takes text for "a", "b"; got ${got}`;
    assert.throws(() => family.with({ a: '1' }), { name: 'TypeError', message: message('text for "a"') });
    assert.throws(() => family.with({ a: '1', c: '2' }), { message: message('text for "a", "c"') });
    assert.throws(() => family.with({ a: '1', b: '2', c: '3' }), { message: message('text for "a", "b", "c"') });
    assert.throws(() => family.with({}), { message: message('no labels') });
  });

  it('lets a counter only rise', () => {
    const counter = prometheusMeter(quiet).counter({ name: 'n_total', help: 'N.' }).with({});
    for (const amount of [-1, Number.NaN]) assert.throws(() => counter.add(amount), RangeError);
  });

  it('records label sets beyond 1 000 under other, and counts them', async () => {
    const meter = prometheusMeter(quiet);
    const family = meter.counter({ name: 'n_total', help: 'N.', labels: ['who'] });
    for (let i = 0; i < 1_010; i++) family.with({ who: `user${i}` }).add();
    family.with({ who: 'user5' }).add();
    const text = await meter.render();
    assert.equal(text.match(/^n_total\{/gm)?.length, 1_001);
    assert.match(text, /^n_total\{who="other"\} 10$/m);
    assert.match(text, /^n_total\{who="user5"\} 2$/m);
    assert.match(text, /^flotilla_metric_label_sets_dropped_total\{metric="n_total"\} 10$/m);
  });

  it('measures the process into its own registry, never the global one', async () => {
    const text = await prometheusMeter().render();
    for (const name of ['nodejs_eventloop_lag_seconds', 'process_cpu_seconds_total', 'nodejs_heap_size_used_bytes']) {
      assert.match(text, new RegExp(`^${name}`, 'm'));
    }
    assert.deepEqual(register.getMetricsAsArray(), []);
  });

  it('counts values into buckets as a naive count does', async () => {
    const bounds = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(bounds, fc.array(fc.integer({ min: -60, max: 60 })), async (unsorted, values) => {
        const buckets = unsorted.sort((a, b) => a - b);
        const meter = prometheusMeter(quiet);
        const series = meter.histogram({ name: 'h', help: 'H.', buckets }).with({});
        for (const value of values) series.record(value);
        const text = await meter.render();
        for (const bound of [...buckets, Infinity]) {
          const le = bound === Infinity ? '\\+Inf' : String(bound);
          const shown = new RegExp(`^h_bucket\\{le="${le}"\\} (\\d+)$`, 'm').exec(text)?.[1];
          assert.equal(Number(shown), values.filter((value) => value <= bound).length);
        }
      }),
    );
  });
});
