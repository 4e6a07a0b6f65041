import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AppHealth, afterCheck, initialHealth } from './health-state.ts';

const settings = { upAfter: 2, downAfter: 3 };

/** `+` is a good check, `-` a failed one; gives the status after each. */
function history(checks: string): string {
  let health: AppHealth = initialHealth;
  return [...checks]
    .map((check) => {
      health = afterCheck(health, check === '+' ? undefined : 'refused', settings);
      return health.status[0];
    })
    .join('');
}

const rows: readonly [claim: string, checks: string, statuses: string][] = [
  ['who never answers is never up', '-------', 'sssssss'],
  ['the first good check is believed', '--+', 'ssu'],
  ['a failure or two are forgiven', '+--+--+', 'uuuuuuu'],
  ['three in a row are not', '+---', 'uuud'],
  ['coming back takes two in a row', '+---+-++', 'uuudddd' + 'u'],
  ['flapping at every check moves nobody who is up', '+-+-+-+-', 'uuuuuuuu'],
  ['and nobody who is down', '+----+-+-+-', 'uuudddddddd'],
];

for (const [claim, checks, statuses] of rows) {
  test(claim, () => assert.equal(history(checks), statuses));
}

test('the reason of the latest failure is kept, and forgotten after a good check', () => {
  const failed = afterCheck(initialHealth, 'refused', settings);
  assert.equal(failed.reason, 'refused');
  assert.equal(afterCheck(failed, undefined, settings).reason, undefined);
});
