import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foundHistories } from './found.ts';
import { describeHistory, generateHistory, type History, troubleKinds } from './history.ts';
import { describeFailure, judge, shrink } from './judge.ts';
import { runHistory } from './run.ts';

/** As many as take some seconds; `npm run simulate` runs thousands. */
const histories = 300;

async function holds(history: History): Promise<void> {
  const failure = await judge(history);
  if (failure) assert.fail(describeFailure(failure, await shrink(failure)));
}

test('what was ever found does not come back', async () => {
  const found = foundHistories();
  assert.ok(found.length > 0);
  for (const history of found) await holds(history);
});

test(`${histories} histories of a fleet: everything that has to hold does`, async () => {
  for (let seed = 1; seed <= histories; seed++) await holds(generateHistory(seed));
});

test('the same history does the same each time, to the last event', async () => {
  for (const seed of [7, 9, 19]) {
    const [one, other] = [await runHistory(generateHistory(seed)), await runHistory(generateHistory(seed))];
    assert.deepEqual(one, other);
    assert.ok(one.attempts.length > 100);
  }
});

test('the histories know every trouble, with and without a wire, alone and together', () => {
  const all = Array.from({ length: 3_000 }, (_, seed) => generateHistory(seed));
  for (const kind of troubleKinds) {
    const its = all.filter(({ troubles }) => troubles.some((trouble) => trouble.kind === kind));
    assert.ok(its.length > 100, kind);
    assert.ok(
      its.some(({ troubles }) => troubles.length === 1) && its.some(({ troubles }) => troubles.length > 1),
      kind,
    );
    assert.ok(
      its.some(({ wire }) => wire),
      kind,
    );
    assert.ok(kind === 'frames' || kind === 'cut' || its.some(({ wire }) => !wire), kind);
  }
  assert.ok(all.filter(({ instances }) => instances === 100).length > 1_000);
  const whole = (history: History): boolean =>
    history.troubles.some(({ instances }) => instances.length === history.instances);
  assert.ok(all.filter(whole).length > 100, 'a backend that fails as a whole');
});

test('a history is told in words', () => {
  const history: History = {
    seed: 5,
    instances: 12,
    wire: true,
    trafficMs: 5_000,
    callsPerSecond: 40,
    timeoutMs: 500,
    attemptTimeoutMs: 100,
    retriesPerSecond: 1,
    hedge: false,
    troubles: [{ kind: 'dead', atMs: 700, forMs: 1_000, instances: [0, 1, 2, 11] }],
  };
  assert.equal(
    describeHistory(history),
    [
      'seed 5: 12 instances over the wire, 40 calls a second for 5000 ms,',
      '  timeoutMs 500, attemptTimeoutMs 100, 1 retries a second, not hedged',
      '    700 to  1700 ms  dead 0-2, 11',
    ].join('\n'),
  );
});
