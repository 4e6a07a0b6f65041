import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { addForwarded } from './forwarded.ts';
import { type HopByHopOptions, removeHopByHop, removeUntrusted, type UntrustedOptions } from './header-rules.ts';
import { HttpHeaders } from './headers.ts';

suite('removeHopByHop', () => {
  test('removes what concerns one connection, and what "connection" names, from anywhere and in any case', () => {
    const left = hopByHop([
      ['accept', '*/*'],
      ['x-one', '1'],
      ['Connection', 'keep-alive, X-One ,'],
      ['keep-alive', 'timeout=5'],
      ['proxy-connection', 'keep-alive'],
      ['proxy-authenticate', 'Basic'],
      ['proxy-authorization', 'Basic eDp5'],
      ['te', 'trailers'],
      ['trailer', 'x-sum'],
      ['transfer-encoding', 'chunked'],
      ['upgrade', 'websocket'],
      ['http2-settings', 'AAMAAABk'],
      ['connection', 'x-two'],
      ['x-two', '2'],
      ['x-two', '3'],
      ['cookie', 'a=b'],
    ]);
    assert.deepEqual(left, ['accept', 'cookie']);
  });

  test('a request cannot have fields removed that concern more than its connection', () => {
    const names = [
      'host',
      'content-length',
      'transfer-encoding',
      'authorization',
      'Cookie',
      'forwarded',
      'x-forwarded-for',
      'X-Forwarded-Anything',
      'x-request-id',
    ];
    for (const name of names) {
      assert.throws(() => hopByHop([['connection', `close, ${name}`]], ['x-request-id']), {
        code: 'MALFORMED_REQUEST',
        detail: new RegExp(`names "${name.toLowerCase()}"`),
      });
    }
  });

  test('a request whose "connection" is no list of names is refused', () => {
    for (const value of ['a b', 'a;b', '"a"', 'é']) {
      assert.throws(() => hopByHop([['connection', value]]), { code: 'MALFORMED_REQUEST' }, value);
    }
  });

  test('in an answer such names are passed over', () => {
    const fields: [string, string][] = [
      ['connection', 'x-request-id, a b, x-one'],
      ['x-request-id', '7'],
      ['x-one', '1'],
    ];
    assert.deepEqual(hopByHop(fields, ['x-request-id'], { message: 'response' }), ['x-request-id']);
  });

  test('drops names with an underscore unless told to keep them', () => {
    const fields: [string, string][] = [
      ['x_forwarded_for', '1.2.3.4'],
      ['content_length', '5'],
      ['x-a', '1'],
    ];
    assert.deepEqual(hopByHop(fields), ['x-a']);
    assert.deepEqual(hopByHop(fields, [], { keepUnderscores: true }), ['x_forwarded_for', 'content_length', 'x-a']);
  });

  test('nothing that is added afterwards can be removed by the client', () => {
    const headers = new HttpHeaders([['connection', 'close, x-forwarded-proto']]);
    assert.throws(() => removeHopByHop(headers), { code: 'MALFORMED_REQUEST' });
    const plain = new HttpHeaders([['connection', 'x-id']]);
    removeHopByHop(plain);
    plain.set('x-id', 'ours');
    addForwarded(plain, { peer: { address: '10.0.0.1' }, authority: 'a', scheme: 'http' });
    assert.equal(plain.get('x-id'), 'ours');
    assert.equal(plain.get('x-forwarded-proto'), 'http');
  });
});

suite('removeUntrusted', () => {
  const fields: [string, string][] = [
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-anything',
    'x-real-ip',
    'x-original-url',
    'x-rewrite-url',
    'x-http-method-override',
    'flotilla-attempt',
    'flotilla-timeout-ms',
    'flotilla-whatever',
    'priority',
    'traceparent',
    'tracestate',
    'baggage',
    'authorization',
    'cookie',
    'idempotency-key',
    'grpc-timeout',
    'x-flotilla',
    'x-forwarder',
  ].map((name) => [name, '1']);
  const harmless = ['authorization', 'cookie', 'idempotency-key', 'grpc-timeout', 'x-flotilla', 'x-forwarder'];

  const rows: [name: string, options: UntrustedOptions, left: string[]][] = [
    ['everything by which a stranger passes for one of us', {}, harmless],
    ['the priority stays where the route trusts it', { keepPriority: true }, ['priority', ...harmless]],
    [
      'the trace stays where it is continued',
      { keepTrace: true },
      ['traceparent', 'tracestate', 'baggage', ...harmless],
    ],
  ];
  for (const [name, options, left] of rows) {
    test(name, () => {
      const headers = new HttpHeaders(fields);
      removeUntrusted(headers, options);
      assert.deepEqual(names(headers), left);
    });
  }
});

function hopByHop(fields: [string, string][], protectedNames: string[] = [], options: HopByHopOptions = {}): string[] {
  const headers = new HttpHeaders(fields);
  removeHopByHop(headers, protectedNames, options);
  return names(headers);
}

function names(headers: HttpHeaders): string[] {
  return [...headers].map(([name]) => name);
}
