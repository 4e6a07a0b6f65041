import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/core/testing';
import { Kept } from './kept.ts';
import { isOf } from './log-book.ts';
import { Records } from './records.ts';

test('lines are found by party, level and message; a dead party says nothing', () => {
  const { logs, ...records } = bookkeeping();
  let alive = true;
  const { logger } = records.of('web.2', new ManualClock(), () => alive);
  logger.child({ route: 'home' }).info('request', { status: 200 });
  logger.warn('slow');
  alive = false;
  logger.error('never said');
  assert.deepEqual(
    logs.lines({ party: 'web', level: 'info' }).map(({ fields }) => fields),
    [{ route: 'home', status: 200 }],
  );
  assert.equal(logs.lines({ message: /slo/ }).length, 1);
  assert.equal(logs.lines({ party: 'web.1' }).length, 0);
  assert.equal(logs.lines().length, 2);
  assert.match(logs.text(), /^0 web\.2 info request {"route":"home","status":200}\n/);
});

test('values are summed over the series that have the labels', () => {
  const { metrics, ...records } = bookkeeping();
  const clock = new ManualClock();
  for (const [party, amount] of [
    ['web.1', 2],
    ['web.2', 3],
  ] as const) {
    const { meter } = records.of(party, clock, () => true);
    const calls = meter.counter({ name: 'calls', help: '', labels: ['to', 'code'] });
    calls.with({ to: 'catalog', code: 'OK' }).add(amount);
    calls.with({ to: 'catalog', code: 'LOST' }).add();
    meter.gauge({ name: 'load', help: '' }).with({}).set(amount);
    meter.histogram({ name: 'seconds', help: '' }).with({}).record(0.5);
  }
  assert.equal(metrics.value('calls'), 7);
  assert.equal(metrics.value('calls', { code: 'OK' }), 5);
  assert.equal(metrics.value('calls', { code: 'OK' }, 'web.2'), 3);
  assert.equal(metrics.value('load', {}, 'web'), 5);
  assert.deepEqual([metrics.value('seconds'), metrics.count('seconds')], [1, 2]);
  assert.equal(metrics.value('unheard of'), 0);
  assert.deepEqual(metrics.names(), ['calls', 'load', 'seconds']);
});

test('a copy is of its service, a longer name is not', () => {
  assert.deepEqual(
    ['web', 'web.12', 'web.x', 'web-shop', 'webs'].map((party) => isOf(party, 'web')),
    [true, true, false, false, false],
  );
});

test('what is recorded is bounded, the newest stays', () => {
  const kept = new Kept<number>();
  for (let n = 0; n < Kept.most * 2; n++) kept.add(n);
  assert.deepEqual([kept.all().length, kept.all().at(-1)], [Kept.most, Kept.most * 2 - 1]);
});

function bookkeeping(): Pick<Records, 'logs' | 'metrics' | 'of'> {
  const records = new Records();
  return { logs: records.logs, metrics: records.metrics, of: (...args) => records.of(...args) };
}
