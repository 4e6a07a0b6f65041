import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { leaveBody, tapBody } from './body-tap.ts';

describe('a tapped body', () => {
  it('is the same bytes, counted chunk by chunk as they are asked for', async () => {
    const counted: number[] = [];
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one');
      assert.deepEqual(counted, [3], 'the second chunk is made when it is asked for');
      yield Buffer.from('three');
    }
    const chunks: string[] = [];
    const body = tapBody(source(), { chunk: (bytes) => counted.push(bytes) });
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk).toString());
    assert.deepEqual(
      [chunks, counted],
      [
        ['one', 'three'],
        [3, 5],
      ],
    );
  });

  it('of bytes is counted at once and passed on as it is', () => {
    const bytes = Buffer.from('four');
    let counted = 0;
    assert.equal(tapBody(bytes, { chunk: (length) => (counted = length) }), bytes);
    assert.equal(counted, 4);
    assert.equal(tapBody(undefined, { chunk: () => assert.fail() }), undefined);
  });

  it('stops its sender when the tap throws, and the reader gets what was thrown', async () => {
    const sender = stuckAfter(Buffer.from('too much'));
    const failures: unknown[] = [];
    const limit = new Error('limit');
    const body = tapBody(sender, {
      chunk() {
        throw limit;
      },
      failed: (thrown) => failures.push(thrown),
    }) as AsyncIterable<Uint8Array>;
    await assert.rejects(body[Symbol.asyncIterator]().next(), limit);
    assert.deepEqual([failures, sender.left], [[limit], 1]);
  });

  it('lets its reader leave while the sender has nothing to give', async () => {
    const sender = stuckAfter();
    const chunks = (tapBody(sender, { chunk() {} }) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    void chunks.next();
    await chunks.return?.();
    assert.equal(sender.left, 1);
  });

  it('is left without harm, whatever its sender does then', async () => {
    leaveBody(undefined);
    leaveBody(Buffer.from('x'));
    leaveBody({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) });
    const angry = { next: () => Promise.reject(new Error('next')), return: () => Promise.reject(new Error('return')) };
    leaveBody({ [Symbol.asyncIterator]: () => angry });
    await new Promise((resolve) => setImmediate(resolve));
  });
});

function stuckAfter(...given: Uint8Array[]): AsyncIterable<Uint8Array> & { left: number } {
  const sender = {
    left: 0,
    [Symbol.asyncIterator]: () => ({
      next: (): Promise<IteratorResult<Uint8Array>> => {
        const value = given.shift();
        return value ? Promise.resolve({ done: false, value }) : new Promise(() => {});
      },
      return: async (): Promise<IteratorResult<Uint8Array>> => {
        sender.left++;
        return { done: true, value: undefined };
      },
    }),
  };
  return sender;
}
