import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutBuffer } from './out-buffer.ts';
import { largeBytes, SpareBuffers, smallBytes } from './spare-buffers.ts';

test('buffers of both sizes are used again, empty', () => {
  const spare = new SpareBuffers();
  const [small, large] = [spare.take(0), spare.take(smallBytes + 1)];
  assert.deepEqual([small.bytes.length, large.bytes.length], [smallBytes, largeBytes]);
  small.u8(1);
  large.u8(1);
  spare.give(small);
  spare.give(large);
  assert.equal(spare.take(smallBytes), small);
  assert.equal(spare.take(largeBytes), large);
  assert.deepEqual([small.length, large.length], [0, 0]);
  assert.notEqual(spare.take(0), small, 'nobody else has it');
});

test('one that grew, or whose bytes went on with somebody, is not kept', () => {
  const spare = new SpareBuffers();
  const grown = spare.take(0);
  grown.ensure(smallBytes + 1);
  spare.give(grown);
  const handedOn = new OutBuffer(Buffer.alloc(0));
  spare.give(handedOn);
  const next = spare.take(0);
  assert.ok(next !== grown && next !== handedOn);
  assert.equal(next.bytes.length, smallBytes);
});

test('no more than 2 MiB of each size are kept', () => {
  const spare = new SpareBuffers();
  const taken = new Set(Array.from({ length: 300 }, () => spare.take(0)));
  for (const out of taken) spare.give(out);
  const again = Array.from({ length: 300 }, () => spare.take(0)).filter((out) => taken.has(out));
  assert.equal(again.length, 256);
});
