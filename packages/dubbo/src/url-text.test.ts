import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatUrl, isPlain, parseUrl, urlLimits } from './url-text.ts';

test('a URL is taken apart, and put together with its parameters sorted by code unit', () => {
  const url = parseUrl('tri://user:a@b@h1:50051/ctx/x.Demo?b=2&B=1&a-b=3&a.b=4');
  assert.deepEqual(
    { ...url, parameters: [...url.parameters] },
    {
      protocol: 'tri',
      userInfo: 'user:a@b',
      host: 'h1',
      port: 50_051,
      path: 'ctx/x.Demo',
      parameters: [
        ['b', '2'],
        ['B', '1'],
        ['a-b', '3'],
        ['a.b', '4'],
      ],
    },
  );
  assert.equal(formatUrl(url), 'tri://user:a@b@h1:50051/ctx/x.Demo?B=1&a-b=3&a.b=4&b=2');
});

suite('parameters are read as Java reads them', () => {
  const rows: readonly [query: string, parameters: readonly [string, string][]][] = [
    ['', []],
    [
      'a=1;b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['a=1&a=2', [['a', '2']]],
    ['a=b=c', [['a', 'b=c']]],
    ['a&b=&=c&==d=1', [['d', '1']]],
    ['a=%26', [['a', '%26']]],
    ['__proto__=x', [['__proto__', 'x']]],
  ];
  for (const [query, parameters] of rows) {
    test(`"${query}"`, () => {
      assert.deepEqual([...parseUrl(`dubbo://h/x?${query}`).parameters], parameters);
    });
  }
});

suite('host and port', () => {
  const rows: readonly [authority: string, host: string, port: number][] = [
    ['h1', 'h1', 0],
    ['h1:20880', 'h1', 20_880],
    ['2001:db8::1:20880', '2001:db8::1', 20_880],
    ['[2001:db8::1]:20880', '2001:db8::1', 20_880],
    ['[2001:db8::1]', '2001:db8::1', 0],
    ['fe80::1%eth0', 'fe80::1%eth0', 0],
    ['fe80::1%eth0:20880', 'fe80::1%eth0', 20_880],
  ];
  for (const [authority, host, port] of rows) {
    test(authority, () => {
      const url = parseUrl(`dubbo://${authority}/x`);
      assert.deepEqual([url.host, url.port], [host, port]);
      assert.deepEqual(parseUrl(formatUrl(url)), url);
    });
  }
});

suite('what is no URL is refused with the reason', () => {
  const rows: readonly [text: string, reason: RegExp][] = [
    ['', /protocol/],
    ['h1:20880/x', /protocol/],
    ['://h1/x', /protocol/],
    ['1x://h1/x', /protocol/],
    ['dubbo:///x', /host/],
    ['dubbo://h 1/x', /host/],
    ['dubbo://[::1/x', /host|port/],
    ['dubbo://h1:x/x', /port/],
    ['dubbo://h1:/x', /port/],
    ['dubbo://h1:65536/x', /port/],
    [`dubbo://h1/${'x'.repeat(urlLimits.length)}`, /limit is 65536/],
    [`dubbo://h1/x?${Array.from({ length: 1_025 }, (_, place) => `p${place}=1`).join('&')}`, /1024 parameters/],
  ];
  for (const [text, reason] of rows) {
    test(text.slice(0, 40), () => {
      assert.throws(() => parseUrl(text), { code: 'MALFORMED_REQUEST', detail: reason });
    });
  }
});

test('plain is what a Java parser gives back unchanged', () => {
  for (const text of ['a', 'a b', 'a?b', 'a/b', 'ä', '{"a":1}', '%26', 'a+b']) assert.ok(isPlain(text), text);
  for (const text of ['', ' a', 'a ', 'a&b', 'a;b', 'a=b', 'a\nb', '\ud800']) assert.ok(!isPlain(text), text);
});
