import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ownZoneShare, zoneFactors } from './zone.ts';

const rows: readonly [string, Parameters<typeof ownZoneShare>[0], number][] = [
  ['three even zones, all healthy', { own: 4, others: 8, total: 12, zones: 3 }, 1],
  ['one of four is gone: 1.05 of what is due', { own: 3, others: 8, total: 12, zones: 3 }, 1],
  ['half of the own zone is gone', { own: 2, others: 8, total: 12, zones: 3 }, 0.7],
  ['a zone with one of ten instances', { own: 1, others: 9, total: 10, zones: 2 }, 0.28],
  ['nobody in the own zone', { own: 0, others: 9, total: 9, zones: 2 }, 0],
  ['nobody anywhere else', { own: 1, others: 0, total: 9, zones: 2 }, 1],
];
for (const [name, capacity, share] of rows) {
  test(`${name}: ${share} of the calls stay`, () => {
    assert.ok(Math.abs(ownZoneShare(capacity, 1.4) - share) < 1e-9);
  });
}

test('a share is from 0 to 1, rises with the own capacity, and the factors give each side its share', () => {
  const weight = fc.integer({ min: 0, max: 1_000 });
  fc.assert(
    fc.property(weight, weight, weight, fc.integer({ min: 1, max: 9 }), (own, others, more, zones) => {
      const total = own + others + more;
      if (total === 0) return;
      const share = ownZoneShare({ own, others, total, zones }, 1.4);
      assert.ok(share >= 0 && share <= 1);
      assert.ok(ownZoneShare({ own: own + 1, others, total, zones }, 1.4) >= share || others === 0);
      const factors = zoneFactors(share, own, others);
      if (own > 0 && others > 0) {
        assert.ok(Math.abs(factors.own * own - share) < 1e-9);
        assert.ok(Math.abs(factors.own * own + factors.others * others - 1) < 1e-9);
      }
    }),
  );
});
