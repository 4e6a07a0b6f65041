import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { formatSetCookie, parseCookies, type SetCookie } from './cookies.ts';

suite('parseCookies', () => {
  const rows: [header: string | undefined, cookies: [string, string][]][] = [
    [undefined, []],
    ['', []],
    [
      'a=1; b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'a=1;b=2 ;  c = 3',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ],
    ],
    ['a=x=y==', [['a', 'x=y==']]],
    ['a="1"; b="', [['a', '1']]],
    ['a=; b', [['a', '']]],
    ['a=first; a=second', [['a', 'first']]],
    ['=x; a b=1; é=1; ok=1', [['ok', '1']]],
    ['a=1 2; b=1,2; c=1\\2; d=é; ok=1', [['ok', '1']]],
    ['a=%20', [['a', '%20']]],
    [
      '__proto__=x; constructor=y',
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
    ],
  ];
  for (const [header, cookies] of rows) {
    test(JSON.stringify(header) ?? 'no field', () => assert.deepEqual(parseCookies(header), new Map(cookies)));
  }
});

suite('formatSetCookie', () => {
  const rows: [cookie: SetCookie, text: string][] = [
    [{ name: 'a', value: '1' }, 'a=1; Path=/; SameSite=Lax; Secure; HttpOnly'],
    [{ name: 'a', value: '', maxAgeSeconds: 0 }, 'a=; Path=/; SameSite=Lax; Max-Age=0; Secure; HttpOnly'],
    [
      { name: 'a', value: 'x=y', httpOnly: false, secure: false, sameSite: 'strict', path: '/shop', maxAgeSeconds: 60 },
      'a=x=y; Path=/shop; SameSite=Strict; Max-Age=60',
    ],
    [{ name: '__Host-s', value: '1', sameSite: 'none' }, '__Host-s=1; Path=/; SameSite=None; Secure; HttpOnly'],
    [{ name: 'a', value: '1', maxAgeSeconds: 1e9 }, 'a=1; Path=/; SameSite=Lax; Max-Age=34560000; Secure; HttpOnly'],
  ];
  for (const [cookie, text] of rows) {
    test(text, () => assert.equal(formatSetCookie(cookie), text));
  }

  const mistakes: [cookie: SetCookie, said: RegExp][] = [
    [{ name: '', value: '1' }, /its name is not a token/],
    [{ name: 'a=b', value: '1' }, /its name is not a token/],
    [{ name: 'a', value: '1; Domain=evil' }, /its value has characters/],
    [{ name: 'a', value: 'é' }, /its value has characters/],
    [{ name: 'a', value: 'x\r\ny: z' }, /its value has characters/],
    [{ name: 'a', value: 'x'.repeat(4_096) }, /longer than 4096/],
    [{ name: 'a', value: '1', path: '/a;b' }, /its path "\/a;b" is none/],
    [{ name: 'a', value: '1', path: 'a' }, /its path "a" is none/],
    [{ name: 'a', value: '1', path: '/\n' }, /its path "\/\\n" is none/],
    [{ name: 'a', value: '1', secure: false, sameSite: 'none' }, /sameSite: none needs secure/],
    [{ name: '__Secure-a', value: '1', secure: false }, /promises secure/],
    [{ name: '__host-a', value: '1', path: '/x' }, /promises the path/],
    [{ name: 'a', value: '1', maxAgeSeconds: -1 }, /whole number from 0 on, got -1/],
    [{ name: 'a', value: '1', maxAgeSeconds: 0.5 }, /whole number from 0 on, got 0.5/],
  ];
  for (const [cookie, said] of mistakes) {
    test(`refuses: ${said.source}: ${cookie.value.slice(0, 10)}`, () => {
      assert.throws(
        () => formatSetCookie(cookie),
        (error) => error instanceof RangeError && said.test(error.message),
      );
    });
  }

  test('a value that is not accepted is not told: it may be a secret', () => {
    assert.throws(
      () => formatSetCookie({ name: 'session', value: 'hunter2 ' }),
      (error) => error instanceof RangeError && !error.message.includes('hunter2'),
    );
  });

  test('what is set comes back', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/), fc.stringMatching(/^[!-~]{0,40}$/), (name, text) => {
        const value = encodeURIComponent(text);
        const [pair = ''] = formatSetCookie({ name: `x${name}`, value }).split(';', 1);
        assert.deepEqual(parseCookies(`other=1; ${pair}`).get(`x${name}`), value);
      }),
      { seed: 1 },
    );
  });
});
