import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Measurement, Row, RowKind, Subject } from './measurement.ts';
import { median, summarise } from './statistics.ts';

const subject = (id: string): Subject => ({ id, title: id, measure: () => Promise.reject(new Error('not here')) });

/** One second with so many operations, and a core that was busy for a share of it. */
const second = (operations: number, busy: number): Measurement => ({
  operations,
  wallMs: 1_000,
  processes: [{ role: 'server', cpuMs: busy * 1_000 }],
});

const rowOf = (kind: RowKind): Row => ({
  id: 'row',
  title: 'row',
  kind,
  reference: 'a',
  operation: 'call',
  budget: 'none',
  subjects: [subject('a'), subject('b')],
});

function summaryOf(b: readonly Measurement[], kind: RowKind = 'throughput', a = [second(1_000, 1), second(2_000, 1)]) {
  const rounds = [
    { subject: subject('a'), measurements: a },
    { subject: subject('b'), measurements: b },
  ];
  return summarise({ row: rowOf(kind), subjects: rounds })[1];
}

it('a median is the middle, or what lies between the two middle ones', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([]), Number.NaN);
});

it('a ratio is taken within a round, so a slow minute that meets both sides changes nothing', () => {
  const summary = summaryOf([second(500, 1), second(1_000, 1)]);
  assert.equal(summary?.ratio, 0.5);
  assert.equal(summary?.cpuRatio, 0.5);
});

it('CPU time of an operation is that of the process that needs most; each is shown by its role', () => {
  const processes = [
    { role: 'client', cpuMs: 400 },
    { role: 'server', cpuMs: 600 },
  ];
  const summary = summaryOf([{ operations: 1_000, wallMs: 1_000, processes }]);
  assert.equal(summary?.cpuUs, 600);
  assert.deepEqual(
    summary?.costs.map(({ role, cpuUs, busy }) => [role, cpuUs, busy]),
    [
      ['client', 400, 0.4],
      ['server', 600, 0.6],
    ],
  );
});

it('a throughput without a busy process is void; a cost is not', () => {
  assert.equal(summaryOf([second(500, 0.96)])?.valid, true);
  assert.equal(summaryOf([second(500, 0.94)])?.valid, false);
  assert.equal(summaryOf([second(500, 0.94)], 'cost')?.valid, true);
});
