import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { SharedText } from './shared-text.ts';

test('a text is compressed once for everybody, a long one on another thread', async () => {
  for (const length of [10, 100_000, 2_000_000]) {
    const text = new SharedText('x'.repeat(length));
    const first = text.gzipped();
    assert.equal(first instanceof Promise, length > 10);
    assert.equal(text.gzipped(), first);
    assert.equal(gunzipSync(await first).length, length);
  }
});
