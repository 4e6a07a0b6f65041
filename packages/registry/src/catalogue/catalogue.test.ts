import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contractSource, object } from '../testing/contracts.ts';
import { anInstance } from '../testing/instances.ts';
import { Catalogue } from './catalogue.ts';
import { maxDocumentBytes } from './contract-document.ts';

const text = { type: 'string' };
const number = { type: 'number' };
const rich = contractSource({ out: object({ id: text, price: number }) });
const poor = contractSource({ out: object({ id: text }) });

function refTo(source: { readonly hash: string }): { name: string; version: number; hash: string } {
  return { name: 'catalog', version: 1, hash: source.hash };
}

function serving(source: { readonly hash: string }, id = 'a') {
  return anInstance({ id, service: 'products', contracts: [refTo(source)] });
}

function calling(source: { readonly hash: string }, service = 'web') {
  return anInstance({ service, calls: [refTo(source)] });
}

test('counts who serves and who calls; what nobody has is forgotten', () => {
  const catalogue = new Catalogue();
  catalogue.change(undefined, serving(rich));
  catalogue.change(undefined, serving(rich, 'b'));
  catalogue.change(undefined, calling(poor));
  assert.deepEqual(catalogue.contracts(), [
    {
      name: 'catalog',
      version: 1,
      providers: [{ service: 'products', hash: rich.hash, instances: 2 }],
      callers: [{ service: 'web', hash: poor.hash, instances: 1 }],
    },
  ]);
  catalogue.change(serving(rich, 'b'), serving(poor, 'b'));
  assert.deepEqual(
    catalogue.parties('catalog', 1)?.providers.map(({ hash, instances }) => [hash, instances]),
    [
      [rich.hash, 1],
      [poor.hash, 1],
    ],
  );
  for (const instance of [serving(rich), serving(poor, 'b'), calling(poor)]) catalogue.change(instance, undefined);
  assert.deepEqual(catalogue.contracts(), []);
  assert.equal(catalogue.parties('catalog', 1), undefined);
});

test('asks for texts that it does not know, of both sides', () => {
  const catalogue = new Catalogue();
  const both = anInstance({ contracts: [refTo(rich), { ...refTo(rich), hash: '' }], calls: [refTo(poor)] });
  assert.deepEqual(catalogue.wanted(both), [rich.hash, poor.hash]);
  catalogue.add(rich.hash, rich.text);
  assert.deepEqual(catalogue.wanted(both), [poor.hash]);
});

test('a provider that keeps less than a caller relies on is told, once both texts are known', () => {
  const catalogue = new Catalogue();
  catalogue.change(undefined, serving(poor));
  catalogue.change(undefined, calling(rich));
  assert.deepEqual(catalogue.broken(), []);
  assert.equal(catalogue.fits('catalog v1'), false, 'nobody knows yet');
  assert.deepEqual([...catalogue.add(poor.hash, poor.text)], ['catalog v1']);
  catalogue.add(rich.hash, rich.text);
  const [broken] = catalogue.broken('catalog v1');
  assert.equal(broken?.provider.service, 'products');
  assert.equal(broken?.caller.service, 'web');
  assert.deepEqual(broken?.reasons, [
    { operation: 'product', field: 'out.price', detail: 'out.price is gone, and the caller requires it' },
  ]);
  assert.match(catalogue.objection(serving(poor, 'c')) ?? '', /"web" calls catalog v1.*out\.price is gone/);
  assert.equal(catalogue.objection(serving(rich, 'c')), undefined);
  assert.deepEqual(
    catalogue.impact('catalog', 1, 'product', 'out.price').map(({ service, impact }) => [service, impact]),
    [['web', 'breaks']],
  );
});

test('a form with more fits callers of the one with less, but providers of both are no equals', () => {
  const catalogue = new Catalogue();
  for (const { hash, text: source } of [rich, poor]) catalogue.add(hash, source);
  catalogue.change(undefined, serving(rich));
  catalogue.change(undefined, calling(poor));
  assert.equal(catalogue.fits('catalog v1'), true);
  catalogue.change(undefined, serving(poor, 'b'));
  assert.equal(catalogue.fits('catalog v1'), false);
});

test('a text under the name of another is refused, as one that is too long or none', () => {
  const catalogue = new Catalogue();
  assert.throws(() => catalogue.add(rich.hash, poor.text), { code: 'INVALID_INPUT', detail: /fingerprint/ });
  const long = contractSource({ out: { description: 'x'.repeat(maxDocumentBytes) } });
  assert.throws(() => catalogue.add(long.hash, long.text), { code: 'INVALID_INPUT', detail: /at most 131072 bytes/ });
  const nameless = contractSource({ name: '' });
  assert.throws(() => catalogue.add(nameless.hash, nameless.text), { detail: /contract\[0\]\.name/ });
});

test('texts that nobody uses make room for others; those in use stay', () => {
  const catalogue = new Catalogue();
  catalogue.change(undefined, serving(rich));
  catalogue.add(rich.hash, rich.text);
  for (let n = 0; n < 2_001; n++) {
    const { hash, text: source } = contractSource({ kind: `k${n}` });
    catalogue.add(hash, source);
  }
  assert.deepEqual(catalogue.wanted(serving(rich)), []);
  assert.deepEqual(catalogue.wanted(serving(contractSource({ kind: 'k0' }))).length, 1);
  const used = Array.from({ length: 2_000 }, (_, n) => contractSource({ kind: `used${n}` }));
  for (const source of used) catalogue.change(undefined, serving(source, source.hash));
  assert.throws(
    () => {
      for (const { hash, text: source } of used) catalogue.add(hash, source);
    },
    { code: 'UNAVAILABLE' },
  );
});
