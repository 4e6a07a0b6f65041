import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { ChunkQueue } from './chunk-queue.ts';

const lost = new FlotillaError('CONNECTION_LOST', 'gone');
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(length);

it('a chunk is handed over to a reader that waits, and queued for one that comes later', async () => {
  const queue = new ChunkQueue();
  const waiting = queue.next();
  assert.equal(queue.starved, true);
  queue.push(bytes(1));
  assert.equal(queue.starved, false);
  queue.push(bytes(2));
  assert.deepEqual([(await waiting).value, (await queue.next()).value], [bytes(1), bytes(2)]);
});

it('what is whole before anybody reads can be taken at once, and is delivered by that', async () => {
  const done: unknown[] = [];
  const queue = new ChunkQueue({ done: (error) => done.push(error) });
  queue.push(bytes(1));
  queue.push(bytes(2));
  assert.equal(queue.takeWhole(), undefined, 'more may come');
  queue.end();
  assert.deepEqual(queue.takeWhole(), new Uint8Array([1, 2, 2]));
  assert.deepEqual(done, [undefined]);
  assert.equal((await queue.next()).done, true);
  queue.abort(lost);
  assert.deepEqual(done, [undefined]);
});

it('what broke, was aborted or is being read cannot be taken at once', async () => {
  const [broken, aborted, read] = [new ChunkQueue(), new ChunkQueue(), new ChunkQueue()];
  for (const queue of [broken, aborted, read]) queue.push(bytes(1));
  broken.fail(lost);
  aborted.end();
  aborted.abort(lost);
  await read.next();
  read.end();
  for (const queue of [broken, aborted, read]) assert.equal(queue.takeWhole(), undefined);
});

it('a full queue says so, and says when there is room again', async () => {
  let roomy = 0;
  const queue = new ChunkQueue({ roomy: () => roomy++ });
  assert.equal(queue.push(bytes(ChunkQueue.highWaterBytes - 1)), true);
  assert.equal(queue.push(bytes(1)), false);
  await queue.next();
  assert.equal(roomy, 1);
  await queue.next();
  assert.equal(roomy, 1);
});

it('the end comes behind what is queued, and `done` with the last chunk', async () => {
  const done: unknown[] = [];
  const queue = new ChunkQueue({ done: (error) => done.push(error) });
  queue.push(bytes(1));
  queue.end();
  assert.deepEqual(done, []);
  assert.deepEqual((await queue.next()).value, bytes(1));
  assert.deepEqual(done, [undefined]);
  assert.equal((await queue.next()).done, true);
});

it('a failure comes behind what is queued, once, but is known at once', async () => {
  const done: unknown[] = [];
  const queue = new ChunkQueue({ done: (error) => done.push(error) });
  queue.push(bytes(1));
  queue.fail(lost);
  assert.deepEqual(done, [lost]);
  assert.deepEqual((await queue.next()).value, bytes(1));
  await assert.rejects(queue.next(), (thrown) => thrown === lost);
  assert.equal((await queue.next()).done, true);
});

it('an abort drops what is queued; after the last chunk was read it does nothing', async () => {
  const aborted = new ChunkQueue();
  aborted.push(bytes(1));
  aborted.end();
  aborted.abort(lost);
  await assert.rejects(aborted.next(), (thrown) => thrown === lost);
  const read = new ChunkQueue();
  read.push(bytes(1));
  read.end();
  await read.next();
  read.abort(lost);
  assert.equal((await read.next()).done, true);
});

it('a reader that leaves is done, the producer hears of it once, and later pushes go nowhere', async () => {
  let left = 0;
  const queue = new ChunkQueue({ left: () => left++, done: () => assert.fail('it is not done') });
  queue.push(bytes(1));
  await queue.return();
  await queue.return();
  assert.equal(left, 1);
  assert.equal(queue.push(bytes(2)), true);
  queue.fail(lost);
  assert.equal((await queue.next()).done, true);
});

it('two reads at once are a mistake, and say so', async () => {
  const queue = new ChunkQueue();
  const first = queue.next();
  await assert.rejects(queue.next(), /INTERNAL: a body has one reader/);
  queue.end();
  assert.equal((await first).done, true);
});

/** What may be done to a queue, and the same to a plain list. */
type Step = { readonly push: number } | 'read' | 'end' | 'fail' | 'abort' | 'leave';

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ push: fc.integer({ min: 0, max: 40_000 }) }) },
  { weight: 4, arbitrary: fc.constant<Step>('read') },
  { weight: 1, arbitrary: fc.constantFrom<Step>('end', 'fail', 'abort', 'leave') },
);

/** The naive queue: a list and an end. Says what a read gives: a length, an end, an error, or nothing yet. */
class PlainQueue {
  readonly #lengths: number[] = [];
  #end: 'end' | 'fail' | undefined;
  #delivered = false;

  apply(step: Step): unknown {
    if (typeof step === 'object') {
      if (this.#end === undefined && step.push > 0) this.#lengths.push(step.push);
    } else if (step === 'read') return this.#read();
    else if (step === 'leave') this.#close('end', true);
    else if (step === 'abort') this.#abort();
    else this.#close(step, false);
    return undefined;
  }

  #read(): unknown {
    const length = this.#lengths.shift();
    if (length !== undefined) return length;
    if (this.#end === undefined) return 'waits';
    const error = this.#end === 'fail' && !this.#delivered;
    this.#delivered = true;
    return error ? 'error' : 'done';
  }

  #abort(): void {
    const over = this.#end === 'fail' || (this.#end === 'end' && this.#lengths.length === 0);
    if (over) return;
    this.#lengths.length = 0;
    this.#end = 'fail';
  }

  #close(end: 'end' | 'fail', drop: boolean): void {
    if (drop) {
      this.#lengths.length = 0;
      this.#end = 'end';
    }
    this.#end ??= end;
  }
}

async function outcome(read: Promise<IteratorResult<Uint8Array>>): Promise<unknown> {
  const settled = read.then(
    ({ done, value }) => (done ? 'done' : value.length),
    () => 'error',
  );
  return Promise.race([settled, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
}

it('whatever is done to it, a reader sees what a plain list would show', async () => {
  const run = fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), async (steps) => {
    const queue = new ChunkQueue();
    const plain = new PlainQueue();
    for (const step of steps) {
      const expected = plain.apply(step);
      if (typeof step === 'object') queue.push(bytes(step.push));
      else if (step === 'end') queue.end();
      else if (step === 'fail') queue.fail(lost);
      else if (step === 'abort') queue.abort(lost);
      else if (step === 'leave') await queue.return();
      else {
        const seen = await outcome(queue.next());
        assert.equal(seen, expected);
        if (seen === 'waits') return; // its reader is taken from here on
      }
    }
  });
  await fc.assert(run, { numRuns: 300 });
});
