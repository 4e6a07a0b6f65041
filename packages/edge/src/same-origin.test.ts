import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, FlotillaError } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, parsePath } from '@flotilla/http';
import { sameOrigin, secureCookies } from './same-origin.ts';

type Fields = Readonly<Record<string, string>>;

/** What comes of a request for `authority` with these fields: `passed`, or the refusal. */
async function outcome(
  fields: Fields,
  {
    publicUrl,
    method = 'POST',
    authority = '127.0.0.1:8080',
  }: { publicUrl?: string; method?: string; authority?: string } = {},
): Promise<string> {
  const path = parsePath('/api/orders');
  const request: HttpRequest = {
    method,
    authority,
    path,
    query: '',
    headers: new HttpHeaders(Object.entries(fields)),
    body: undefined,
  };
  const handler = sameOrigin({ publicUrl })(async () => ({ status: 204, headers: new HttpHeaders(), body: undefined }));
  const call = new Call({ clock: new ManualClock(), random: () => 0 });
  try {
    return (await handler(request, call)).status === 204 ? 'passed' : 'answered';
  } catch (thrown) {
    assert.ok(thrown instanceof FlotillaError && thrown.code === 'FORBIDDEN');
    return thrown.detail;
  }
}

const shop = 'https://shop.example';

test('in public, only pages of the public origin may change something', async () => {
  const rows: readonly (readonly [claim: string, fields: Fields, passes: boolean])[] = [
    ['its own page', { origin: shop }, true],
    ['another site', { origin: 'https://evil.example' }, false],
    ['the same host without TLS', { origin: 'http://shop.example' }, false],
    ['another port', { origin: 'https://shop.example:8443' }, false],
    ['a name that only begins like it', { origin: 'https://shop.example.evil.example' }, false],
    ['an origin that hides itself', { origin: 'null' }, false],
    ['what a stranger says of the host', { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' }, false],
    ['a browser that sends no origin, another site', { 'sec-fetch-site': 'cross-site' }, false],
    ['a browser that sends no origin, a sibling of the site', { 'sec-fetch-site': 'same-site' }, false],
    ['a browser that sends no origin, its own page', { 'sec-fetch-site': 'same-origin' }, true],
    ['a person', { 'sec-fetch-site': 'none' }, true],
    ['no browser', {}, true],
  ];
  for (const [claim, fields, passes] of rows) {
    assert.equal((await outcome(fields, { publicUrl: shop })) === 'passed', passes, claim);
  }
});

test('without a public URL only loopback counts, as the client named it', async () => {
  assert.equal(await outcome({ origin: 'http://127.0.0.1:8080' }), 'passed');
  assert.equal(await outcome({ origin: 'http://localhost:8080', 'x-forwarded-host': 'localhost:8080' }), 'passed');
  assert.equal(await outcome({}, { authority: '[::1]:8080' }), 'passed');
  assert.match(await outcome({ origin: 'http://localhost:9999' }), /a page of "http:\/\/localhost:9999"/);
  assert.match(
    await outcome({ origin: 'http://shop.example', 'x-forwarded-host': 'shop.example' }),
    /until publicUrl is set/,
  );
  assert.match(await outcome({}, { authority: '192.0.2.7' }), /until publicUrl is set/);
});

test('two origins are none', async () => {
  const path = parsePath('/');
  const headers = new HttpHeaders([
    ['origin', shop],
    ['origin', shop],
  ]);
  const filter = sameOrigin({ publicUrl: shop })(async () => assert.fail('it passed'));
  const call = new Call({ clock: new ManualClock(), random: () => 0 });
  await assert.rejects(filter({ method: 'POST', authority: 'a', path, query: '', headers, body: undefined }, call), {
    code: 'FORBIDDEN',
  });
});

test('reading is open to any page', async () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS'])
    assert.equal(await outcome({ origin: 'https://evil.example' }, { method, publicUrl: shop }), 'passed');
  for (const method of ['PUT', 'PATCH', 'DELETE', 'REPORT'])
    assert.notEqual(await outcome({ origin: 'https://evil.example' }, { method, publicUrl: shop }), 'passed');
});

test('a public URL that is none, or that others could listen to, is refused when the service starts', () => {
  for (const publicUrl of [
    'shop',
    'ftp://shop.example',
    'https://shop.example/shop',
    'https://a@shop.example',
    'http://shop.example',
  ])
    assert.throws(() => sameOrigin({ publicUrl }), { code: 'CONFIG_INVALID' }, publicUrl);
});

test('cookies are Secure wherever pages are public', () => {
  assert.equal(secureCookies({ publicUrl: shop }), true);
  assert.equal(secureCookies({}), false);
  assert.equal(secureCookies({ publicUrl: 'http://localhost:8080' }), false);
});
