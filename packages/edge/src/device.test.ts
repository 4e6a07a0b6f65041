import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Device, deviceOf, deviceVary } from './device.ts';

const phone = 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36';
const iPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148';
const firefox = 'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0';
const tablet = 'Mozilla/5.0 (Linux; Android 15; Pixel Tablet) AppleWebKit/537.36 Chrome/140.0 Safari/537.36';
const desktop = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36';

const rows: readonly [claim: string, Record<string, string>, Device][] = [
  ['nothing said', {}, 'web'],
  ['a phone', { 'user-agent': phone }, 'mobile'],
  ['an iPhone', { 'user-agent': iPhone }, 'mobile'],
  ['Firefox on a phone', { 'user-agent': firefox }, 'mobile'],
  ['a tablet', { 'user-agent': tablet }, 'web'],
  ['a desktop', { 'user-agent': desktop }, 'web'],
  ['curl', { 'user-agent': 'curl/8.5.0' }, 'web'],
  ['the hint over the agent', { 'sec-ch-ua-mobile': '?0', 'user-agent': phone }, 'web'],
  ['the hint alone', { 'sec-ch-ua-mobile': '?1' }, 'mobile'],
  ['a hint that is none', { 'sec-ch-ua-mobile': 'yes', 'user-agent': phone }, 'mobile'],
  ['the client over everything', { 'flotilla-device': ' Mobile ', 'sec-ch-ua-mobile': '?0' }, 'mobile'],
  ['a device that is unknown', { 'flotilla-device': '__proto__', 'user-agent': phone }, 'mobile'],
  ['a word beyond what is read', { 'user-agent': `${'x '.repeat(300)} Mobile` }, 'web'],
];

for (const [claim, headers, device] of rows) {
  test(`${claim}: ${device}`, () => {
    assert.equal(
      deviceOf((name) => headers[name]),
      device,
    );
  });
}

test('any headers give a device, and only those that vary names are read', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (...values) => {
      const names: string[] = [];
      const device = deviceOf((name) => values[names.push(name) - 1]);
      assert.ok(device === 'web' || device === 'mobile');
      assert.ok(names.every((name) => deviceVary.split(', ').includes(name)));
    }),
  );
});
