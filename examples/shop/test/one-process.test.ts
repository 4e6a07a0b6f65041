import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withFolder } from './folder.ts';
import { startProcess } from './process.ts';

const written = readFileSync(new URL('../flotilla.yaml', import.meta.url), 'utf8');

/** The shop's own file, with other places for its backends: what somebody would write into it. */
function placed(placement: string): string {
  const here = `run: ${new URL('../', import.meta.url).pathname}`;
  return written.replaceAll(/run: (?=\S+\.ts)/g, here).replace('web.ts\n', `web.ts\n    placement: ${placement}\n`);
}

for (const placement of [
  '{ catalog: process, order: process, review: process, user: process }',
  '{ catalog: process, order: process, review: worker, user: worker }', // passwords and texts in threads
]) {
  test(`the whole shop runs in one process, and no line of code changes: ${placement}`, async () => {
    await withFolder(async (cwd) => {
      writeFileSync(join(cwd, 'flotilla.yaml'), placed(placement));
      const nobody = 'http://127.0.0.1:1'; // there is no registry
      const shop = await startProcess('edge/web.ts', { cwd, registry: nobody });
      try {
        const send = (path: string, document: object, cookie = '') =>
          fetch(`${shop.url}${path}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', cookie },
            body: JSON.stringify(document),
          });
        const person = { name: 'Ada', email: 'ada@example.org', password: 'a harbour at night' };
        const [cookie] = (await send('/api/people', person)).headers.getSetCookie()[0]?.split(';') ?? [];
        const items = [{ productId: 'rice-bowl', quantity: 2 }];
        const order = { key: 'basket-of-one-process', customer: 'Ada', address: 'Pier 1', items };
        const placedOrder = await send('/api/orders', order, cookie);
        assert.equal(placedOrder.status, 201, await placedOrder.text());
        const page = await fetch(`${shop.url}/api/products/rice-bowl`, { headers: { cookie: cookie ?? '' } });
        const { left, boughtBefore, reviews, missing } = (await page.json()) as {
          left: number;
          boughtBefore: number;
          reviews: { by: string }[];
          missing: string[];
        };
        assert.deepEqual([left, boughtBefore, reviews[0]?.by, missing], [38, 1, 'Mara', []]);
      } finally {
        await shop.kill();
      }
    });
  });
}
