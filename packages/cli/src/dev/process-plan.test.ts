import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportIn, restartDelayMs, titleOf } from './process-plan.ts';

test('a process that keeps ending is started again later and later, up to 10 s', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 50].map(restartDelayMs), [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test('only copies are numbered', () => {
  assert.equal(titleOf({ name: 'order', copy: 1 }, 1), 'order');
  assert.equal(titleOf({ name: 'order', copy: 2 }, 2), 'order.2');
});

test('only our own reports count', () => {
  assert.deepEqual(reportIn({ flotilla: 'serving', url: 'http://a', extra: 1 }), {
    flotilla: 'serving',
    url: 'http://a',
  });
  assert.deepEqual(reportIn({ flotilla: 'failed', message: 'why' }), { flotilla: 'failed', message: 'why' });
  for (const message of [undefined, 'serving', {}, { flotilla: 'serving' }, { cmd: 'NODE_CLUSTER' }]) {
    assert.equal(reportIn(message), undefined);
  }
});
