import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import type { HttpHandler, HttpRequest } from './exchange.ts';
import { HttpHeaders } from './headers.ts';
import { parsePath } from './path.ts';
import { paramsAttribute, patternAttribute, routesHandler } from './routes-handler.ts';

const echo: HttpHandler = async (_, call) => {
  const seen = { params: [...(call.get(paramsAttribute) ?? [])], pattern: call.get(patternAttribute) };
  return { status: 200, headers: new HttpHeaders(), body: new TextEncoder().encode(JSON.stringify(seen)) };
};
const handler = routesHandler([{ path: '/orders/{id}', methods: ['GET', 'PUT'], value: echo }]);

suite('routesHandler', () => {
  test('hands a request to its route, with what the names took and the pattern in the call', async () => {
    const { status, body } = await ask('GET', '/orders/a%20b');
    assert.equal(status, 200);
    assert.deepEqual(body, { params: [['id', 'a b']], pattern: '/orders/{id}' });
  });

  test('answers a problem where nothing is served', async () => {
    const { status, body } = await ask('GET', '/order/7');
    assert.equal(status, 404);
    assert.partialDeepStrictEqual(body, { code: 'NO_ROUTE', detail: 'nothing is served at GET /order/7' });
  });

  test('answers a problem with the field allow where only the method differs', async () => {
    const { status, headers, body } = await ask('POST', '/orders/7');
    assert.equal(status, 405);
    assert.equal(headers.get('allow'), 'GET, HEAD, OPTIONS, PUT');
    assert.partialDeepStrictEqual(body, {
      code: 'METHOD_NOT_ALLOWED',
      detail: 'POST /orders/7 is not served; this address takes GET, HEAD, OPTIONS, PUT',
    });
  });

  test('answers OPTIONS of an address with what it takes, and nothing at others', async () => {
    const { status, headers, body } = await ask('OPTIONS', '/orders/7');
    assert.deepEqual([status, headers.get('allow'), body], [204, 'GET, HEAD, OPTIONS, PUT', undefined]);
    assert.equal((await ask('OPTIONS', '/order/7')).status, 404);
  });

  test('refuses routes of which one can never be reached', () => {
    const specs = [
      { path: '/a/{x}', methods: ['GET'], value: echo },
      { path: '/a/{y}', methods: ['GET'], value: echo },
    ];
    assert.throws(() => routesHandler(specs), {
      code: 'CONFIG_INVALID',
      detail: /route GET \/a\/\{y\} can never be reached/,
    });
  });
});

async function ask(method: string, path: string) {
  const headers = new HttpHeaders();
  const request: HttpRequest = {
    method,
    authority: 'host',
    path: parsePath(path),
    query: '',
    headers,
    body: undefined,
  };
  const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
  const response = await handler(request, call);
  const { body } = response;
  return { ...response, body: body && JSON.parse(new TextDecoder().decode(body as Uint8Array)) };
}
