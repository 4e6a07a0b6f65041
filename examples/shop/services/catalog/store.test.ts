import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { products } from './assortment.ts';
import { type CatalogStore, openCatalog } from './store.ts';

const maxDbBytes = 2 ** 24;
let folder: string;
let stores: CatalogStore[];
/** Another copy of the service: a connection of its own to the same file. */
const open = (): CatalogStore => {
  const store = openCatalog({ dbFile: join(folder, 'data', 'catalog.sqlite'), maxDbBytes });
  stores.push(store);
  return store;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-shop-'));
  stores = [];
});
afterEach(() => {
  for (const store of stores) store.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a new database has every category and product once, whoever opens it', () => {
  const [first, second] = [open(), open()];
  assert.equal(first.categories().length, 6);
  assert.equal(first.products(undefined, 100).length, products.length);
  assert.deepEqual(second.products(undefined, 100), first.products(undefined, 100));
  assert.ok(first.categories().every(({ id }) => first.products(id, 100).length > 0));
});

test('products are found by every word, in names first, however they are written', () => {
  const store = open();
  const found = (text: string): string[] => store.search(text, 100).map(({ id }) => id);
  assert.equal(found('creme BRULEE')[0], 'creme-brulee');
  assert.deepEqual(found('lemon')[0], 'lemon-chicken');
  assert.ok(found('lemon').includes('lentil-bowl'), 'by its description, after those that are called so');
  assert.ok(found('vegan soups').includes('pea-soup'));
  assert.ok(!found('vegan soups').includes('leek-soup'));
  assert.deepEqual(found('nothing of the kind'), []);
  assert.deepEqual(found('%'), []);
  assert.equal(store.search('a', 3).length, 3);
});

test('some products are given in the order in which they are asked for', () => {
  assert.deepEqual(
    open()
      .some(['pretzel', 'no', 'rice-bowl'])
      .map(({ id }) => id),
    ['pretzel', 'rice-bowl'],
  );
});

test('four processes that open a new database at one moment all get it', async () => {
  const file = join(folder, 'new', 'catalog.sqlite');
  const program = `import { openCatalog } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)};
    process.stdin.once('data', () => { const store = openCatalog({ dbFile: ${JSON.stringify(file)}, maxDbBytes: ${maxDbBytes} });
      process.stdout.write(String(store.products(undefined, 100).length)); store.close(); process.exit(); });
    process.stdout.write('ready ');`;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [
      ...process.execArgv.filter((flag) => flag.startsWith('--conditions')),
      '--input-type=module',
      '-e',
      program,
    ]),
  );
  const said = children.map(async (child) => {
    let text = '';
    for await (const chunk of child.stdout) text += chunk;
    return text;
  });
  await Promise.all(children.map((child) => once(child.stdout, 'readable')));
  for (const child of children) child.stdin.write('go');
  assert.deepEqual(await Promise.all(said), Array(4).fill(`ready ${products.length}`));
});
