import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ejected, idsOf, ruled } from '../../test/ruled.ts';
import { newHealth } from '../outlier.ts';
import { type PartialBalanceSettings, resolveBalance } from '../settings.ts';
import { type Division, divide, type Lane } from './chain.ts';
import { chooseLane } from './lane.ts';
import type { Ruled } from './rule.ts';

function divided(
  members: readonly Ruled[],
  settings: PartialBalanceSettings = {},
  zone?: string,
  now = 0,
): Division<Ruled> {
  return divide(members, { settings: resolveBalance(settings), zone, caller: 'me', now, wallNow: now });
}

function rulesOf({ leftOut }: Division<Ruled>): Record<string, string> {
  return Object.fromEntries(Array.from(leftOut, ([{ instance }, rule]) => [instance.id, rule]));
}

function shareOf({ candidates, weights }: Lane<Ruled>, wanted: (member: Ruled) => boolean): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return candidates.reduce((sum, member, index) => sum + (wanted(member) ? (weights[index] as number) : 0), 0) / total;
}

test('the ejected are left out, and the answer changes by itself when the first is over', () => {
  const division = divided([ruled('a'), ruled('b', { health: ejected }), ruled('c')]);
  assert.deepEqual(idsOf(division.base.candidates), ['a', 'c']);
  assert.deepEqual(rulesOf(division), { b: 'outlier' });
  assert.deepEqual([division.known, division.ejected, division.panic, division.againAt], [3, 1, false, 30_000]);
});

test('below the panic threshold all are used', () => {
  const members = ['a', 'b', 'c'].map((id) => ruled(id, { health: ejected }));
  const division = divided([...members, ruled('d')]);
  assert.deepEqual([division.panic, division.base.candidates.length, division.leftOut.size], [true, 4, 0]);
});

test('weight 0 is left out while others have any', () => {
  assert.deepEqual(rulesOf(divided([ruled('a', { weight: 0 }), ruled('b')])), { a: 'weight' });
  assert.equal(divided([ruled('a', { weight: 0 }), ruled('b', { weight: 0 })]).base.candidates.length, 2);
});

const zoned = (own: number, others: number): Ruled[] => [
  ...Array.from({ length: own }, (_, index) => ruled(`own${index}`, { zone: 'a' })),
  ...Array.from({ length: others }, (_, index) => ruled(`other${index}`, { zone: 'b' })),
];

test('with zones alike calls stay in the own one, and the others are at hand', () => {
  const division = divided(zoned(3, 3), {}, 'A');
  assert.deepEqual(idsOf(division.base.candidates), ['own0', 'own1', 'own2']);
  assert.deepEqual(idsOf(division.base.spare), ['other0', 'other1', 'other2']);
  assert.equal(division.base.ownShare, 1);
  assert.equal(rulesOf(division)['other0'], 'zone');
});

test('a caller without a zone, a service without zones, and prefer: false leave everybody in', () => {
  assert.equal(divided(zoned(2, 2)).base.candidates.length, 4);
  assert.equal(divided([ruled('a'), ruled('b')], {}, 'a').base.candidates.length, 2);
  assert.equal(divided(zoned(2, 2), { zone: { prefer: false } }, 'a').base.candidates.length, 4);
});

test('what the own zone cannot carry spills over, in the share that the arithmetic says', () => {
  const { base } = divided(zoned(1, 9), {}, 'a');
  assert.ok(Math.abs((base.ownShare ?? 0) - 0.28) < 1e-9);
  assert.ok(Math.abs(shareOf(base, ({ instance }) => instance.zone === 'a') - 0.28) < 1e-9);
});

test('a zone in which all fail is left, whether there was room to eject them or not', () => {
  const lost = zoned(4, 8).map((member, index) =>
    index >= 4 ? member : index < 3 ? { ...member, health: ejected } : { ...member, suspectUntil: 30_000 },
  );
  const division = divided(lost, {}, 'a');
  assert.deepEqual([division.base.ownShare, division.base.candidates.length], [0, 8]);
  assert.deepEqual(idsOf(division.base.spare), ['own3']);
  assert.equal(division.againAt, 30_000, 'then it is tried again');
  assert.ok((divided(lost, {}, 'a', 30_000).base.ownShare ?? 0) > 0);
});

test('a subset keeps as many of other zones for the spill-over', () => {
  const division = divided(zoned(50, 50), { subset: { size: 5 } }, 'a');
  assert.deepEqual([division.base.candidates.length, division.base.spare.length], [5, 5]);
  assert.equal(Object.values(rulesOf(division)).filter((rule) => rule === 'subset').length, 90);
  assert.equal(division.known, 10);
});

const lanes = [
  ruled('base0'),
  ruled('base1'),
  ruled('blue', { metadata: { lane: 'blue' } }),
  ruled('sick', { metadata: { lane: 'sick' }, health: ejected }),
];

test('the labelled are for labelled calls, and a lane of which nobody can serve is the base', () => {
  const division = divided(lanes);
  assert.deepEqual(idsOf(division.base.candidates), ['base0', 'base1']);
  assert.deepEqual([...division.labelled.keys()], ['blue']);
  assert.deepEqual(idsOf(chooseLane('green|blue', division.labelled)?.candidates ?? []), ['blue']);
  assert.equal(chooseLane('sick', division.labelled), undefined);
  assert.equal(chooseLane('x|'.repeat(20), division.labelled), undefined);
});

test('where all are labelled, calls without a label go to all', () => {
  const versions = ['1', '2'].map((version) => ruled(`v${version}`, { metadata: { version } }));
  const division = divided(versions, { lane: { metadata: 'version' } });
  assert.deepEqual(idsOf(division.base.candidates), ['v1', 'v2']);
  assert.deepEqual(idsOf(division.labelled.get('2')?.candidates ?? []), ['v2']);
  assert.equal(divided(lanes, { lane: { baggage: '' } }).labelled.size, 0, 'switched off');
});

test('of any fleet: everybody is a candidate or left out by a rule, no weight is below 0, somebody can be picked', () => {
  const member = fc.record({
    zone: fc.constantFrom('a', 'b', 'c', undefined),
    lane: fc.constantFrom('blue', undefined, undefined),
    weight: fc.integer({ min: 0, max: 3 }),
    sick: fc.boolean(),
    suspect: fc.boolean(),
    startedAt: fc.constantFrom(undefined, 0, -5_000, -60_000),
  });
  fc.assert(
    fc.property(
      fc.array(member, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(undefined, 'a', 'z'),
      fc.constantFrom(0, 1, 3),
      (specs, zone, size) => {
        const members = specs.map(({ lane, sick, suspect, zone: of, startedAt, weight }, index) =>
          ruled(`i${index}`, {
            weight,
            ...(of && { zone: of }),
            ...(startedAt !== undefined && { startedAt }),
            ...(lane && { metadata: { lane } }),
            health: sick ? ejected : newHealth(0),
            suspectUntil: suspect ? 1 : 0,
          }),
        );
        const division = divided(members, { subset: { size } }, zone);
        const candidates = new Set([division.base, ...division.labelled.values()].flatMap((lane) => lane.candidates));
        for (const each of members) {
          assert.ok(candidates.has(each) || division.leftOut.has(each) || each.instance.metadata['lane']);
        }
        for (const lane of [division.base, ...division.labelled.values()]) {
          assert.equal(lane.candidates.length, lane.weights.length);
          assert.ok(lane.weights.every((weight) => weight >= 0 && Number.isFinite(weight)));
        }
        // Ejection alone never takes the last one: there is always somebody, in one lane or the other.
        if (specs.some(({ sick }) => !sick)) assert.ok(candidates.size > 0);
        if (division.panic) assert.ok(![...division.leftOut.values()].includes('outlier'));
      },
    ),
  );
});
