import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '@flotilla/core';
import { checkInstance, instanceBounds } from './check-instance.ts';
import { anInstance } from './testing/instances.ts';

const full: Instance = anInstance({
  contracts: [{ name: 'catalog', version: 1, hash: 'abc' }],
  override: 'out-of-service',
  zone: 'z1',
  cluster: 'blue',
  startedAt: 1_700_000_000_000,
  revision: 4,
  metadata: { team: 'shop', toString: 'harmless' },
  bags: { eureka: { countryId: 1, deep: [{ list: [null, true, 'x'] }] } },
});

test('an instance passes unchanged, as a new object', () => {
  const json: unknown = JSON.parse(JSON.stringify(full));
  const checked = checkInstance(json);
  assert.deepEqual(checked, full);
  assert.notEqual(checked, json);
});

test('what an instance need not say has a default', () => {
  const checked = checkInstance({ id: 'a', identity: { service: 'orders' } });
  const { lease: _, ...expected } = anInstance({ incarnation: 0, addresses: [] });
  assert.deepEqual(checked, expected);
});

test('members that are not known are left out', () => {
  assert.ok(!('future' in checkInstance({ ...full, future: 1 })));
});

const entries = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

const refused: readonly [name: string, change: Record<string, unknown>, says: RegExp][] = [
  ['no id', { id: undefined }, /instance\.id must be 1 to 255 printable characters, got undefined/],
  ['an empty id', { id: '' }, /instance\.id/],
  ['a control character in an id', { id: 'a\nb' }, /instance\.id .* got "a\\nb"/],
  ['a lone surrogate in an id', { id: 'a\ud800' }, /instance\.id/],
  ['an id of 256 characters', { id: 'x'.repeat(256) }, /instance\.id/],
  ['an id that is a number', { id: 7 }, /instance\.id .* got 7/],
  ['an identity that is text', { identity: 'orders' }, /instance\.identity must be an object, got "orders"/],
  ['a service with a slash', { identity: { service: 'a/b' } }, /instance\.identity\.service "a\/b" must be/],
  ['a service that is a list', { identity: { service: [] } }, /instance\.identity\.service must be text, got a list/],
  ['a group with an at sign', { identity: { service: 'a', group: 'x@y' } }, /instance\.identity\.group/],
  ['an incarnation with a fraction', { incarnation: 1.5 }, /instance\.incarnation .* got 1\.5/],
  ['a negative incarnation', { incarnation: -1 }, /instance\.incarnation/],
  ['port 65536', { addresses: [{ protocol: 'http', host: 'h', port: 65_536 }] }, /addresses\[0\]\.port .* got 65536/],
  ['a port as text', { addresses: [{ protocol: 'http', host: 'h', port: '80' }] }, /addresses\[0\]\.port .* got "80"/],
  ['a host with a path', { addresses: [{ protocol: 'http', host: 'h/x', port: 80 }] }, /addresses\[0\]\.host/],
  ['a host with user info', { addresses: [{ protocol: 'http', host: 'a@h', port: 80 }] }, /addresses\[0\]\.host/],
  ['a protocol with a colon', { addresses: [{ protocol: 'http:', host: 'h', port: 80 }] }, /addresses\[0\]\.protocol/],
  ['17 addresses', { addresses: Array(17).fill(full.addresses[0]) }, /instance\.addresses must be at most 16 entries/],
  ['a contract without a name', { contracts: [{ version: 1, hash: '' }] }, /contracts\[0\]\.name/],
  ['257 contracts', { contracts: Array(257).fill(full.contracts[0]) }, /instance\.contracts must be at most 256/],
  ['an unknown status', { status: 'UP' }, /instance\.status must be one of starting, up, .* got "UP"/],
  ['an unknown override', { override: 'gone' }, /instance\.override/],
  ['a null zone', { zone: null }, /instance\.zone .* got null/],
  ['an infinite weight', { weight: Infinity }, /instance\.weight/],
  ['a negative weight', { weight: -1 }, /instance\.weight/],
  ['a lease of 0 ms', { lease: { renewEveryMs: 1, lastsMs: 0 } }, /instance\.lease\.lastsMs .* got 0/],
  ['65 metadata keys', { metadata: entries(65) }, /instance\.metadata must be at most 64 keys, got 65/],
  [
    'a metadata entry of 1,025 bytes',
    { metadata: { k: 'v'.repeat(1_024) } },
    /at most 1024 bytes with its key, got 1025/,
  ],
  ['metadata bytes, not characters', { metadata: { k: 'é'.repeat(512) } }, /got 1025/],
  ['a metadata value that is a number', { metadata: { k: 1 } }, /instance\.metadata\["k"\] must be text, got 1/],
  ['metadata that is a list', { metadata: [] }, /instance\.metadata must be an object, got a list/],
  ['a bag that is too deep', { bags: { x: nested(17) } }, /at most 16 levels deep/],
  ['a bag that is too large', { bags: { x: 'y'.repeat(16_384) } }, /at most 16384 bytes of JSON/],
  ['a bag of escapes', { bags: { x: '\u0001'.repeat(2_731) } }, /at most 16384 bytes of JSON, got 16388/],
  [
    'a bag of long numbers',
    { bags: { x: Array(700).fill(-1.2345678901234567e-100) } },
    /at most 16384 bytes of JSON, got 17501/,
  ],
  [
    'a bag of many names',
    { bags: { x: Object.fromEntries(Array.from({ length: 1_900 }, (_, n) => [`n${1_000 + n}`, null])) } },
    /at most 16384 bytes of JSON, got 24701/,
  ],
  ['9 bags', { bags: entries(9) }, /at most 8 bags, got 9/],
];

for (const [name, change, says] of refused) {
  test(`refused: ${name}`, () => {
    assert.throws(() => checkInstance({ ...full, ...change }), { code: 'INVALID_INPUT', message: says });
  });
}

for (const key of ['__proto__', 'constructor', 'prototype']) {
  test(`refused: a key "${key}" in metadata, in a bag and as a bag's name`, () => {
    const holder = (text: string): unknown => JSON.parse(`{"id":"a","identity":{"service":"s"},${text}}`);
    for (const text of [`"metadata":{"${key}":"x"}`, `"bags":{"eureka":{"${key}":{}}}`, `"bags":{"${key}":1}`]) {
      assert.throws(() => checkInstance(holder(text)), { code: 'INVALID_INPUT', message: new RegExp(key) });
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });
}

for (const json of [undefined, null, 'x', 1, [], [[]]]) {
  test(`refused: ${JSON.stringify(json) ?? 'undefined'} instead of an instance`, () => {
    assert.throws(() => checkInstance(json), { code: 'INVALID_INPUT', message: /instance must be an object/ });
  });
}

test('what is at a limit passes', () => {
  const metadata = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`.padEnd(3), 'v'.repeat(1_021)]));
  const checked = checkInstance({ ...full, id: 'é'.repeat(255), metadata, bags: { x: nested(16) } });
  assert.equal(Object.keys(checked.metadata).length, instanceBounds.maxMetadataKeys);
});
