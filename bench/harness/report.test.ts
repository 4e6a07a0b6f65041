import assert from 'node:assert/strict';
import { it } from 'node:test';
import { chartOf } from './chart.ts';
import type { Row } from './measurement.ts';
import { replacePart } from './report.ts';
import type { Summary } from './statistics.ts';
import { tableOf } from './table.ts';

const row: Row = {
  id: 'gateway',
  title: 'Gateway',
  kind: 'throughput',
  reference: 'nginx',
  operation: 'request',
  budget: '0.6',
  subjects: [],
};

const summary = (id: string, perSecond: number, busy: number, cpuUs = 25): Summary => ({
  id,
  title: `${id} <1>`,
  perSecond,
  wallUsPerOperation: 1e6 / perSecond,
  costs: [{ role: 'gateway', cpuUs, busy }],
  cpuUs,
  ratio: perSecond / 40_000,
  cpuRatio: 0.5,
  valid: busy >= 0.95,
  figures: {},
  rounds: [{ perSecond, cpuUs, busy }],
});

it('a table shows figures, ratios and every round, and says which throughputs are void', () => {
  const table = tableOf(row, [summary('nginx', 40_000, 1), summary('flotilla', 20_049, 0.99), summary('x', 100, 0.5)]);
  assert.match(table, /\| nginx <1> \| 40,000 \| 1 \| gateway 25\.0 \| 1 \| gateway 100 % \|/);
  assert.match(table, /\| flotilla <1> \| 20,000 \| 0\.50 \| gateway 25\.0 \| 0\.50 \| gateway 99 % \|/);
  assert.match(table, /\| x <1> \| void \(100\) \| void \| gateway 25\.0 \| 0\.50 \| gateway 50 % \|/);
  assert.match(table, /Every round: nginx <1>: 40,000\/s at 100 %; /);
  assert.match(table, /void when no measured process was busy for 95 %/);
});

it('a chart has one bar for each subject by its CPU time, the longest first, and is well-formed', () => {
  const chart = chartOf(row, [
    summary('flotilla', 20_000, 1, 50),
    summary('nginx', 40_000, 1),
    summary('x', 100, 0.5, 100),
  ]);
  assert.deepEqual(chart.match(/class="(?:own|reference|other)"/g), [
    'class="reference"',
    'class="own"',
    'class="other"',
  ]);
  assert.match(chart, />10,000 {2}· {2}0\.50</);
  assert.equal(chart.includes('<1>'), false);
  assert.equal(chart.match(/<text/g)?.length, chart.match(/<\/text>/g)?.length);
});

it('a part of the page is replaced between its marks, and a page without it is refused', () => {
  const page = 'a\n<!-- bench: x -->\n\nold\n\n<!-- /bench -->\nb\n<!-- bench: y -->\n\nstays\n\n<!-- /bench -->\n';
  const once = replacePart(page, 'x', 'new');
  assert.equal(once, page.replace('old', 'new'));
  assert.equal(replacePart(once, 'x', 'new'), once);
  assert.throws(() => replacePart(page, 'z', 'new'), /no part "<!-- bench: z -->"/);
});

it('a row of figures has a column for each, and no rounds', () => {
  const table = tableOf({ ...row, kind: 'figures' }, [
    { ...summary('a', 1, 1), figures: { 'MB resident': 151.6, 'ms p99': 3.21 } },
    { ...summary('b', 1, 1), figures: { 'MB resident': 1_694, 'ms p99': 0.5 } },
  ]);
  assert.match(table, /\| subject \| MB resident \| ms p99 \|\n\|---\|---\|---\|\n\| a <1> \| 152 \| 3\.2 \|/);
  assert.match(table, /\| b <1> \| 1,700 \| 0\.50 \|/);
  assert.doesNotMatch(table, /Every round/);
});
