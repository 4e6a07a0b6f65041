import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpHeaders, type HttpRequest, rootPath } from '@flotilla/http';
import { cleanRequest, cleanResponse } from './header-hygiene.ts';
import { createTrust } from './trust.ts';

const strangers = createTrust({ trustedProxies: [] });
const behindProxy = createTrust({ trustedProxies: ['192.0.2.0/24'] });

function request(...fields: [string, string][]): HttpRequest {
  return {
    method: 'GET',
    authority: 'shop.example:8080',
    path: rootPath,
    query: '',
    headers: new HttpHeaders(fields),
    body: undefined,
    peer: { address: '192.0.2.1', port: 1234, encrypted: true },
  };
}

describe('header hygiene', () => {
  it('says on whose behalf a request comes, and by whom it was passed on', () => {
    const headers = cleanRequest(request(), strangers, new Set());
    assert.deepEqual(
      [...headers],
      [
        ['forwarded', 'for=192.0.2.1;host="shop.example:8080";proto=https'],
        ['x-forwarded-for', '192.0.2.1'],
        ['x-forwarded-host', 'shop.example:8080'],
        ['x-forwarded-port', '8080'],
        ['x-forwarded-proto', 'https'],
        ['via', '1.1 flotilla'],
      ],
    );
  });

  it('leaves the request that came in as it was', () => {
    const given = request(['x-forwarded-for', '1.1.1.1'], ['connection', 'x-a'], ['x-a', '1']);
    cleanRequest(given, strangers, new Set());
    assert.equal(given.headers.size, 3);
  });

  it('adds to what proxies before it said in via', () => {
    const headers = cleanRequest(request(['via', '1.1 cdn']), strangers, new Set());
    assert.equal(headers.get('via'), '1.1 cdn, 1.1 flotilla');
  });

  const protectedNames = [
    'host',
    'content-length',
    'transfer-encoding',
    'authorization',
    'cookie',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-anything',
    'traceparent',
    'priority',
    'idempotency-key',
    'via',
    'x-of-the-route',
  ];
  for (const name of protectedNames) {
    it(`refuses a connection field that names ${name}, trusted peer or not`, () => {
      for (const trust of [strangers, behindProxy]) {
        assert.throws(
          () => cleanRequest(request(['connection', `close, ${name}`]), trust, new Set(['x-of-the-route'])),
          {
            code: 'MALFORMED_REQUEST',
          },
        );
      }
    });
  }

  it('takes off every field of the connection, in both directions', () => {
    const names = [
      'te',
      'trailer',
      'upgrade',
      'keep-alive',
      'proxy-connection',
      'proxy-authenticate',
      'http2-settings',
    ];
    const fields: [string, string][] = [
      ['connection', 'x-hop'],
      ['x-hop', '1'],
      ...names.map((name): [string, string] => [name, 'x']),
    ];
    const up = cleanRequest(request(...fields), behindProxy, new Set());
    const down = cleanResponse({ status: 200, headers: new HttpHeaders(fields), body: undefined }).headers;
    for (const name of ['connection', 'x-hop', ...names]) assert(!up.has(name) && !down.has(name), name);
  });

  it('takes context off a trusted peer too: what is continued is written anew from the call', () => {
    const names = ['traceparent', 'tracestate', 'baggage', 'priority', 'flotilla-attempt', 'flotilla-timeout-ms', 'b3'];
    const headers = cleanRequest(
      request(...names.map((name): [string, string] => [name, '1'])),
      behindProxy,
      new Set(),
    );
    for (const name of names) assert(!headers.has(name), name);
  });

  it('does not let a connection field of an answer hide its length', () => {
    const headers = new HttpHeaders([
      ['connection', 'content-length'],
      ['content-length', '4'],
    ]);
    assert.equal(cleanResponse({ status: 200, headers, body: undefined }).headers.get('content-length'), '4');
  });
});
