import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/core/testing';
import { lastKnownHealth } from './last-known-health.ts';

const clock = new ManualClock();
const set = (target: string, ageMs: number): { target: string; instances: number; savedAt: number } => ({
  target,
  instances: 2,
  savedAt: clock.wallNow() - ageMs,
});
const reasonOf = (...sets: ReturnType<typeof set>[]): string | undefined => {
  const { ready, reason } = lastKnownHealth({ fromDisk: () => sets }, clock).check();
  assert.equal(ready, true);
  return reason;
};

test('nothing from disk: nothing to say', () => assert.equal(reasonOf(), undefined));

test('what is known from disk alone is told with its age', () => {
  assert.equal(
    reasonOf(set('service:a', 90_000), set('service:b', 600_000), set('contract:c', 90_000_000), set('service:d', 0)),
    'no registry has answered yet; from disk: service:a: 2, known for 90 s; service:b: 2, known for 10 min; ' +
      'contract:c: 2, known for 25 h, and 1 more',
  );
});
