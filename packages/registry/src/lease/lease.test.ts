import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anInstance } from '../testing/instances.ts';
import { clampTerms, extend, hasLapsed, register, renew, setOverride, setStatus } from './lease.ts';
import { registryLimits } from './limits.ts';

const wall = 1_800_000_000_000;
const at = (ms: number) => ({ at: ms, wallAt: wall + ms });
const registered = (parts: Parameters<typeof anInstance>[0] = {}, ms = 0) =>
  register(undefined, anInstance(parts), at(ms), registryLimits).lease;

test('the default limits are these', () => {
  assert.deepEqual(registryLimits, {
    maxInstances: 200_000,
    maxChanges: 16_384,
    maxTombstones: 200_000,
    maxWatchers: 10_000,
    maxQueuedChanges: 256,
    shortestRenewalMs: 1_000,
    longestRenewalMs: 300_000,
    shortestLeaseMs: 5_000,
    longestLeaseMs: 3_600_000,
    futureIncarnationMs: 60_000,
    preserveFrom: 5,
    maxEvictedFraction: 0.15,
    evictionWindowMs: 60_000,
    pauseMs: 5_000,
  });
});

test('a change within the millisecond of the registration is told from it', () => {
  const { lease } = setStatus(registered(), 'down', at(0), registryLimits);
  assert.deepEqual([lease.registeredAt, lease.changedAt], [wall, wall + 1]);
  assert.equal(setStatus(registered(), 'down', at(7), registryLimits).lease.changedAt, wall + 7);
});

test('what an owner repeats stays the object that it was; what it changes is its new word', () => {
  const word = { metadata: { a: '1', b: '2' }, lease: { renewEveryMs: 10_000, lastsMs: 30_000 } };
  const known = registered({ ...word, incarnation: 1 });
  const again = (parts: Parameters<typeof anInstance>[0]) =>
    register(known, anInstance(structuredClone({ ...word, ...parts })), at(5), registryLimits);
  const repeated = again({ incarnation: 1 });
  assert.equal(repeated.changed, false);
  const newer = again({ incarnation: 2 });
  assert.equal(newer.changed, true);
  for (const { lease } of [repeated, newer]) {
    for (const part of ['identity', 'addresses', 'contracts', 'lease', 'metadata'] as const) {
      assert.equal(lease.instance[part], known.instance[part], part);
    }
  }
  for (const metadata of [{ a: '1' }, { a: '1', b: '3' }, { a: '1', c: '2' }, { a: '1', b: '2', c: '3' }] as const) {
    const changed = again({ incarnation: 1, metadata: { ...metadata } });
    assert.equal(changed.changed, true);
    assert.deepEqual(changed.lease.instance.metadata, metadata);
  }
  const moved = [{ protocol: 'http', host: 'elsewhere', port: 1 }];
  assert.deepEqual(again({ incarnation: 1, addresses: moved }).lease.instance.addresses, moved);
});

test('a lease lapses at its exact expiry, a renewal moves that', () => {
  const lease = registered();
  assert.equal(hasLapsed(lease, at(89_999)), false);
  assert.equal(hasLapsed(lease, at(90_000)), true);
  const renewed = renew(lease, at(30_000));
  assert.ok(renewed);
  assert.equal(hasLapsed(renewed, at(119_999)), false);
  assert.equal(hasLapsed(renewed, at(120_000)), true);
  assert.equal(renewed.renewedAt, wall + 30_000);
  assert.equal(renewed.registeredAt, wall);
});

test('without lease terms an instance never lapses', () => {
  const { lease: _, ...instance } = anInstance();
  const { lease } = register(undefined, instance, at(0), registryLimits);
  assert.equal(hasLapsed(lease, at(1e12)), false);
});

test('terms are clamped to 1 s to 300 s and 5 s to 3,600 s, and a renewal to its lease', () => {
  const clamped = (renewEveryMs: number, lastsMs: number) => clampTerms({ renewEveryMs, lastsMs }, registryLimits);
  assert.deepEqual(clamped(1, 1), { renewEveryMs: 1_000, lastsMs: 5_000 });
  assert.deepEqual(clamped(1e9, 1e9), { renewEveryMs: 300_000, lastsMs: 3_600_000 });
  assert.deepEqual(clamped(60_000, 10_000), { renewEveryMs: 10_000, lastsMs: 10_000 });
  assert.deepEqual(registered({ lease: { renewEveryMs: 1, lastsMs: 1 } }).instance.lease, clamped(1, 1));
});

test('a higher incarnation wins, the same one replaces, a lower one only renews', () => {
  const first = registered({ incarnation: 5, zone: 'old' });
  const zoneAfter = (incarnation: number) =>
    register(first, anInstance({ incarnation, zone: 'new' }), at(1_000), registryLimits).lease.instance.zone;
  assert.equal(zoneAfter(6), 'new');
  assert.equal(zoneAfter(5), 'new');
  assert.equal(zoneAfter(4), 'old');
  const kept = register(first, anInstance({ incarnation: 4 }), at(1_000), registryLimits);
  assert.equal(kept.changed, false);
  assert.equal(kept.lease.expiresAt, 91_000);
});

test('registering the same again changes nothing that is listed', () => {
  const first = registered();
  const again = register(first, anInstance(), at(5_000), registryLimits);
  assert.equal(again.changed, false);
  assert.equal(again.lease.changedAt, wall);
  assert.equal(again.lease.registeredAt, wall + 5_000);
});

test('an incarnation more than 60 s ahead is taken for now, and its owner recognised all the same', () => {
  const declared = wall + 60_001;
  const lease = registered({ incarnation: declared });
  assert.equal(lease.instance.incarnation, wall);
  assert.ok(renew(lease, at(30_000), declared), 'a renewal with the same word is no reason to register again');
  const again = register(lease, anInstance({ incarnation: declared }), at(30_000), registryLimits);
  assert.equal(again.changed, false);
  const later = register(lease, anInstance({ incarnation: wall + 5 }), at(30_000), registryLimits);
  assert.equal(later.lease.instance.incarnation, wall + 5, 'the entry is not pinned');
  assert.equal(registered({ incarnation: wall + 60_000 }).instance.incarnation, wall + 60_000);
});

test('an owner that holds a newer incarnation has to register', () => {
  const lease = registered({ incarnation: 5 });
  assert.equal(renew(lease, at(1), 6), undefined);
  assert.ok(renew(lease, at(1), 5));
  assert.ok(renew(lease, at(1), 4));
});

test('a status that its owner sets is listed, is a sign of life, and raises the incarnation', () => {
  const { lease, changed } = setStatus(registered({ incarnation: 5 }), 'draining', at(10_000), registryLimits, 6);
  assert.equal(changed, true);
  assert.equal(lease.instance.status, 'draining');
  assert.equal(lease.instance.incarnation, 6);
  assert.equal(lease.expiresAt, 100_000);
  const late = setStatus(lease, 'up', at(11_000), registryLimits, 5);
  assert.equal(late.changed, false, 'word of a past life');
  assert.equal(late.lease.instance.status, 'draining');
});

test("an operator's override outlives registrations and renewals until it is taken back", () => {
  const overridden = setOverride(registered({ incarnation: 5 }), 'out-of-service', at(1_000));
  assert.equal(overridden.lease.expiresAt, 90_000, 'it is no sign of life of the instance');
  const again = register(overridden.lease, anInstance({ incarnation: 6 }), at(2_000), registryLimits).lease;
  assert.equal(again.instance.override, 'out-of-service');
  const back = setOverride(again, undefined, at(3_000));
  assert.ok(!('override' in back.lease.instance));
  assert.equal(setOverride(back.lease, undefined, at(4_000)).changed, false);
});

test('it is remembered when an instance first came up', () => {
  const starting = registered({ status: 'starting' });
  assert.equal(starting.upAt, 0);
  const up = setStatus(starting, 'up', at(7_000), registryLimits).lease;
  assert.equal(up.upAt, wall + 7_000);
  assert.equal(setStatus(up, 'up', at(9_000), registryLimits).lease.upAt, wall + 7_000);
});

test('time given back moves the expiry', () => {
  assert.equal(extend(registered(), 10_000).expiresAt, 100_000);
});
