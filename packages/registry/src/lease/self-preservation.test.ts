import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { registryLimits } from './limits.ts';
import { judgeLapsed } from './self-preservation.ts';

const judge = (expected: number, lapsed: number, recentlyEvicted = 0, preserving = false) =>
  judgeLapsed({ expected, lapsed, recentlyEvicted, preserving }, registryLimits);

const rows: readonly [claim: string, verdict: ReturnType<typeof judge>, evict: number, preserving: boolean][] = [
  ['the only instance goes', judge(1, 1), 1, false],
  ['below five instances all go', judge(4, 4), 4, false],
  ['of five one goes: 15 % are rounded up to one', judge(5, 1), 1, false],
  ['of five with two lapsed one goes, the other is held', judge(5, 2), 1, true],
  ['of twenty three go', judge(20, 3), 3, false],
  ['of twenty with four lapsed three go, one is held', judge(20, 4), 3, true],
  ['those evicted a short while ago count as missing', judge(85, 1, 15), 0, true],
  ['nothing more goes while eviction is paused', judge(5, 2, 0, true), 0, true],
  ['renewals that come back end the pause', judge(20, 2, 0, true), 2, false],
  ['with nothing lapsed nothing goes', judge(20, 0), 0, false],
];

for (const [claim, verdict, evict, preserving] of rows) {
  test(claim, () => {
    assert.equal(verdict.evict, evict);
    assert.equal(verdict.preservation !== undefined, preserving);
  });
}

test('a pause says its numbers and what ends it', () => {
  const { preservation } = judge(20, 10);
  assert.deepEqual(preservation, {
    expected: 17,
    lapsed: 7,
    recentlyEvicted: 3,
    limit: 3,
    neededRenewals: 7,
    reason:
      '10 of 20 instances fell silent, more than the 3 that may go within 60 s: ' +
      'eviction waits until 7 of the 7 that are held renew, or an operator evicts them',
  });
});

test('a pause that is only about what went lately ends by itself, and says when', () => {
  const { preservation } = judge(20, 4);
  assert.equal(preservation?.endsWithinMs, 60_000);
  assert.equal(preservation?.neededRenewals, 1);
  assert.match(
    preservation?.reason ?? '',
    /until 1 of the 1 that are held renew, 60 s at the longest, or an operator evicts them$/,
  );
});

test('as many renewals as it says end the pause', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 300 }), fc.integer({ min: 1, max: 300 }), (expected, lapsed) => {
      const { preservation } = judge(expected, Math.min(lapsed, expected));
      if (!preservation) return;
      const { neededRenewals: needed, recentlyEvicted } = preservation;
      const after = (renewed: number) =>
        judge(preservation.expected, preservation.lapsed - renewed, recentlyEvicted, true);
      assert.equal(after(needed).preservation, undefined);
      if (preservation.lapsed > needed - 1) assert.ok(after(needed - 1).preservation);
    }),
  );
});

test('within a window no more than 15 %, rounded up, of five or more instances go', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5, max: 300 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 30 }),
      (total, lapses) => {
        let expected = total;
        let lapsed = 0;
        let evicted = 0;
        let preserving = false;
        for (const more of lapses) {
          lapsed = Math.min(expected, lapsed + more);
          const verdict = judge(expected, lapsed, evicted, preserving);
          evicted += verdict.evict;
          expected -= verdict.evict;
          lapsed -= verdict.evict;
          preserving = verdict.preservation !== undefined;
        }
        assert.ok(evicted <= Math.ceil(0.15 * total), `${evicted} of ${total} went`);
      },
    ),
  );
});
