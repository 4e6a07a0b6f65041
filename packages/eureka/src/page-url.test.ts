import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromPageTemplate, isPageTemplate, toPageTemplate } from './page-url.ts';

const place = {
  hostName: 'h1',
  port: { $: 8080, '@enabled': 'true' },
  securePort: { $: 8443, '@enabled': 'true' },
} as const;
const moved = { ...place, hostName: '2001:db8::1', port: { $: 9090, '@enabled': 'true' } } as const;

/** A page, what the bag keeps of it, and where it is after the instance moved. */
const rows: readonly [url: string, template: string, then: string][] = [
  ['http://h1:8080/', 'http://{host}:{port}/', 'http://[2001:db8::1]:9090/'],
  ['http://h1:8080/a?b={c}', 'http://{host}:{port}/a?b={c}', 'http://[2001:db8::1]:9090/a?b={c}'],
  ['https://h1:8443/a', 'https://{host}:{port}/a', 'https://[2001:db8::1]:8443/a'],
  ['http://h1:9001/a', 'http://{host}:9001/a', 'http://[2001:db8::1]:9001/a'],
  ['http://h1', 'http://{host}', 'http://[2001:db8::1]'],
  ['http://h1:8443/a', 'http://{host}:8443/a', 'http://[2001:db8::1]:8443/a'],
  ['http://h10:8080/a', 'http://h10:8080/a', 'http://h10:8080/a'],
  ['http://other/h1:8080', 'http://other/h1:8080', 'http://other/h1:8080'],
  ['HTTP://h1:8080/', 'HTTP://h1:8080/', 'HTTP://h1:8080/'],
  ['', '', ''],
];

for (const [url, template, then] of rows) {
  test(`"${url}" is kept as "${template}", and moves with its instance`, () => {
    assert.equal(toPageTemplate(url, place), template);
    assert.equal(fromPageTemplate(template, place), url);
    assert.equal(fromPageTemplate(template, moved), then);
    assert.ok(isPageTemplate(template));
  });
}

test('what could not have been a page is no template', () => {
  for (const value of [
    'javascript:alert(1)',
    'http://{host}:{port}@evil/',
    'http://a{host}/',
    'http://{port}/',
    'x',
    7,
  ]) {
    assert.ok(!isPageTemplate(value), String(value));
  }
});
