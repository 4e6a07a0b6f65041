import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type ListBody, ListRun, SharedList, TextPart } from './shared-list.ts';

async function bytesOf({ body }: ListBody): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

for (const length of [10, 100_000, 2_000_000]) {
  test(`a list of ${length} bytes is compressed once for everybody, read by several at a time, and readable as text after it`, async () => {
    const text = Array.from({ length: length / 10 }, (_, n) => `${n}`.padStart(10, '.')).join('');
    const parts = [text.slice(0, length / 2), text.slice(length / 2)].map((half) => new TextPart(half));
    const list = new SharedList(parts);
    assert.equal((await bytesOf(list.plain())).toString(), text);
    assert.equal(list.gzipped(), list.gzipped());
    const both = await Promise.all([bytesOf(list.gzipped()), bytesOf(list.gzipped())]);
    for (const packed of both) assert.equal(gunzipSync(packed).toString(), text);
    assert.equal(both[0]?.length, list.gzipped().length);
    assert.ok(parts.every(({ isPacked }) => isPacked));
    assert.equal((await bytesOf(list.plain())).toString(), text);
  });
}

for (const length of [0, 10, 50_000, 3_000_000]) {
  test(`a run of parts of ${length} bytes is its texts with the separator between them, in every state`, async () => {
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(length));
    const parts = texts.map((text) => new TextPart(text));
    const run = new ListRun(parts, new TextPart(','));
    const list = new SharedList([new TextPart('['), run, new TextPart(']')]);
    const expected = `[${texts.join(',')}]`;
    const check = async (): Promise<void> => {
      assert.equal((await bytesOf(list.plain())).toString(), expected);
      assert.equal(gunzipSync(await bytesOf(list.gzipped())).toString(), expected);
      assert.deepEqual(
        parts.map((part) => Buffer.concat(part.texts()).toString()),
        texts,
      );
    };
    assert.equal((await bytesOf(list.plain())).toString(), expected);
    await check();
    await check();
    await list.squeeze();
    await check();
  });
}
