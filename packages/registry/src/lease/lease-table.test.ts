import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identity } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import { anInstance } from '../testing/instances.ts';
import { LeaseTable } from './lease-table.ts';
import { type RegistryLimits, registryLimits } from './limits.ts';

const wall = 1_800_000_000_000;
const at = (ms: number) => ({ at: ms, wallAt: wall + ms });
const tableOf = (limits: Partial<RegistryLimits> = {}) =>
  new LeaseTable({ ...registryLimits, ...limits }, seededRandom(7));
const a = { service: 'orders', id: 'a' };
const ids = (table: LeaseTable) => [...table.list()].map(({ instance }) => instance.id).sort();
const fill = (table: LeaseTable, count: number, ms = 0) => {
  for (let i = 0; i < count; i++) table.register(anInstance({ id: `i${i}` }), at(ms));
};

test('a lease lapses at its exact expiry, whoever looks when', () => {
  const table = tableOf();
  table.register(anInstance(), at(0));
  assert.deepEqual(table.sweep(at(89_999), 89_999).evicted, []);
  assert.equal(table.nextExpiryAt, 90_000);
  const { evicted } = table.sweep(at(90_000), 90_000);
  assert.deepEqual(
    evicted.map(({ id, reason, revision }) => ({ id, reason, revision })),
    [{ id: 'a', reason: 'evicted', revision: 2 }],
  );
  assert.equal(table.size, 0);
});

test('what is listed carries the revision of the change that listed it', () => {
  const table = tableOf();
  table.register(anInstance(), at(0));
  table.register(anInstance({ id: 'b' }), at(0));
  table.setStatus(a, 'draining', at(1));
  assert.equal(table.get(a)?.instance.revision, 3);
  assert.equal(table.revision, 3);
  table.register(anInstance({ id: 'b' }), at(2));
  assert.equal(table.revision, 3, 'the same again is no change');
});

test('a renewal of somebody unknown says so', () => {
  assert.deepEqual(tableOf().renew(a, at(0)), { outcome: 'unknown' });
});

test('after it was deregistered, only a higher incarnation brings an instance back', () => {
  const table = tableOf();
  table.register(anInstance({ incarnation: 5 }), at(0));
  table.deregister(a, at(1));
  const outcome = (incarnation: number) => table.register(anInstance({ incarnation }), at(2));
  assert.deepEqual(outcome(4), { outcome: 'stale', incarnation: 5 });
  assert.deepEqual(outcome(5), { outcome: 'stale', incarnation: 5 });
  assert.equal(outcome(6).outcome, 'registered');
});

test('a farewell with a newer incarnation than is known ends that one too', () => {
  const table = tableOf();
  table.register(anInstance({ incarnation: 5 }), at(0));
  table.deregister(a, at(1), 7);
  assert.deepEqual(table.register(anInstance({ incarnation: 7 }), at(2)), { outcome: 'stale', incarnation: 7 });
  assert.equal(table.register(anInstance({ incarnation: 8 }), at(2)).outcome, 'registered');
});

test('what another registry heard makes a lease as old as it is, and takes nothing away from what was heard here', () => {
  const table = tableOf();
  table.register(anInstance({ incarnation: 5 }), at(100_000), { heardAgoMs: 60_000 });
  assert.deepEqual([table.get(a)?.expiresAt, table.get(a)?.renewedAt], [130_000, wall + 40_000]);
  table.renew(a, at(110_000));
  table.register(anInstance({ incarnation: 6 }), at(120_000), { heardAgoMs: 80_000 });
  assert.deepEqual([table.get(a)?.expiresAt, table.get(a)?.renewedAt], [200_000, wall + 110_000]);
  table.register(anInstance({ incarnation: 4 }), at(130_000), { heardAgoMs: 1_000 });
  assert.equal(table.get(a)?.expiresAt, 200_000, 'an older incarnation is no sign of life of this one');
});

test('after it was evicted, the same incarnation may come back, an older one may not', () => {
  const table = tableOf();
  table.register(anInstance({ incarnation: 5 }), at(0));
  table.sweep(at(90_000), 90_000);
  assert.equal(table.register(anInstance({ incarnation: 4 }), at(90_001)).outcome, 'stale');
  assert.equal(table.register(anInstance({ incarnation: 5 }), at(90_001)).outcome, 'registered');
});

test('a tombstone lasts three times the longest lease', () => {
  const table = tableOf();
  table.register(anInstance({ id: 'long', lease: { renewEveryMs: 30_000, lastsMs: 200_000 } }), at(0));
  table.register(anInstance(), at(0));
  table.deregister(a, at(0));
  assert.equal(table.register(anInstance(), at(599_999)).outcome, 'stale');
  assert.equal(table.register(anInstance(), at(600_000)).outcome, 'registered');
});

test("an operator's override outlives an eviction, but not the owner's farewell", () => {
  const table = tableOf();
  table.register(anInstance(), at(0));
  table.setOverride(a, 'out-of-service', at(1));
  table.sweep(at(90_000), 90_000);
  table.register(anInstance(), at(90_001));
  assert.equal(table.get(a)?.instance.override, 'out-of-service');
  table.deregister(a, at(90_002));
  table.register(anInstance({ incarnation: 2 }), at(90_003));
  assert.equal(table.get(a)?.instance.override, undefined);
});

test('a farewell of a past life takes nobody out', () => {
  const table = tableOf();
  table.register(anInstance({ incarnation: 5 }), at(0));
  table.deregister(a, at(1), 4);
  assert.deepEqual(ids(table), ['a']);
  table.deregister(a, at(1), 5);
  assert.deepEqual(ids(table), []);
});

test('a farewell that overtakes its registration is remembered', () => {
  const table = tableOf();
  assert.deepEqual(table.deregister(a, at(0), 5), { outcome: 'unknown' });
  assert.equal(table.register(anInstance({ incarnation: 5 }), at(1)).outcome, 'stale');
  assert.equal(table.register(anInstance({ incarnation: 6 }), at(1)).outcome, 'registered');
});

test('of twenty that lapse together three go, in random order; the rest is held, with numbers and reason', () => {
  const table = tableOf();
  fill(table, 20);
  const sweep = table.sweep(at(90_000), 90_000);
  assert.equal(sweep.evicted.length, 3);
  assert.notDeepEqual(
    sweep.evicted.map(({ id }) => id),
    ['i0', 'i1', 'i2'],
  );
  assert.equal(sweep.paused.length, 1);
  const [service] = [...table.services()];
  assert.equal(service?.leases.length, 17);
  assert.deepEqual(
    { ...service?.preservation, reason: '' },
    {
      expected: 17,
      lapsed: 17,
      recentlyEvicted: 3,
      limit: 3,
      neededRenewals: 17,
      reason: '',
      since: wall + 90_000,
    },
  );
  assert.match(service?.preservation?.reason ?? '', /20 of 20 instances fell silent/);
});

test('a partition under which leases lapse one by one does not empty the list either', () => {
  const table = tableOf();
  for (let i = 0; i < 100; i++) table.register(anInstance({ id: `i${i}` }), at(i * 300));
  for (let ms = 90_000; ms <= 3_600_000; ms += 300) table.sweep(at(ms), ms);
  assert.equal(table.size, 85);
});

test('renewals that come back end the pause, and only what is still silent goes', () => {
  const table = tableOf();
  fill(table, 20);
  table.sweep(at(90_000), 90_000);
  const held = ids(table);
  for (const id of held.slice(2)) table.renew({ service: 'orders', id }, at(100_000));
  const sweep = table.sweep(at(155_000), 155_000);
  assert.deepEqual(
    sweep.resumed.map(({ key }) => key),
    ['orders'],
  );
  assert.deepEqual(ids(table), held.slice(2).sort());
});

test('an operator ends the pause by saying that the lapsed ones are gone', () => {
  const table = tableOf();
  fill(table, 20);
  table.sweep(at(90_000), 90_000);
  assert.equal(table.evictLapsed('orders', at(91_000)).length, 17);
  assert.equal(table.size, 0);
  assert.deepEqual(table.evictLapsed('nobody', at(91_000)), []);
});

test('a registry that stood still evicts nobody and gives the lost time back, once', () => {
  const table = tableOf();
  table.register(anInstance(), at(0));
  assert.equal(table.sweep(at(90_000), 84_999.5).extendedMs, 5_000.5);
  assert.deepEqual(ids(table), ['a']);
  assert.equal(table.nextExpiryAt, 95_000.5);
  assert.equal(table.sweep(at(95_001), 95_001).evicted.length, 1);
});

test('a sweep at most 5 s late is an ordinary one', () => {
  const table = tableOf();
  table.register(anInstance(), at(0));
  assert.equal(table.sweep(at(95_000), 90_000).evicted.length, 1);
});

test('a shorter lease counts from its registration on, and a longer one too', () => {
  const table = tableOf();
  table.register(anInstance(), at(0));
  table.register(anInstance({ lease: { renewEveryMs: 1_000, lastsMs: 5_000 } }), at(1_000));
  assert.equal(table.sweep(at(5_999), 5_999).evicted.length, 0);
  assert.equal(table.sweep(at(6_000), 6_000).evicted.length, 1);
});

test('an instance that gave up its lease terms while it was held stays', () => {
  const table = tableOf();
  fill(table, 20);
  table.sweep(at(90_000), 90_000);
  const [id = ''] = ids(table);
  const { lease: _, ...unleased } = anInstance({ id });
  table.register(unleased, at(91_000));
  table.evictLapsed('orders', at(92_000));
  assert.deepEqual(ids(table), [id]);
});

test('changes can be told again from any revision that is kept', () => {
  const table = tableOf({ maxChanges: 3 });
  fill(table, 5);
  assert.deepEqual(
    table.changesSince(2)?.map(({ id }) => id),
    ['i2', 'i3', 'i4'],
  );
  assert.equal(table.changesSince(1), undefined);
  assert.equal(table.oldestRevision, 2);
});

test('groups and versions of a service are apart, and found together by name in any case', () => {
  const table = tableOf();
  table.register(anInstance({ id: 'plain' }), at(0));
  table.register(anInstance({ id: 'eu', identity: identity('Orders', { group: 'eu', version: '2' }) }), at(0));
  assert.deepEqual(
    [...table.list({ service: 'orders' })].map(({ instance }) => instance.id),
    ['plain'],
  );
  assert.deepEqual(
    [...table.list({ service: 'eu/Orders@2' })].map(({ instance }) => instance.id),
    ['eu'],
  );
  assert.deepEqual([...table.named('ORDERS')].map(({ instance }) => instance.id).sort(), ['eu', 'plain']);
  assert.equal(table.find('ORDERS', 'eu')?.instance.id, 'eu');
  assert.equal(table.find('ORDERS', 'nobody'), undefined);
});

test('who serves a contract is found by it', () => {
  const table = tableOf();
  table.register(anInstance({ contracts: [{ name: 'catalog', version: 1, hash: '' }] }), at(0));
  table.register(anInstance({ id: 'b' }), at(0));
  assert.deepEqual(
    [...table.list({ contract: 'catalog' })].map(({ instance }) => instance.id),
    ['a'],
  );
});

test('a full registry refuses newcomers and keeps serving those it has', () => {
  const table = tableOf({ maxInstances: 1 });
  table.register(anInstance(), at(0));
  assert.throws(() => table.register(anInstance({ id: 'b' }), at(0)), { code: 'UNAVAILABLE', message: /limit of 1/ });
  assert.equal(table.register(anInstance({ zone: 'z' }), at(0)).outcome, 'registered');
});

test('a saved state gives the same list, with fresh leases, and the same tombstones', () => {
  const table = tableOf();
  table.register(anInstance(), at(0));
  table.register(anInstance({ id: 'b' }), at(0));
  table.deregister({ service: 'orders', id: 'b' }, at(10));
  const state = structuredClone(table.save(at(80_000)));
  const restored = tableOf();
  restored.restore(state, { at: 5, wallAt: wall + 200_000 });
  assert.deepEqual(ids(restored), ['a']);
  assert.equal(restored.revision, table.revision);
  assert.equal(restored.get(a)?.expiresAt, 90_005);
  const late = { at: 6, wallAt: wall + 200_001 };
  assert.equal(restored.register(anInstance({ id: 'b' }), late).outcome, 'stale');
  assert.equal(restored.changesSince(0), undefined, 'what happened before is not known');
});

test('services whose instances are gone are forgotten once their evictions no longer count', () => {
  const table = tableOf();
  table.register(anInstance(), at(0));
  table.sweep(at(90_000), 90_000);
  table.sweep(at(151_000), 151_000);
  assert.deepEqual([...table.services()], []);
  assert.deepEqual([...table.named('orders')], []);
});

test('many comings and goings leave no entries behind', () => {
  const table = tableOf({ maxTombstones: 10 });
  for (let i = 0; i < 10_000; i++) {
    table.register(anInstance({ incarnation: i + 1, lease: { renewEveryMs: 1_000, lastsMs: 3_600_000 } }), at(i));
    table.deregister(a, at(i));
  }
  table.register(anInstance({ incarnation: 20_000 }), at(10_000));
  assert.equal(table.size, 1);
  assert.equal(table.sweep(at(100_000), 100_000).evicted.length, 1);
});

test('an owner that gives all its lives one incarnation may come back with that very one, each time as a newer life', () => {
  const table = tableOf();
  const mayReturn = true;
  table.register(anInstance({ incarnation: 5 }), at(0));
  for (const life of [6, 7]) {
    table.deregister(a, at(1));
    assert.equal(table.register(anInstance({ incarnation: 4 }), at(2), { mayReturn }).outcome, 'stale');
    assert.equal(table.register(anInstance({ incarnation: 5 }), at(2)).outcome, 'stale');
    assert.equal(table.register(anInstance({ incarnation: 5 }), at(2), { mayReturn }).outcome, 'registered');
    const { instance, declaredIncarnation } = table.get(a) ?? {};
    assert.deepEqual([instance?.incarnation, declaredIncarnation], [life, 5]);
    assert.equal(table.renew(a, at(3), 5).outcome, 'known');
    assert.equal(table.register(anInstance({ incarnation: 5, weight: 7 }), at(3)).outcome, 'registered');
    assert.deepEqual([table.get(a)?.instance.incarnation, table.get(a)?.instance.weight], [life, 7]);
  }
});

test('an eviction is not forgiven: it keeps the word of an operator', () => {
  const table = tableOf();
  table.register(anInstance({ incarnation: 5 }), at(0));
  table.setOverride(a, 'out-of-service', at(1));
  table.sweep(at(90_000), 90_000);
  table.register(anInstance({ incarnation: 5 }), at(90_001), { mayReturn: true });
  assert.equal(table.get(a)?.instance.override, 'out-of-service');
});

test('many leases that lapse at a time go in slices, and whoever gives a sign of life meanwhile stays', () => {
  const table = tableOf({ preserveFrom: Infinity });
  fill(table, 700);
  const first = table.sweep(at(90_000), 90_000);
  assert.deepEqual([first.evicted.length, first.more, table.size], [250, true, 450]);
  const [saved] = ids(table);
  table.renew({ service: 'orders', id: saved ?? '' }, at(90_001));
  table.sweep(at(90_001), 90_001);
  const last = table.sweep(at(90_002), 90_002);
  assert.equal(last.more, false);
  assert.deepEqual(ids(table), [saved]);
});

test('a share is chosen once of all that lapsed, however many slices it takes to look at them', () => {
  const table = tableOf();
  fill(table, 9_000);
  let evicted = 0;
  let paused = 0;
  for (let sweeps = 1, more = true; more; sweeps++) {
    assert.ok(sweeps < 20);
    const sweep = table.sweep(at(90_000), 90_000);
    evicted += sweep.evicted.length;
    paused += sweep.paused.length;
    more = sweep.more;
  }
  assert.deepEqual([evicted, paused, table.lapsed('orders')], [1_350, 1, 7_650]);
  assert.equal(table.evictLapsed('orders', at(91_000)).length, 250);
  for (let more = true; more; ) more = table.sweep(at(91_000), 91_000).more;
  assert.equal(table.size, 0);
});

test('after a pause every lease of a large registry is extended, in slices in which nobody lapses', () => {
  const table = tableOf();
  fill(table, 25_000);
  let sweep = table.sweep(at(100_000), 90_000);
  assert.deepEqual([sweep.extendedMs, sweep.more], [10_000, true]);
  for (; sweep.more; sweep = table.sweep(at(100_001), 100_001)) assert.equal(sweep.evicted.length, 0);
  assert.equal(table.size, 25_000);
  assert.equal(table.nextExpiryAt, 100_000 + 0);
});
