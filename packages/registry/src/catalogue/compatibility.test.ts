import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aContract, object } from '../testing/contracts.ts';
import { impactOf, incompatibilities } from './compatibility.ts';

const text = { type: 'string' };
const number = { type: 'number' };

const fits: readonly [name: string, provider: object, caller: object][] = [
  ['more in the answer', { out: object({ id: text, price: number }) }, { out: object({ id: text }) }],
  ['what the caller may miss is gone', { out: object({ id: text }) }, { out: object({ id: text, 'note?': text }) }],
  [
    'a whole number where any number is read',
    { out: object({ n: { type: 'integer' } }) },
    { out: object({ n: number }) },
  ],
  ['fewer values than the caller knows', { out: { enum: ['a'] } }, { out: { enum: ['a', 'b'] } }],
  ['a new field that need not be sent', { in: object({ id: text, 'by?': text }) }, { in: object({ id: text }) }],
  ['what is sent is not read any more', { in: object({ id: text }) }, { in: object({ id: text, note: text }) }],
  ['more values are taken than are sent', { in: { enum: ['a', 'b'] } }, { in: { enum: ['a'] } }],
  ['nothing is known of the messages', {}, { out: object({ id: text }) }],
];

for (const [name, provider, caller] of fits) {
  test(`fits: ${name}`, () => assert.deepEqual(incompatibilities(aContract(provider), aContract(caller)), []));
}

const breaks: readonly [provider: object, caller: object, field: string | undefined, detail: RegExp][] = [
  [{ out: object({ id: text }) }, { out: object({ id: text, price: number }) }, 'out.price', /is gone/],
  [{ out: object({ 'id?': text }) }, { out: object({ id: text }) }, 'out.id', /not always there/],
  [{ out: object({ id: number }) }, { out: object({ id: text }) }, 'out.id', /may be number/],
  [{ out: object({ n: number }) }, { out: object({ n: { type: 'integer' } }) }, 'out.n', /may be number/],
  [{ out: { enum: ['a', 'c'] } }, { out: { enum: ['a', 'b'] } }, 'out', /may be "c"/],
  [{ out: text }, { out: { enum: ['a'] } }, 'out', /any value/],
  [{ in: object({ id: text, by: text }) }, { in: object({ id: text }) }, 'in.by', /is required/],
  [{ in: object({ id: text }) }, { in: object({ 'id?': text }) }, 'in.id', /is required/],
  [{ in: { enum: ['a'] } }, { in: { enum: ['a', 'b'] } }, 'in', /may be "b" from the caller/],
  [
    { in: { ...object({ id: text }), additionalProperties: false } },
    { in: object({ id: text, note: text }) },
    'in.note',
    /no further fields are taken/,
  ],
  [{ kind: 'command' }, {}, undefined, /is a command, called as a query/],
  [
    { http: { method: 'GET', path: '/p' } },
    { http: { method: 'GET', path: '/q' } },
    undefined,
    /is at GET \/p, called at GET \/q/,
  ],
  [{ name: 'other' }, {}, undefined, /the operation "product" is gone/],
  [
    { out: object({ lines: { type: 'array', items: object({ 'sku?': text }) } }) },
    { out: object({ lines: { type: 'array', items: object({ sku: text }) } }) },
    'out.lines[].sku',
    /not always there/,
  ],
];

for (const [provider, caller, field, detail] of breaks) {
  test(`breaks: ${detail.source}${field ? ` (${field})` : ''}`, () => {
    const [first, ...more] = incompatibilities(aContract(provider), aContract(caller));
    assert.equal(first?.field, field);
    assert.match(first?.detail ?? '', detail);
    assert.deepEqual(more, []);
  });
}

test('of an object that is gone only the object is told', () => {
  const caller = aContract({ out: object({ a: object({ b: object({ c: text }) }) }) });
  const found = incompatibilities(aContract({ out: object({}) }), caller);
  assert.deepEqual(
    found.map(({ field }) => field),
    ['out.a'],
  );
});

test('what becomes of a caller when something goes', () => {
  const caller = aContract({ in: object({ id: text }), out: object({ price: number, 'note?': text }) });
  assert.equal(impactOf(caller, 'product'), 'breaks');
  assert.equal(impactOf(caller, 'product', 'out.price'), 'breaks');
  assert.equal(impactOf(caller, 'product', 'out.note'), 'uses');
  assert.equal(impactOf(caller, 'product', 'in.id'), 'uses');
  assert.equal(impactOf(caller, 'product', 'out.color'), 'unaffected');
  assert.equal(impactOf(caller, 'reserve'), 'unaffected');
  assert.equal(impactOf(undefined, 'product'), 'unknown');
  assert.equal(impactOf(aContract({}), 'product', 'out.price'), 'unknown');
});
