import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type CatalogStore, openCatalogStore } from './store.ts';

let folder: string;
let stores: CatalogStore[];
/** Another copy of the service: a connection of its own to the same file. */
const open = (): CatalogStore => {
  const store = openCatalogStore(join(folder, 'data', 'catalog.sqlite'));
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
  assert.equal(first.categories().length, 4);
  assert.deepEqual(second.products(undefined, 100), first.products(undefined, 100));
  assert.ok(first.categories().every(({ id }) => first.products(id, 100).length > 0));
});

test('an order takes all that it wants, with the prices of the moment', () => {
  const store = open();
  const taking = store.take('o1', [
    { productId: 'rice-bowl', quantity: 2 },
    { productId: 'ginger-tea', quantity: 1 },
  ]);
  assert.deepEqual(
    taking.kind === 'taken' && taking.lines.map(({ productId, priceCents }) => [productId, priceCents]),
    [
      ['rice-bowl', 1_150],
      ['ginger-tea', 390],
    ],
  );
  assert.deepEqual([store.product('rice-bowl')?.stock, store.product('ginger-tea')?.stock], [38, 199]);
});

test('an order that cannot have everything takes nothing', () => {
  const store = open();
  const items = [
    { productId: 'rice-bowl', quantity: 1 },
    { productId: 'last-cookie', quantity: 2 },
  ];
  assert.deepEqual(store.take('o1', items), { kind: 'soldOut', id: 'last-cookie', left: 1 });
  assert.deepEqual(
    store.take('o2', [
      { productId: 'rice-bowl', quantity: 1 },
      { productId: 'no', quantity: 1 },
    ]),
    {
      kind: 'unknown',
      id: 'no',
    },
  );
  assert.equal(store.product('rice-bowl')?.stock, 40);
});

test('the same order takes once, however often it asks and whomever', () => {
  const [first, second] = [open(), open()];
  const taking = first.take('o1', [{ productId: 'last-cookie', quantity: 1 }]);
  assert.equal(taking.kind, 'taken');
  assert.deepEqual(second.take('o1', [{ productId: 'last-cookie', quantity: 1 }]), taking);
  assert.equal(second.product('last-cookie')?.stock, 0);
});

test('two copies never sell the last piece twice', () => {
  const [first, second] = [open(), open()];
  const kinds = [
    first.take('a', [{ productId: 'last-cookie', quantity: 1 }]),
    second.take('b', [{ productId: 'last-cookie', quantity: 1 }]),
  ].map(({ kind }) => kind);
  assert.deepEqual(kinds, ['taken', 'soldOut']);
  assert.equal(first.product('last-cookie')?.stock, 0);
});

test('four processes that open a new database at one moment all get it', async () => {
  const file = join(folder, 'new', 'catalog.sqlite');
  const program = `import { openCatalogStore } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)};
    process.stdin.once('data', () => { const store = openCatalogStore(${JSON.stringify(file)});
      process.stdout.write(String(store.products(undefined, 100).length)); store.close(); process.exit(); });
    process.stdout.write('ready ');`;
  const children = Array.from({ length: 4 }, () => spawn(process.execPath, ['--input-type=module', '-e', program]));
  const said = children.map(async (child) => {
    let text = '';
    for await (const chunk of child.stdout) text += chunk;
    return text;
  });
  await Promise.all(children.map((child) => once(child.stdout, 'readable')));
  for (const child of children) child.stdin.write('go');
  assert.deepEqual(await Promise.all(said), Array(4).fill('ready 12'));
});
