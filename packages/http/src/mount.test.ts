import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, type Endpoint } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { HttpHeaders } from './headers.ts';
import { mountAt } from './mount.ts';
import { parsePath } from './path.ts';

async function reached(contextPath: string | undefined, path: string): Promise<string> {
  const endpoint: Endpoint<HttpRequest, HttpResponse> = {
    status: 'open',
    load: 0,
    handle: async (request) => ({
      status: 200,
      headers: new HttpHeaders([['x-path', request.path.text]]),
      body: undefined,
    }),
    close: async () => {},
  };
  const metadata = contextPath === undefined ? {} : { 'http.context-path': contextPath };
  const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
  const request = {
    method: 'GET',
    authority: 'a',
    path: parsePath(path),
    query: '',
    headers: new HttpHeaders(),
    body: undefined,
  };
  const { headers } = await mountAt({ id: 'a:1', metadata }, endpoint).handle(request, call);
  call.end();
  return headers.get('x-path') ?? '';
}

const rows: readonly [contextPath: string | undefined, path: string, reached: string][] = [
  [undefined, '/x', '/x'],
  ['', '/x', '/x'],
  ['/', '/x', '/x'],
  ['/ctx', '/x', '/ctx/x'],
  ['/ctx/', '/x', '/ctx/x'],
  ['/a/b', '/', '/a/b/'],
];

for (const [contextPath, path, expected] of rows) {
  test(`${path} of an instance whose context path is ${JSON.stringify(contextPath)} is ${expected}`, async () => {
    assert.equal(await reached(contextPath, path), expected);
  });
}

for (const wrong of ['ctx', '/../etc', '/a%2Fb', 'http://elsewhere/']) {
  test(`the context path ${wrong} makes the instance unusable, and is named`, async () => {
    await assert.rejects(reached(wrong, '/x'), { code: 'CONNECT_FAILED', message: /of "a:1" is no path such as/ });
  });
}
