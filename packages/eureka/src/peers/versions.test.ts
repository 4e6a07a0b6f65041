import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceStatus } from '@flotilla/core';
import fc from 'fast-check';
import { decodeInstance, encodeInstance } from '../instance.ts';
import { member } from '../testing/member.ts';
import {
  compareOperatorsWords,
  compareOwnersWords,
  fingerprintOf,
  type OperatorsWord,
  type OwnersWord,
} from './versions.ts';

const owners: fc.Arbitrary<OwnersWord> = fc.record({
  incarnation: fc.nat({ max: 2 }),
  saidAt: fc.nat({ max: 2 }),
  content: fc.constantFrom('a', 'b', 'c'),
});
const operators: fc.Arbitrary<OperatorsWord> = fc.record({
  overriddenAt: fc.nat({ max: 2 }),
  override: fc.constantFrom<InstanceStatus | undefined>(undefined, 'down', 'out-of-service', 'up'),
});

/** Of any three words one is the newest, whoever compares them in which order. */
function assertOrder<T>(words: fc.Arbitrary<T>, compare: (a: T, b: T) => number): void {
  fc.assert(
    fc.property(words, words, (a, b) => {
      assert.equal(Math.sign(compare(a, b)) + Math.sign(compare(b, a)), 0);
    }),
  );
}

test('the newer word of an owner is the same on both sides', () => assertOrder(owners, compareOwnersWords));
test('the newer word of an operator is the same on both sides', () => assertOrder(operators, compareOperatorsWords));

test('an incarnation counts more than when it was said, and that more than what', () => {
  const word = (incarnation: number, saidAt: number, content: string): OwnersWord => ({ incarnation, saidAt, content });
  const rising = [word(1, 9, 'z'), word(2, 1, 'z'), word(2, 2, 'a'), word(2, 2, 'b')];
  for (const [index, newer] of rising.slice(1).entries()) {
    const older = rising[index];
    assert.ok(older && compareOwnersWords(newer, older) > 0);
  }
  assert.equal(compareOwnersWords(word(2, 1, 'a'), word(2, 5, 'a')), 0);
});

test('of two words of operators at one instant the one that takes out counts', () => {
  const at = (override: InstanceStatus | undefined, overriddenAt: number): OperatorsWord => ({
    override,
    overriddenAt,
  });
  assert.ok(compareOperatorsWords(at('out-of-service', 1), at(undefined, 1)) > 0);
  assert.ok(compareOperatorsWords(at(undefined, 2), at('out-of-service', 1)) > 0);
});

test('an instance has one fingerprint, also after a Java server shuffled its metadata and wrote its own times', () => {
  const instance = member('o1', 1_767_225_600_000, { metadata: { b: '2', a: '1' }, status: 'draining' });
  const document = encodeInstance(instance, {
    lastUpdatedTimestamp: 5,
    actionType: 'MODIFIED',
    registrationTimestamp: 7,
  });
  const { metadata, ...rest } = document;
  const shuffled = { ...rest, metadata: Object.fromEntries(Object.entries(metadata).reverse()) };
  const back = decodeInstance({ ...shuffled, leaseInfo: { ...rest.leaseInfo, serviceUpTimestamp: 9 } }, 0);
  assert.deepEqual(fingerprintOf(back), fingerprintOf(instance));
});

for (const [what, changes] of [
  ['its status', { status: 'down' }],
  ['its metadata', { metadata: { color: 'green' } }],
  ['its contracts', { contracts: [] }],
  ['its weight', { weight: 4 }],
  ['its zone', { zone: 'eu-2' }],
  ['its address', { addresses: [{ protocol: 'http', host: '10.0.0.2', port: 8_080 }] }],
] as const) {
  test(`the fingerprint tells ${what}`, () => {
    assert.notEqual(fingerprintOf(member('o1', 1, changes)).content, fingerprintOf(member('o1', 1)).content);
  });
}
