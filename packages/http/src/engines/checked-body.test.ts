import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { HttpHeaders } from '../headers.ts';
import { CheckedBody } from './checked-body.ts';

async function* streamOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function read(body: CheckedBody): Promise<Uint8Array[]> {
  const slices: Uint8Array[] = [];
  for await (const slice of body) slices.push(slice);
  return slices;
}

const declared = (length: number): HttpHeaders => new HttpHeaders([['content-length', String(length)]]);

it('any body of its declared length passes unchanged, in slices of at most 64 KiB, none of them empty', async () => {
  const parts = fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 5 });
  const run = fc.asyncProperty(parts, async (lengths) => {
    const chunks = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
    const whole = Buffer.concat(chunks);
    for (const body of [whole, streamOf(chunks)]) {
      const slices = await read(new CheckedBody(body, declared(whole.length)));
      assert.ok(slices.every(({ length }) => length > 0 && length <= 65_536));
      assert.ok(Buffer.concat(slices).equals(whole));
    }
  });
  await fc.assert(run, { numRuns: 50 });
});

it('a body that is longer or shorter than declared fails', async () => {
  const parts = [new Uint8Array(3), new Uint8Array(3)];
  await assert.rejects(read(new CheckedBody(streamOf(parts), declared(5))), /more than the 5 bytes/);
  await assert.rejects(read(new CheckedBody(streamOf(parts), declared(7))), /only 6 of the 7 bytes/);
});

it('a body of something else than bytes fails', async () => {
  const text = streamOf(['text' as unknown as Uint8Array]);
  await assert.rejects(read(new CheckedBody(text, new HttpHeaders())), /Uint8Array chunks, got string/);
});

it('leaving it leaves the body behind it', async () => {
  let left = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield new Uint8Array(200_000);
      yield new Uint8Array(1);
    } finally {
      left = true;
    }
  }
  for await (const slice of new CheckedBody(source(), new HttpHeaders())) {
    assert.equal(slice.length, 65_536);
    break;
  }
  assert.equal(left, true);
});
