import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '@flotilla/core';
import fc from 'fast-check';
import { ContractCensus, contractConflicts } from './contract-census.ts';
import { anInstance } from './testing/instances.ts';

const serving = (id: string, service: string, ...contracts: readonly (readonly [string, string])[]): Instance =>
  anInstance({ id, service, contracts: contracts.map(([name, hash]) => ({ name, version: 1, hash })) });

test('one contract with two hashes is a conflict that names an instance of each', () => {
  const [conflict, ...others] = contractConflicts([
    serving('a', 'orders', ['catalog', '111']),
    serving('b', 'orders', ['catalog', '222']),
    serving('c', 'shop', ['catalog', '222']),
  ]);
  assert.deepEqual(others, []);
  assert.deepEqual(conflict, {
    kind: 'contract',
    name: 'catalog v1',
    sides: [
      { means: '222', count: 2, service: 'orders', id: 'b' },
      { means: '111', count: 1, service: 'orders', id: 'a' },
    ],
    detail:
      'the contract catalog v1 is not the same everywhere: "b" of "orders" has the hash 222, "a" of "orders" has the hash 111',
  });
});

test('two applications of one name, with no contract in common, are a conflict', () => {
  const conflicts = contractConflicts([
    serving('a', 'orders', ['order', '1']),
    serving('b', 'orders', ['billing', '2']),
  ]);
  assert.deepEqual(
    conflicts.map(({ kind, detail }) => [kind, detail]),
    [['service', 'two applications are called "orders": "a" of "orders" serves order, "b" of "orders" serves billing']],
  );
});

const peaceful: readonly [name: string, instances: readonly Instance[]][] = [
  ['a second contract during a roll-out', [serving('a', 's', ['x', '1']), serving('b', 's', ['x', '1'], ['y', '2'])]],
  [
    'another version of a contract',
    [
      serving('a', 's', ['x', '1']),
      anInstance({ id: 'b', service: 's', contracts: [{ name: 'x', version: 2, hash: '2' }] }),
    ],
  ],
  ['no hash', [serving('a', 's', ['x', '']), serving('b', 's', ['x', '1'])]],
  ['no contracts, as of Java services', [serving('a', 's'), serving('b', 's', ['x', '1'])]],
];
for (const [name, instances] of peaceful) {
  test(`${name} is no conflict`, () => assert.deepEqual(contractConflicts(instances), []));
}

test('a conflict begins once, and ends with the last instance of a side', () => {
  const census = new ContractCensus();
  const [a, b, c] = [serving('a', 's', ['x', '1']), serving('b', 's', ['x', '2']), serving('c', 's', ['x', '2'])];
  const kinds = ({ began, ended }: ReturnType<ContractCensus['change']>) => [began.length, ended.length];
  assert.deepEqual(kinds(census.change(undefined, a)), [0, 0]);
  assert.deepEqual(kinds(census.change(undefined, b)), [1, 0]);
  assert.deepEqual(kinds(census.change(undefined, c)), [0, 0]);
  assert.deepEqual(kinds(census.change(b, undefined)), [0, 0]);
  assert.deepEqual(kinds(census.change(c, { ...c, contracts: a.contracts })), [0, 1]);
  assert.equal(census.conflicts.length, 0);
});

test('kept up change by change it says what a look at everybody says', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    contracts: fc.option(
      fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('', '1', '2')), { maxLength: 3 }),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const census = new ContractCensus();
      const listed = new Map<string, Instance>();
      for (const { id, contracts } of steps) {
        const unique = contracts && [...new Map(contracts)];
        const after = unique && serving(id, 's', ...unique);
        census.change(listed.get(id), after);
        if (after) listed.set(id, after);
        else listed.delete(id);
      }
      const names = (
        found: Iterable<{ kind: string; name: string; sides: readonly { means: string; count: number }[] }>,
      ) =>
        Array.from(found, ({ kind, name, sides }) =>
          [kind, name, ...sides.map(({ means, count }) => `${means} ${count}`).sort()].join(),
        ).sort();
      assert.deepEqual(names(census.conflicts), names(contractConflicts(listed.values())));
    }),
  );
});
