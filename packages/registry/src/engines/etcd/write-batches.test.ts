import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import type { EtcdDone, EtcdTransaction } from './messages.ts';
import { type EtcdWrite, WriteBatches } from './write-batches.ts';

/** An etcd of which a test answers each request when it likes. */
class Requests {
  readonly keys: string[][] = [];
  readonly #open: { readonly answer: () => void; readonly refuse: (error: Error) => void }[] = [];

  readonly send = (transactions: readonly EtcdTransaction[]): Promise<readonly EtcdDone[]> => {
    this.keys.push(transactions.map(keyOf));
    const revision = this.keys.length;
    return new Promise((resolve, reject) => {
      const answer = () => resolve(transactions.map(() => ({ succeeded: true, revision, found: [] })));
      this.#open.push({ answer, refuse: reject });
    });
  };

  async answer(): Promise<void> {
    this.#open.shift()?.answer();
    await settle();
  }

  async refuse(error: Error): Promise<void> {
    this.#open.shift()?.refuse(error);
    await settle();
  }

  get open(): number {
    return this.#open.length;
  }
}

const keyOf = ({ success: [step] }: EtcdTransaction): string => (step && 'key' in step ? step.key : '');
const write = (key: string, place: number, size = 1): EtcdWrite => ({
  transaction: { compare: [], success: [{ kind: 'put', key, value: '' }] },
  place,
  size,
});

test('a write that comes alone goes alone; what comes while etcd is busy goes together', async () => {
  const requests = new Requests();
  const batches = new WriteBatches(requests.send);
  const alone = batches.do(write('alone', 0));
  await settle();
  assert.deepEqual(requests.keys, [['alone']]);
  for (const key of ['b', 'c', 'd']) {
    void batches.do(write(key, 1));
    await settle();
  }
  const together = [batches.do(write('e', 1)), batches.do(write('f', 2)), batches.do(write('g', 3))];
  await settle();
  assert.equal(requests.open, 4);
  await requests.answer();
  assert.equal((await alone).revision, 1);
  assert.deepEqual(requests.keys.at(-1), ['e', 'f', 'g']);
  for (let i = 0; i < 4; i++) await requests.answer();
  assert.deepEqual(
    (await Promise.all(together)).map(({ revision }) => revision),
    [5, 5, 5],
  );
});

test('two of one place never go together; who waits for it is not passed over for long', async () => {
  const requests = new Requests();
  const batches = new WriteBatches(requests.send);
  for (const [key, place] of [
    ['a', 1],
    ['b', 1],
    ['c', 2],
    ['d', 1],
  ] as const)
    void batches.do(write(key, place));
  await settle();
  assert.deepEqual(requests.keys, [['a', 'c'], ['b'], ['d']]);
});

test('a request holds 96 writes, and 256 kB unless one alone is larger', async () => {
  const requests = new Requests();
  const batches = new WriteBatches(requests.send);
  for (let i = 0; i < 100; i++) void batches.do(write(`${i}`, i));
  await settle();
  assert.deepEqual(
    requests.keys.map(({ length }) => length),
    [96, 4],
  );
  const large = new Requests();
  const heavy = new WriteBatches(large.send);
  for (const [i, size] of [200_000, 100_000, 300_000, 50_000].entries()) void heavy.do(write(`${i}`, i, size));
  await settle();
  assert.deepEqual(large.keys, [['0', '3'], ['1'], ['2']]);
});

test('writes that are refused together are made one by one, each with its own answer', async () => {
  const requests = new Requests();
  const batches = new WriteBatches(requests.send);
  const outcomes = Promise.allSettled([batches.do(write('good', 1)), batches.do(write('bad', 2))]);
  await settle();
  await requests.refuse(new FlotillaError('INVALID_INPUT', 'too many operations'));
  await requests.answer();
  await requests.refuse(new FlotillaError('INVALID_INPUT', 'too large'));
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  assert.deepEqual(requests.keys, [['good', 'bad'], ['good'], ['bad']]);
});

test('a request whose outcome nobody knows is not made again: each of its writes is told so', async () => {
  const requests = new Requests();
  const batches = new WriteBatches(requests.send);
  const outcomes = Promise.allSettled([batches.do(write('a', 1)), batches.do(write('b', 2))]);
  await settle();
  await requests.refuse(new FlotillaError('CONNECTION_LOST', 'gone', { executed: 'unknown' }));
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(requests.keys.length, 1);
  const next = batches.do(write('c', 1));
  await settle();
  await requests.answer();
  assert.equal((await next).succeeded, true);
});
