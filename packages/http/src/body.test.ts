import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Call, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { chunked } from '../test/chunks.ts';
import { bodyStream, readBody } from './body.ts';

suite('readBody', () => {
  test('no body is no bytes', async () => {
    assert.deepEqual(await readBody(undefined, 0, newCall()), new Uint8Array(0));
  });

  test('any cut of the bytes into chunks gives the same bytes', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(chunks, async (parts) => {
        const copies = parts.map((part) => part.slice());
        assert.deepEqual(await readBody(chunked(parts).body, 1_600, newCall()), bytesOf(parts));
        assert.deepEqual(parts, copies, 'the sender’s chunks are not written to');
      }),
      { seed: 1 },
    );
  });

  test('a body of exactly the limit is read, whole or in chunks', async () => {
    assert.equal((await readBody(new Uint8Array(10), 10, newCall())).byteLength, 10);
    assert.equal((await readBody(chunked([new Uint8Array(4), new Uint8Array(6)]).body, 10, newCall())).byteLength, 10);
  });

  test('one byte over the limit is refused, naming the limit, and the sender is told to stop', async () => {
    const source = chunked([new Uint8Array(10), new Uint8Array(1), new Uint8Array(1)]);
    const refused = {
      code: 'BODY_TOO_LARGE',
      detail: 'the body is larger than the limit of 10 bytes',
      data: { maxBytes: 10 },
    };
    await assert.rejects(readBody(source.body, 10, newCall()), refused);
    assert.deepEqual(source.seen(), { taken: 2, left: true });
    await assert.rejects(readBody(new Uint8Array(11), 10, newCall()), refused);
  });

  test('a sender that falls silent is left at the deadline', async () => {
    const clock = new ManualClock();
    const call = new Call({ clock, random: seededRandom(1), deadline: 100 });
    let left = false;
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          left = true;
          return new Promise(() => {});
        },
      }),
    };
    const reading = assert.rejects(readBody(silent, 10, call), { code: 'DEADLINE_EXCEEDED' });
    await clock.advance(100);
    await reading;
    assert.equal(left, true);
    call.end();
  });

  test('a call that is already cancelled reads nothing', async () => {
    const call = newCall();
    call.cancel();
    const source = chunked([new Uint8Array(1)]);
    await assert.rejects(readBody(source.body, 10, call), { code: 'CANCELLED' });
    assert.equal(source.seen().taken, 0);
  });

  test('a source that fails is the caller’s failure, even when leaving it fails too', async () => {
    const broken: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new FlotillaError('CONNECTION_LOST', 'gone')),
        return: () => {
          throw new Error('gone as well');
        },
      }),
    };
    await assert.rejects(readBody(broken, 10, newCall()), { code: 'CONNECTION_LOST' });
  });
});

suite('bodyStream', () => {
  test('is one chunk for bytes, none for no body and for an empty one', async () => {
    assert.deepEqual(await Array.fromAsync(bodyStream(undefined)), []);
    assert.deepEqual(await Array.fromAsync(bodyStream(new Uint8Array(0))), []);
    assert.deepEqual(await Array.fromAsync(bodyStream(Uint8Array.of(1, 2))), [Uint8Array.of(1, 2)]);
  });

  test('leaving its loop early tells the sender to stop', async () => {
    const source = chunked([Uint8Array.of(1), Uint8Array.of(2)]);
    for await (const chunk of bodyStream(source.body)) {
      assert.deepEqual(chunk, Uint8Array.of(1));
      break;
    }
    assert.deepEqual(source.seen(), { taken: 1, left: true });
  });
});

function newCall(): Call {
  return new Call({ clock: new ManualClock(), random: seededRandom(1) });
}

function bytesOf(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}
