import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BodyPace } from './body-pace.ts';

const limits = { bodyIdleMs: 30_000, bodyWindowMs: 30_000, minBodyBytesPerSecond: 1_000 };

/** Looks every second at a body of which `bytesPerSecond(second)` come. @returns the second of the verdict, and it */
function verdict(
  bytesPerSecond: (second: number) => number,
  awaited: (second: number) => boolean = () => true,
): unknown {
  const pace = new BodyPace(limits);
  let bytes = 0;
  for (let second = 0; second <= 300; second++) {
    const late = pace.late(second * 1_000, bytes, awaited(second));
    if (late) return [second, late];
    bytes += bytesPerSecond(second);
  }
  return 'in time';
}

it('no byte for bodyIdleMs is too late', () => {
  assert.deepEqual(
    verdict(() => 0),
    [30, 'no byte of the body for 30000 ms'],
  );
  assert.deepEqual(
    verdict((second) => (second < 10 ? 5_000 : 0)),
    [40, 'no byte of the body for 30000 ms'],
  );
});

it('the pace is judged at the end of each window', () => {
  assert.deepEqual(
    verdict(() => 999),
    [30, 'the body comes slower than 1000 bytes a second'],
  );
  assert.deepEqual(
    verdict((second) => (second < 45 ? 2_000 : 1)),
    [90, 'the body comes slower than 1000 bytes a second'],
  );
  assert.equal(
    verdict(() => 1_000),
    'in time',
  );
});

it('a burst every now and then is as good as a steady stream', () => {
  assert.equal(
    verdict((second) => (second % 20 === 0 ? 40_000 : 0)),
    'in time',
  );
});

it('while the reader is busy no sender is late', () => {
  assert.equal(
    verdict(
      () => 0,
      () => false,
    ),
    'in time',
  );
  assert.equal(
    verdict(
      () => 0,
      (second) => second % 25 !== 0,
    ),
    'in time',
  );
});

it('a pace of 0 allows any', () => {
  const pace = new BodyPace({ ...limits, minBodyBytesPerSecond: 0 });
  for (let second = 0; second <= 120; second++) assert.equal(pace.late(second * 1_000, second, true), undefined);
});
