import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Row } from './measurement.ts';
import { full, readRequest } from './plan.ts';
import { chooseRows } from './rounds.ts';

const measure = (): Promise<never> => Promise.reject(new Error('not here'));
const subjects = ['peer', 'flotilla', 'other'].map((id) => ({ id, title: id, measure }));
const common = { kind: 'throughput', reference: 'peer', operation: 'call', budget: '', subjects } as const;
const rows: readonly Row[] = [
  { ...common, id: 'one', title: 'one', own: () => measure },
  { ...common, id: 'two', title: 'two' },
];

function chosen(...args: string[]): string[] {
  const request = readRequest(args);
  assert.ok(request);
  return chooseRows(rows, request).map(({ id, reference, subjects: some }) =>
    [id, reference, ...some.map((subject) => subject.id)].join(' '),
  );
}

it('only a full run of everything is published', () => {
  assert.equal(readRequest([])?.publish, 'all');
  for (const args of [['--quick'], ['--rows', 'one'], ['--subjects', 'flotilla'], ['--against', '..']]) {
    assert.equal(readRequest(args)?.publish, undefined, args.join(' '));
  }
});

it('rows that are named are published when that is asked for, with all their subjects', () => {
  assert.equal(readRequest(['--rows', 'calls', '--publish'])?.publish, 'named');
  for (const args of [['--quick'], ['--subjects', 'a'], ['--against', '../b']]) {
    assert.throws(() => readRequest(['--rows', 'calls', '--publish', ...args]), TypeError);
  }
});

it('rounds and seconds can be set, and nothing that is no number', () => {
  assert.deepEqual(readRequest(['--rounds', '7', '--seconds', '1.5'])?.plan, { ...full, rounds: 7, measureMs: 1_500 });
  assert.throws(() => readRequest(['--rounds', 'x']), /--rounds is a number above 0/);
  assert.throws(() => readRequest(['--fast']), TypeError);
});

it('the reference of a row is always measured', () => {
  assert.deepEqual(chosen('--rows', 'one', '--subjects', 'flotilla'), ['one peer peer flotilla']);
  assert.deepEqual(chosen(), ['one peer peer flotilla other', 'two peer peer flotilla other']);
});

it('against another checkout, ours is measured beside itself, in rows that have it', () => {
  assert.deepEqual(chosen('--against', '..'), ['one before before flotilla']);
});

it('a row or subject that is none is an error that names those that are', () => {
  assert.throws(() => chosen('--rows', 'three'), /no row "three"; there are one, two/);
  assert.throws(() => chosen('--subjects', 'x'), /no subject "x"; there are peer, flotilla, other/);
});

it('a row that takes minutes runs when it is named, and in the runs that do not leave it out', () => {
  const long: Row = { ...common, id: 'long', title: 'long', leftOutOf: ['full'] };
  const ids = (...args: string[]): string[] => {
    const request = readRequest(args);
    assert.ok(request);
    return chooseRows([...rows, long], request).map(({ id }) => id);
  };
  assert.deepEqual(ids(), ['one', 'two']);
  assert.deepEqual(ids('--quick'), ['one', 'two', 'long']);
  assert.deepEqual(ids('--rows', 'long'), ['long']);
});

it('figures go into a file of results and nowhere else', () => {
  assert.equal(readRequest(['--results', 'registry-at-size'])?.results, 'registry-at-size');
  assert.throws(() => readRequest(['--results', '../elsewhere']), TypeError);
});
