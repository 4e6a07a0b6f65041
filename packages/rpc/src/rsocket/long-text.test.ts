import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LongText } from './long-text.ts';
import { OutBuffer } from './out-buffer.ts';

const unit = fc.constantFrom('a', 'é', '界', '😀', '\ud83d', '\ude00');
const text = fc.array(unit, { minLength: 1, maxLength: 60 }).map((units) => units.join(''));

test('the pieces of a text are its UTF-8, none cuts a character, none is longer than its room', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 4, max: 20 }), (whole, room) => {
      const long = new LongText(whole);
      const expected = Buffer.from(whole);
      assert.equal(long.length, expected.length);
      const pieces: Buffer[] = [];
      for (let rest = long.length; rest > 0; ) {
        const out = new OutBuffer(Buffer.alloc(1));
        const written = long.writeTo(out, Math.min(room, rest));
        assert.ok(written > 0 && written <= room, `${written} of ${room}`);
        assert.ok(rest > room || written === rest, 'where there is room for all, all is written');
        const piece = out.bytes.subarray(0, out.length);
        assert.deepEqual(Buffer.from(piece.toString()), piece);
        pieces.push(piece);
        rest -= written;
      }
      assert.deepEqual(Buffer.concat(pieces), expected);
    }),
    { seed: 1, numRuns: 2_000 },
  );
});
