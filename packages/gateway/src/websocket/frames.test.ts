import assert from 'node:assert/strict';
import { it } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { closeFrame, FrameBoundary } from './frames.ts';

interface Frame {
  readonly opcode: number;
  readonly length: number;
  readonly masked: boolean;
}

/** RFC 6455 §5.2, written the long way. */
function encode({ opcode, length, masked }: Frame): Buffer {
  const bit = masked ? 0x80 : 0;
  const size = length < 126 ? [bit | length] : length < 65_536 ? [bit | 126, length >> 8, length & 255] : undefined;
  const head = Buffer.from([0x80 | opcode, ...(size ?? [bit | 127, 0, 0, 0, 0, 0, 0, 0, 0])]);
  if (!size) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 0xff), Buffer.alloc(length, 0x88)]);
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    length: fc.oneof(fc.integer({ min: 0, max: 140 }), fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000)),
    masked: fc.boolean(),
  }),
  { maxLength: 12 },
);

it('a boundary is where frames meet, and nowhere else, however the bytes are cut', () => {
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 90_000 }), (list, cut) => {
      const ends = new Set<number>([0]);
      let total = 0;
      for (const frame of list) {
        total += encode(frame).length;
        ends.add(total);
      }
      const bytes = Buffer.concat(list.map(encode));
      const boundary = new FrameBoundary();
      for (let at = 0; at < bytes.length; at += cut) {
        assert.equal(boundary.here, ends.has(at), `at ${at}`);
        boundary.pass(bytes.subarray(at, at + cut));
      }
      assert.equal(boundary.here, true);
      assert.equal(boundary.closed, false);
    }),
    { numRuns: 200 },
  );
});

it('the rest of a frame ends where the next one begins', () => {
  const [one, two] = [encode({ opcode: 1, length: 300, masked: true }), encode({ opcode: 1, length: 5, masked: true })];
  const bytes = Buffer.concat([one, two]);
  for (const cut of [1, 2, 3, 4, 7, 8, 200, one.length - 1]) {
    const boundary = new FrameBoundary();
    boundary.pass(bytes.subarray(0, cut));
    assert.equal(boundary.restOfFrame(bytes.subarray(cut)), one.length - cut, `cut at ${cut}`);
    assert.equal(boundary.here, true);
  }
  assert.equal(new FrameBoundary().restOfFrame(bytes), 0);
});

it('a close frame that passed is remembered', () => {
  const boundary = new FrameBoundary();
  boundary.pass(closeFrame(1_000));
  assert.deepEqual([boundary.here, boundary.closed], [true, true]);
});

it('a close frame towards a server is masked, towards a client it is not', () => {
  assert.deepEqual([...closeFrame(1_001)], [0x88, 0x02, 0x03, 0xe9]);
  const [first, second, a = 0, b = 0, , , high = 0, low = 0] = closeFrame(1_001, seededRandom(3));
  assert.deepEqual([first, second, high ^ a, low ^ b], [0x88, 0x82, 0x03, 0xe9]);
});
