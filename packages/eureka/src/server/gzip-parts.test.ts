import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { gzipOf, gzipPart, textOfPart } from './gzip-parts.ts';

const text = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.nat(70_000).map((length) => 'abc'.repeat(length)),
);

test('parts of any length and number are one gzip file of their texts, and each gives its text back', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), (texts) => {
      const parts = texts.map((one) => gzipPart(Buffer.from(one)));
      assert.equal(gunzipSync(Buffer.concat(gzipOf(parts))).toString(), texts.join(''));
      for (const [n, part] of parts.entries()) assert.equal(Buffer.from(textOfPart(part)).toString(), texts[n]);
    }),
    { numRuns: 60 },
  );
});
