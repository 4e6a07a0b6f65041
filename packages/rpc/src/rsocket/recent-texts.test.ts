import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { RecentTexts } from './recent-texts.ts';

it('a text is what its bytes say, whatever was read before', () => {
  const few = fc.constantFrom('', 'shop.item', 'shop.order', 'shop.ordeR', 'ü', 'x'.repeat(300));
  fc.assert(
    fc.property(fc.array(fc.oneof(few, fc.string({ unit: 'grapheme' }))), (texts) => {
      const recent = new RecentTexts();
      for (const text of texts) {
        const bytes = Buffer.from(`<${text}>`);
        assert.equal(recent.read(bytes, 1, bytes.length - 1), text);
        bytes.fill(0); // the buffer is used again for what comes next
      }
    }),
  );
});
