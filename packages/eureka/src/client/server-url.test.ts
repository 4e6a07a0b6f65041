import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { parseEurekaUrl, settingsIn } from './server-url.ts';

const rows: readonly (readonly [url: string, label: string, zone?: string | undefined, user?: string])[] = [
  ['http://a:8761', 'http://a:8761/eureka'],
  ['http://a:8761/', 'http://a:8761/eureka'],
  ['https://a/eureka/v2/', 'https://a:443/eureka/v2'],
  ['http://[::1]:8761/ctx/eureka?zone=east', 'http://[::1]:8761/ctx/eureka', 'east'],
  ['http://me:p%40ss@a:8761/eureka', 'http://a:8761/eureka', undefined, 'me'],
];
for (const [url, label, zone, user] of rows) {
  test(`${url} is ${label}`, () => {
    const address = parseEurekaUrl(url);
    assert.deepEqual([address.label, address.zone, address.user], [label, zone, user]);
  });
}

test('the password is percent-decoded into the field, and shown nowhere', () => {
  const address = parseEurekaUrl('http://me:p%40ss@a:8761/eureka');
  assert.equal(address.authorization?.reveal(), `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  assert.equal(JSON.stringify(address).includes('p@ss'), false);
});

const refused: readonly [url: string, words: RegExp][] = [
  ['ftp://a:8761', /is not the url of a Eureka server/],
  ['http://a:8761/eureka#x', /is not the url of a Eureka server/],
  ['me:secret@a b', /^(?!.*secret)/],
  ['http://a:8761/eureka?zones=a', /no parameter "zones"; did you mean "zone"/],
  ['http://me:%zz@a:8761', /a percent sign in them is written %25/],
];
for (const [url, words] of refused) {
  test(`${url} is refused`, () =>
    assert.throws(
      () => parseEurekaUrl(url),
      (error) => error instanceof FlotillaError && error.code === 'CONFIG_INVALID' && words.test(error.message),
    ));
}

test('what urls say of the client: the first one that says it', () => {
  assert.deepEqual(settingsIn(['http://a', 'http://b?pollEveryMs=5000&compact=true', 'http://c?pollEveryMs=7']), {
    pollEveryMs: 5_000,
    compact: true,
  });
  for (const query of ['pollEveryMs=0', 'pollEveryMs=5s', 'compact=yes']) {
    assert.throws(() => settingsIn([`http://a?${query}`]), FlotillaError, query);
  }
});
