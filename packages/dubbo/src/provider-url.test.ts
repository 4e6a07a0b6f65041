import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, identity } from '@flotilla/core';
import { pack, packName, unpack } from './packed.ts';
import { decodeProviderUrl, encodeProviderUrl } from './provider-url.ts';

const demo: Instance = {
  id: '10.0.0.5:20880',
  identity: identity('com.x.Demo', { group: 'g', version: '1.0.0' }),
  incarnation: 1_700_000_000_000,
  addresses: [{ protocol: 'dubbo', host: '10.0.0.5', port: 20_880 }],
  contracts: [],
  status: 'up',
  weight: 1,
  lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
  startedAt: 1_700_000_000_000,
  revision: 0,
  metadata: { application: 'a', side: 'provider' },
  bags: {},
};

test('an ordinary provider needs neither notes nor a bag', () => {
  const url =
    'dubbo://10.0.0.5:20880/com.x.Demo?application=a&group=g&interface=com.x.Demo&side=provider' +
    '&timestamp=1700000000000&version=1.0.0';
  assert.equal(encodeProviderUrl(demo), url);
  assert.deepEqual(decodeProviderUrl(url), demo);
});

test('a value that no parameter can hold travels packed, and the rest stays readable', () => {
  const instance = { ...demo, metadata: { ...demo.metadata, query: 'a=1&b=2', empty: '' } };
  const url = encodeProviderUrl(instance);
  const packed = /flotilla\.metadata=([\w-]+)/.exec(url)?.[1] ?? '';
  assert.deepEqual(unpack(packed), [
    ['query', 'a=1&b=2'],
    ['empty', ''],
  ]);
  assert.match(url, /[?&]application=a&/);
  assert.deepEqual(decodeProviderUrl(url), instance);
});

test('who is not up is disabled for a Java consumer', () => {
  for (const status of ['starting', 'draining', 'down', 'out-of-service', 'unknown'] as const) {
    assert.match(encodeProviderUrl({ ...demo, status }), /[?&]enabled=false&/, status);
  }
  assert.doesNotMatch(encodeProviderUrl({ ...demo, status: 'down', override: 'up' }), /[?&]enabled=/);
});

test('of several addresses the first of Dubbo is in the URL, all are in a note', () => {
  const http = { protocol: 'http', host: '10.0.0.5', port: 8080 };
  const instance = { ...demo, addresses: [http, ...demo.addresses] };
  assert.match(encodeProviderUrl(instance), /^dubbo:\/\/10\.0\.0\.5:20880\//);
  assert.deepEqual(decodeProviderUrl(encodeProviderUrl(instance)), instance);
});

test('what is over the bounds of metadata goes to the bag and comes back to its place', () => {
  const methods = Array.from({ length: 200 }, (_, place) => `method${100 + place}`).join(',');
  const many = Array.from({ length: 80 }, (_, place) => `p${100 + place}=1`).join('&');
  const url = `dubbo://h1:20880/x.Demo?interface=x.Demo&methods=${methods}&${many}`;
  const instance = decodeProviderUrl(url);
  assert.equal(Object.keys(instance.metadata).length, 64);
  assert.equal(instance.metadata['methods'], undefined);
  assert.equal(encodeProviderUrl(instance), url);
});

test('a pack that is none is refused by name', () => {
  const packs = ['x', pack([['a', 'b']]).slice(1), Buffer.from('{}').toString('base64url')];
  for (const text of [...packs, Buffer.from('[["a"]]').toString('base64url')]) {
    assert.throws(() => decodeProviderUrl(`dubbo://h1/x.Demo?${packName}=${text}`), {
      code: 'INVALID_INPUT',
      detail: /flotilla\.metadata/,
    });
  }
});

test('a name or group that no identity can have is refused', () => {
  for (const url of ['dubbo://h1/x Demo', 'dubbo://h1/x?group=a/b', 'dubbo://h1/x?interface=a$b___c']) {
    assert.throws(() => decodeProviderUrl(url), { code: 'INVALID_INPUT' }, url);
  }
});
