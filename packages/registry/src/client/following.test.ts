import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterTry, atFirst, type End, type Following, type Pause } from './following.ts';

/** Tries that end as told, at instants; each as way, pause. */
function followed(tries: readonly (readonly [end: End, at: number])[], from: Following = atFirst) {
  let following = from;
  const steps: string[] = [];
  for (const [end, now] of tries) {
    const { next, pause }: { next: Following; pause: Pause } = afterTry(following, end, {
      now,
      periodMs: 30_000,
      random: () => 0.5, // no jitter
    });
    steps.push(`${following.way} ${end} → ${next.way}, ${pause}`);
    following = next;
  }
  return { steps, following };
}

test('push that breaks off is tried again; after three failures in a row, or when it does not come through, a long poll is', () => {
  assert.deepEqual(
    followed([
      ['worked', 0],
      ['failed', 0],
      ['failed', 0],
      ['worked', 0],
      ['failed', 0],
      ['failed', 0],
      ['failed', 0],
    ]).steps,
    [
      'push worked → push, backoff',
      'push failed → push, backoff',
      'push failed → push, backoff',
      'push worked → push, backoff',
      'push failed → push, backoff',
      'push failed → push, backoff',
      'push failed → long-poll, none',
    ],
  );
  assert.deepEqual(followed([['broken', 0]]).steps, ['push broken → long-poll, none']);
});

test('a long poll that works goes on until push is tried again; one that does not gives way to lists', () => {
  assert.deepEqual(
    followed([
      ['broken', 0],
      ['worked', 0],
      ['worked', 29_999],
      ['worked', 30_000],
      ['worked', 30_000],
    ]).steps,
    [
      'push broken → long-poll, none',
      'long-poll worked → long-poll, none',
      'long-poll worked → long-poll, none',
      'long-poll worked → push, none',
      'push worked → push, backoff',
    ],
  );
  assert.deepEqual(
    followed([
      ['broken', 0],
      ['broken', 0],
      ['worked', 0],
      ['broken', 30_000],
      ['broken', 30_000],
      ['failed', 30_000],
    ]).steps,
    [
      'push broken → long-poll, none',
      'long-poll broken → polling, none',
      'polling worked → push, period',
      'push broken → long-poll, none',
      'long-poll broken → polling, none',
      'polling failed → push, backoff',
    ],
  );
});

test('a long poll that fails is tried again with backoff, and a registry that is gone is tried in every way', () => {
  const { steps } = followed([
    ['broken', 0],
    ['worked', 0],
    ['failed', 0],
    ['failed', 0],
    ['failed', 0],
    ['failed', 0],
    ['failed', 0],
    ['failed', 0],
  ]);
  assert.deepEqual(steps.slice(2), [
    'long-poll failed → long-poll, backoff',
    'long-poll failed → long-poll, backoff',
    'long-poll failed → polling, none',
    'polling failed → push, backoff',
    'push failed → long-poll, none',
    'long-poll failed → polling, none',
  ]);
});

test('push that never comes through is tried again ever more rarely, up to eight minutes; one that does begins anew', () => {
  let following = atFirst;
  const waits: number[] = [];
  for (let round = 0; round < 7; round++) {
    ({ following } = followed(
      [
        ['broken', 0],
        ['worked', 0],
      ],
      following,
    ));
    waits.push((following.pushAgainAt ?? 0) / 1_000);
    ({ following } = followed([['worked', 1e9]], following));
  }
  assert.deepEqual(waits, [30, 60, 120, 240, 480, 480, 480]);
  assert.deepEqual(followed([['worked', 0]], following).following, atFirst);
});
