import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Explained, Traffic } from './traffic.ts';

/** One caller that has begun so many attempts at each port. */
function caller(begun: Readonly<Record<number, number>>, ejected: readonly number[] = [], id = ''): Explained {
  return {
    instances: Object.entries(begun).map(([port, calls]) => ({
      id: `${port}${id}`,
      address: `rsocket://127.0.0.1:${port}`,
      load: 1,
      calls: calls - 1,
      ejectedForMs: ejected.includes(Number(port)) ? 10 : 0,
    })),
  };
}

const odd = new Set([1]);

test('traffic that stops and begins again is timed', () => {
  const traffic = new Traffic();
  for (let at = 0; at <= 5_000; at += 100) {
    const awayFor = Math.max(0, Math.min(at, 3_000) - 1_200); // gone from 1,200 to 3,000
    traffic.add(at, [caller({ 1: 1 + (at - awayFor) / 10, 2: 1 + at / 10 }, at >= 1_000 && at < 2_500 ? [1] : [])]);
  }
  assert.deepEqual(
    [traffic.leftAt(odd, 1_000), traffic.backAt(odd, 2_000), traffic.ejectedAt(odd, 0), traffic.readmittedAt(odd)],
    [1_200, 3_200, 1_000, 2_500],
  );
  assert.equal(traffic.leftAt(odd, 3_000), undefined);
});

test('an instance that comes back at its port goes on with its count', () => {
  const traffic = new Traffic();
  traffic.add(0, [caller({ 1: 100, 2: 100 })]);
  traffic.add(600, [caller({ 1: 30, 2: 30 }, [], 'new')]);
  assert.equal(traffic.backAt(odd, 0), 600);
  assert.equal(traffic.ejectedAt(odd, 0), undefined);
});
