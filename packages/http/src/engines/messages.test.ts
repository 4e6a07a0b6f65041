import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Call, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { request, response, stream } from '../../test/contract-support.ts';
import { hasNoBody, incomingHeaders, isAuthority, outgoingRequestHeaders, outgoingResponse } from './messages.ts';

const call = (): Call => new Call({ clock: new ManualClock(), random: seededRandom(1) });

it('an authority is a host with or without a port, and nothing else', () => {
  const good = ['a', 'a.example', 'a_b.example:1', '10.0.0.1:65535', '[::1]', '[2001:db8::1]:8080', 'A-1~b.example'];
  const bad = ['', ':80', 'a:', 'a:x', 'a:65536', 'a:999999', 'u@a', 'a/b', 'a?b', 'a#b', 'a b', 'a,b', 'a\\b', 'a%41'];
  const worse = ['[::1', '::1', '[::1]x', '[g::1]', 'http://a', 'a\r\n', 'ä', 'x'.repeat(256)];
  for (const text of good) assert.equal(isAuthority(text), true, text);
  for (const text of [...bad, ...worse]) assert.equal(isAuthority(text), false, text);
});

it('bytes are sent with their length, streams with the declared one or none, nothing without', () => {
  const lengthOf = (parts: Parameters<typeof request>[2]): string | undefined =>
    outgoingRequestHeaders(request('POST', '/', parts), call()).get('content-length');
  const wrong: [string, string][] = [['content-length', '7']];
  assert.equal(lengthOf({ body: 'abc', headers: wrong }), '3');
  assert.equal(lengthOf({ headers: wrong }), undefined);
  assert.equal(lengthOf({ body: stream(['abc']) }), undefined);
  assert.equal(lengthOf({ body: stream(['abc']), headers: [['content-length', '3']] }), '3');
  for (const length of ['3, 3', '-3', '0x3', '']) {
    assert.throws(
      () => lengthOf({ body: stream([]), headers: [['content-length', length]] }),
      /INTERNAL.*content-length/,
    );
  }
});

it('a request that cannot be written names what is wrong, quoted and cut', () => {
  const bad = request('GET', '/', { headers: [['x-long', `${'y'.repeat(100)}\n`]] });
  assert.throws(
    () => outgoingRequestHeaders(bad, call()),
    (thrown) => {
      assert.ok(thrown instanceof FlotillaError);
      assert.equal(thrown.detail, `a message with the header "x-long" "${'y'.repeat(80)}" cannot be sent`);
      assert.equal(thrown.executed, 'no');
      return true;
    },
  );
});

it('the fields of one connection do not come through; a connection field that names others does', () => {
  const flat = [
    'Host',
    'a',
    'Connection',
    'Keep-Alive',
    'Transfer-Encoding',
    'chunked',
    'Keep-Alive',
    'timeout=5',
    'X',
    '1',
  ];
  assert.deepEqual([...incomingHeaders(flat)], [['x', '1']]);
  const naming = ['Connection', 'close, X-Secret', 'X-Secret', '1'];
  assert.deepEqual(
    [...incomingHeaders(naming)],
    [
      ['connection', 'close, X-Secret'],
      ['x-secret', '1'],
    ],
  );
});

it('HEAD, 204 and 304 have no body whatever their handler gave', () => {
  const rows = [
    ['HEAD', 200, true],
    ['GET', 204, true],
    ['GET', 304, true],
    ['GET', 200, false],
    ['POST', 404, false],
  ] as const;
  for (const [method, status, none] of rows) {
    assert.equal(hasNoBody(method, status), none);
    assert.equal(
      outgoingResponse(response(status, 'x'), request(method, '/')).body === undefined,
      none,
      `${method} ${status}`,
    );
  }
  assert.equal(
    outgoingResponse(response(204, 'x', [['content-length', '1']]), request('GET', '/')).headers.has('content-length'),
    false,
  );
  assert.equal(outgoingResponse(response(200), request('GET', '/')).headers.get('content-length'), '0');
});
