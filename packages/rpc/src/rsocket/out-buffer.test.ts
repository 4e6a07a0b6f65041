import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OutBuffer } from './out-buffer.ts';

test('short text and numbers are written as Node writes them, however little room there was', () => {
  const piece = fc.oneof(fc.string({ unit: 'grapheme-ascii' }), fc.nat());
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const out = new OutBuffer(Buffer.alloc(1));
      for (const each of pieces) {
        if (typeof each === 'string') out.ascii(each);
        else out.decimal(each);
      }
      assert.equal(out.bytes.toString('latin1', 0, out.length), pieces.join(''));
    }),
    { examples: [[[0, 9, 10, 99, 100, 2_147_483_647, '']]] },
  );
});
