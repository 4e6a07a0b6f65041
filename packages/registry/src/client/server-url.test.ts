import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServerUrl } from './server-url.ts';

const urls: readonly [text: string, label: string, user: string | undefined, sent: string | undefined][] = [
  ['http://127.0.0.1:8761', 'http://127.0.0.1:8761', undefined, undefined],
  ['https://registry.example', 'https://registry.example:443', undefined, undefined],
  ['http://[::1]:8761/', 'http://[::1]:8761', undefined, undefined],
  ['http://orders:long%20pass%2Fword%40%3A%2C%25@h:1', 'http://h:1', 'orders', 'orders:long pass/word@:,%'],
  ['http://b%C3%BCcher:w%C3%B6rter@h:1', 'http://h:1', 'bücher', 'bücher:wörter'],
  ['http://a:b:c@h:1', 'http://h:1', 'a', 'a:b:c'],
  ['http://a@h:1', 'http://h:1', 'a', 'a:'],
  ['http://a:b@h:1/eureka/', 'http://h:1', 'a', 'a:b'],
  ['http://h:1/proxy/eureka/v2', 'http://h:1/proxy', undefined, undefined],
  ['http://h:1/eurekas', 'http://h:1/eurekas', undefined, undefined],
];
for (const [text, label, user, sent] of urls) {
  test(`${text} is ${label}${sent === undefined ? '' : ` with "${sent}"`}`, () => {
    const address = parseServerUrl(text);
    assert.equal(address.label, label);
    assert.equal(address.user, user);
    const basic = address.authorization?.reveal().replace('Basic ', '');
    assert.equal(basic === undefined ? undefined : Buffer.from(basic, 'base64').toString(), sent);
  });
}

const refused: readonly [text: string, said: RegExp][] = [
  ['ftp://h', /"ftp:\/\/h" is not the url of a registry/],
  ['http://h:1?a=b', /is not the url of a registry/],
  ['http://user:topsecret/x@h:1', /"…@h:1" is not the url of a registry.* percent-encoded/],
  ['user:topsecret@h:1', /"…@h:1" is not the url/],
  [
    'http://user:topsecret%zz@h:1',
    /credentials for the registry http:\/\/h:1 cannot be used: a percent sign .* is written %25/,
  ],
  ['http://us%3Aer:topsecret@h:1', /a user name has no colon/],
];
for (const [text, said] of refused) {
  test(`${text.replace('topsecret', '…')} is refused, and its password not repeated`, () => {
    assert.throws(
      () => parseServerUrl(text),
      (error: Error) => {
        assert.match(error.message, said);
        assert.doesNotMatch(error.message, /topsecret/);
        return true;
      },
    );
  });
}
