import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, parsePath } from '@flotilla/http';
import { hostCookies } from './host-cookies.ts';

/** What the service reads of the cookies that a browser sends, and what the browser gets of those that it sets. */
async function pass(
  publicUrl: string | undefined,
  sent: readonly string[],
  set: readonly string[] = [],
): Promise<{ readonly read: readonly string[]; readonly kept: readonly string[] }> {
  const request: HttpRequest = {
    ...{ method: 'GET', authority: '127.0.0.1', path: parsePath('/'), query: '', body: undefined },
    headers: new HttpHeaders(sent.map((field) => ['cookie', field] as const)),
  };
  let read: readonly string[] = [];
  const handler = hostCookies({ publicUrl, cookies: ['session'] })(async ({ headers }) => {
    read = headers.getAll('cookie');
    const answer = new HttpHeaders(set.map((field) => ['set-cookie', field] as const));
    return { status: 200, headers: answer, body: undefined };
  });
  const { headers } = await handler(request, new Call({ clock: new ManualClock(), random: () => 0 }));
  assert.deepEqual(request.headers.getAll('cookie'), sent, 'the request of others is left alone');
  return { read, kept: headers.getAll('set-cookie') };
}

const shop = 'https://shop.example';
const rows: readonly (readonly [claim: string, publicUrl: string | undefined, sent: string[], read: string[]])[] = [
  ['in public, the safe one is read under its plain name', shop, ['__Host-session=a'], ['session=a']],
  ['in public, a plain one is nobody’s', shop, ['session=a'], []],
  ['in public, a plain one says nothing beside the safe one', shop, ['session=b; __Host-session=a'], ['session=a']],
  ['in public, wherever it stands', shop, ['a=1; __Host-session=a;b=2', 'session=c'], ['a=1; session=a; b=2']],
  ['on loopback, the plain one is read', undefined, ['session=a'], ['session=a']],
  ['on loopback, a safe one is of somewhere else', undefined, ['__Host-session=a; session=b'], ['session=b']],
  ['over HTTP on loopback, by its address', 'http://127.0.0.1:8080', ['session=a'], ['session=a']],
  ['others pass', shop, ['a=1; __Host-b=2', 'c'], ['a=1; __Host-b=2', 'c']],
  [
    'one that only begins so is another one',
    shop,
    ['__Host-sessions=1; sessions=2'],
    ['__Host-sessions=1; sessions=2'],
  ],
  ['nothing is nothing', shop, [], []],
];
for (const [claim, publicUrl, sent, read] of rows) {
  test(claim, async () => assert.deepEqual((await pass(publicUrl, sent)).read, read));
}

test('what is set is as safe as the place allows, and others are as they were', async () => {
  const set = ['session=a; Path=/; SameSite=Strict; Secure; HttpOnly', 'other=1; Path=/; Secure', 'session=; Path=/'];
  assert.deepEqual((await pass(shop, [], set)).kept, [
    '__Host-session=a; Path=/; SameSite=Strict; Secure; HttpOnly',
    'other=1; Path=/; Secure',
    '__Host-session=; Path=/; Secure',
  ]);
  assert.deepEqual((await pass(undefined, [], set)).kept, [
    'session=a; Path=/; SameSite=Strict; HttpOnly',
    'other=1; Path=/; Secure',
    'session=; Path=/',
  ]);
});

test('an address that is none is refused when the service starts', () => {
  assert.throws(() => hostCookies({ publicUrl: 'http://shop.example', cookies: [] }), { code: 'CONFIG_INVALID' });
});
