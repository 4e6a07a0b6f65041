import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { HttpHeaders } from './headers.ts';
import {
  asksForWebSocket,
  checkWebSocketRequest,
  webSocketAccept,
  webSocketAnswerProblem,
} from './websocket-handshake.ts';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';

it('the key of RFC 6455 §1.3 gives the answer of RFC 6455 §1.3', () => {
  assert.equal(webSocketAccept(key), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

describe('a request asks for a WebSocket', () => {
  const asking = ['Connection', 'keep-alive, Upgrade', 'Upgrade', 'WebSocket'];
  const rows: readonly (readonly [name: string, asks: boolean, method: string, version: string, fields: string[]])[] = [
    ['as browsers ask', true, 'GET', '1.1', asking],
    [
      'with two connection fields',
      true,
      'GET',
      '1.1',
      ['connection', 'x', 'connection', 'upgrade', 'upgrade', 'websocket'],
    ],
    ['not by POST', false, 'POST', '1.1', asking],
    ['not in HTTP/1.0', false, 'GET', '1.0', asking],
    ['not without connection', false, 'GET', '1.1', ['Upgrade', 'websocket']],
    [
      'not when connection names something like it',
      false,
      'GET',
      '1.1',
      ['Connection', 'upgrades', 'Upgrade', 'websocket'],
    ],
    ['not with h2c', false, 'GET', '1.1', ['Connection', 'Upgrade, HTTP2-Settings', 'Upgrade', 'h2c']],
    ['not with h2c beside it', false, 'GET', '1.1', ['Connection', 'Upgrade', 'Upgrade', 'h2c, websocket']],
    ['not with h2c in a second field', false, 'GET', '1.1', [...asking, 'Upgrade', 'h2c']],
    ['not with the settings of HTTP/2', false, 'GET', '1.1', [...asking, 'HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA']],
    ['not with a version behind it', false, 'GET', '1.1', ['Connection', 'upgrade', 'Upgrade', 'websocket/13']],
    ['not with a length, even of nothing', false, 'GET', '1.1', [...asking, 'Content-Length', '0']],
    ['not with a coding', false, 'GET', '1.1', [...asking, 'Transfer-Encoding', 'chunked']],
  ];
  for (const [name, asks, method, version, fields] of rows) {
    it(name, () => assert.equal(asksForWebSocket({ method, version, fields }), asks));
  }
});

describe('a handshake', () => {
  const good: [string, string][] = [
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ];
  const version = good[0] as [string, string];
  const rows: readonly (readonly [name: string, status: number | undefined, fields: [string, string][]])[] = [
    ['is good with version and key', undefined, good],
    [
      'may offer protocols in several fields',
      undefined,
      [...good, ['sec-websocket-protocol', 'a, b'], ['sec-websocket-protocol', 'c']],
    ],
    [
      'of another version is 426',
      426,
      [
        ['sec-websocket-version', '8'],
        ['sec-websocket-key', key],
      ],
    ],
    ['of two versions is 426', 426, [...good, version]],
    ['without a version is 426', 426, [['sec-websocket-key', key]]],
    ['without a key is 400', 400, [version]],
    ['with two keys is 400', 400, [...good, ['sec-websocket-key', key]]],
    ['with a key of 15 bytes is 400', 400, [version, ['sec-websocket-key', Buffer.alloc(15).toString('base64')]]],
    ['with a key of 17 bytes is 400', 400, [version, ['sec-websocket-key', Buffer.alloc(17).toString('base64')]]],
    ['with bits beyond the 16th byte is 400', 400, [version, ['sec-websocket-key', 'AAAAAAAAAAAAAAAAAAAAAB==']]],
    ['with a key in the alphabet of URLs is 400', 400, [version, ['sec-websocket-key', '-_AAAAAAAAAAAAAAAAAAAA==']]],
    ['with an accept of its own is 400', 400, [...good, ['sec-websocket-accept', 'x']]],
    ['with an empty protocol is 400', 400, [...good, ['sec-websocket-protocol', 'a,,b']]],
    ['with a protocol twice is 400', 400, [...good, ['sec-websocket-protocol', 'a, a']]],
    ['with a protocol that is no token is 400', 400, [...good, ['sec-websocket-protocol', 'a b']]],
  ];
  for (const [name, status, fields] of rows) {
    it(name, () => {
      const check = (): void => checkWebSocketRequest(new HttpHeaders(fields));
      if (status === undefined) check();
      else {
        assert.throws(check, (thrown) => {
          assert.ok(thrown instanceof FlotillaError);
          assert.deepEqual([thrown.code, thrown.httpStatus], ['MALFORMED_REQUEST', status]);
          return true;
        });
      }
    });
  }
});

describe('an answer 101', () => {
  const request = new HttpHeaders([
    ['sec-websocket-key', key],
    ['sec-websocket-protocol', 'chat, news'],
    ['sec-websocket-extensions', 'permessage-deflate; client_max_window_bits'],
  ]);
  const good = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', webSocketAccept(key)];
  const rows: readonly (readonly [name: string, fields: string[], problem: RegExp | undefined])[] = [
    ['is good', good, undefined],
    [
      'may choose what was offered',
      [...good, 'sec-websocket-protocol', 'news', 'sec-websocket-extensions', 'permessage-deflate'],
      undefined,
    ],
    ['needs its upgrade', good.slice(2), /upgrade to "websocket"/],
    ['may not upgrade to anything else', ['Upgrade', 'h2c', ...good.slice(2)], /upgrade to "websocket"/],
    ['needs its connection', [...good.slice(0, 2), ...good.slice(4)], /does not name/],
    ['needs its accept', good.slice(0, 4), /accept/],
    ['needs the accept of the key', [...good.slice(0, 5), webSocketAccept('other')], /accept/],
    ['has one accept', [...good, 'sec-websocket-accept', webSocketAccept(key)], /accept/],
    ['may not choose what was not offered', [...good, 'sec-websocket-protocol', 'admin'], /protocol/],
    ['may not choose two protocols', [...good, 'sec-websocket-protocol', 'chat, news'], /protocol/],
    ['may not extend unasked', [...good, 'sec-websocket-extensions', 'x-own'], /extension/],
  ];
  for (const [name, fields, problem] of rows) {
    it(name, () => {
      const found = webSocketAnswerProblem(request, fields);
      if (problem) assert.match(found ?? '', problem);
      else assert.equal(found, undefined);
    });
  }
});
