import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../lease/lease.ts';
import { registryLimits } from '../lease/limits.ts';
import { anInstance } from '../testing/instances.ts';
import { changeOf, type LocalChange, rebase, registrationOf, withChange } from './local-changes.ts';
import type { Kept } from './record-text.ts';

const moment = { at: 1_000, wallAt: 1_000_000 };
const leaseOf = (incarnation: number, declaredIncarnation = incarnation): Lease => ({
  instance: anInstance({ incarnation }),
  declaredIncarnation,
  expiresAt: Infinity,
  registeredAt: 1,
  renewedAt: 1,
  changedAt: 1,
  upAt: 1,
});
const listed = (incarnation: number, declared?: number): Kept => {
  const { expiresAt: _, ...lease } = leaseOf(incarnation, declared);
  return { lease };
};
const gone = (
  incarnation: number,
  declaredIncarnation?: number,
  reason: 'deregistered' | 'evicted' = 'deregistered',
): Kept => ({
  gone: {
    service: 'orders',
    id: 'a',
    incarnation,
    ...(declaredIncarnation === undefined ? undefined : { declaredIncarnation }),
    reason,
    until: 1,
  },
});
const registered = (declared: number, countsAs = declared): LocalChange => registrationOf(leaseOf(countsAs, declared));
const left = (incarnation: number, declaredIncarnation?: number): LocalChange => ({
  kind: 'deregistered',
  incarnation,
  ...(declaredIncarnation === undefined ? undefined : { declaredIncarnation }),
});

/** `listed 6 (5)`: incarnation 6 counts, its owner gave 5. */
function shown(kept: Kept | undefined): string {
  if (!kept) return 'nothing';
  const [word, counts, declared] =
    'gone' in kept
      ? [kept.gone.reason, kept.gone.incarnation, kept.gone.declaredIncarnation ?? kept.gone.incarnation]
      : ['listed', kept.lease.instance.incarnation, kept.lease.declaredIncarnation];
  return counts === declared ? `${word} ${counts}` : `${word} ${counts} (${declared})`;
}

for (const [what, kept, changes, result] of [
  ['a registration where nothing is', undefined, [registered(5)], 'listed 5'],
  ['one on top of an older one', listed(4), [registered(5)], 'listed 5'],
  ['one on top of a newer one', listed(6), [registered(5)], 'listed 6'],
  ['a late copy of what was ended', gone(5), [registered(5)], 'deregistered 5'],
  ['a later life', gone(5), [registered(6)], 'listed 6'],
  ['one that was evicted meanwhile', gone(5, undefined, 'evicted'), [registered(5)], 'listed 5'],
  ['a second life with the same incarnation', gone(5), [registered(5, 6)], 'listed 6 (5)'],
  ['the same, said again', listed(6, 5), [registered(5, 6)], 'listed 6 (5)'],
  ['the same, after that life ended too', gone(6, 5), [registered(5, 6)], 'deregistered 6 (5)'],
  ['a second life on top of the first', listed(5), [registered(5, 6)], 'listed 6 (5)'],
  ['a second life that was evicted', gone(6, undefined, 'evicted'), [registered(5, 6)], 'listed 6 (5)'],
  ['what its owner gives as newer counts as newer', gone(6, 5), [registered(6)], 'listed 7 (6)'],
  ['a farewell', listed(5), [left(5)], 'deregistered 5'],
  ['a farewell of an earlier life', listed(6), [left(5)], 'listed 6'],
  ['a farewell of a second life', listed(6, 5), [left(6, 5)], 'deregistered 6 (5)'],
  ['a farewell of a life that was not written', listed(5), [left(6, 5)], 'deregistered 6 (5)'],
  ['a farewell to somebody unknown', undefined, [left(5)], 'nothing'],
  ['a farewell and a second life', listed(5), [left(5), registered(5, 6)], 'listed 6 (5)'],
] as const) {
  test(`${what}: ${result}, however often it is said`, () => {
    const once = rebase(kept, changes, moment, registryLimits);
    assert.equal(shown(once), result);
    assert.equal(shown(rebase(once, changes.slice(-1), moment, registryLimits)), result);
  });
}

test('of each kind the last change counts, in the order in which they came last', () => {
  const changes = [registered(5), left(5), registered(5, 6)].reduce(withChange, [] as readonly LocalChange[]);
  assert.deepEqual(changes, [left(5), registered(5, 6)]);
});

test('a renewal is no change; others are told by what they left', () => {
  const lease = leaseOf(6, 5);
  const of = (kind: Parameters<typeof changeOf>[0]['kind']) => changeOf({ kind, lease, replicated: false });
  assert.equal(of('renewed'), undefined);
  assert.deepEqual(of('registered'), { kind: 'registered', instance: anInstance({ incarnation: 5 }), countsAs: 6 });
  assert.deepEqual(of('deregistered'), { kind: 'deregistered', incarnation: 6, declaredIncarnation: 5 });
  assert.deepEqual(of('statusSet'), { kind: 'statusSet', status: 'up', incarnation: 5 });
});
