import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Upload } from './upload.ts';

/** Of a body that is always ready, one byte a chunk; and how many chunks it has made. */
function uploadWithoutEnd(): { readonly upload: Upload; made(): number } {
  let made = 0;
  async function* endless(): AsyncGenerator<Uint8Array, undefined> {
    for (;;) {
      made++;
      yield new Uint8Array(1);
    }
  }
  return { upload: new Upload(endless(), (thrown) => assert.fail(String(thrown))), made: () => made };
}

it('a body that is always ready leaves the event loop its turns', async () => {
  const { upload, made } = uploadWithoutEnd();
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  for await (const _ of upload) if (turned || made() > 10_000) break;
  assert.ok(turned, `${made()} chunks without a turn`);
});

it('a body that is stopped while it waits for its turn asks for no more', async () => {
  const { upload, made } = uploadWithoutEnd();
  for (let n = 1; n < 64; n++) await upload.next();
  const waiting = upload.next();
  upload.stop();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  assert.equal(made(), 63);
});
