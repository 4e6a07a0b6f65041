import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeLog } from './change-log.ts';

const filled = (capacity: number, first: number, count: number) => {
  const log = new ChangeLog(capacity, first);
  for (let i = 1; i <= count; i++) {
    log.append({ revision: first + i, service: 's', id: `${i}`, reason: 'updated', changedAt: 0, at: first + i });
  }
  return log;
};
const revisions = (log: ChangeLog, since: number) => log.since(since)?.map(({ revision }) => revision);

test('changes after a revision come in their order', () => {
  assert.deepEqual(revisions(filled(10, 0, 3), 1), [2, 3]);
  assert.deepEqual(revisions(filled(10, 0, 3), 3), []);
});

test('only as many as fit are kept; older cursors learn that some are missing', () => {
  const log = filled(4, 0, 9);
  assert.equal(log.oldest, 5);
  assert.deepEqual(revisions(log, 5), [6, 7, 8, 9]);
  assert.equal(revisions(log, 4), undefined);
});

test('a log that goes on from a saved revision knows nothing before it', () => {
  const log = filled(10, 100, 2);
  assert.deepEqual(revisions(log, 100), [101, 102]);
  assert.equal(revisions(log, 99), undefined);
});

for (const revision of [-1, 4, 1.5, Number.NaN]) {
  test(`revision ${revision} is not one to go on from`, () =>
    assert.equal(filled(10, 0, 3).since(revision), undefined));
}

test('the changes from an instant on, and whether some of them were overwritten', () => {
  const from = (log: ChangeLog, at: number) => {
    const { changes, complete } = log.from(at);
    return [...changes.map((change) => change.at), complete];
  };
  assert.deepEqual(from(filled(10, 0, 5), 4), [4, 5, true]);
  assert.deepEqual(from(filled(10, 0, 5), 0), [1, 2, 3, 4, 5, true]);
  assert.deepEqual(from(filled(10, 0, 5), 6), [true]);
  assert.deepEqual(from(filled(4, 0, 9), 7), [7, 8, 9, true]);
  assert.deepEqual(from(filled(4, 0, 9), 6), [6, 7, 8, 9, false]);
});
