import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickWish } from '@flotilla/balance';
import { Call } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, parsePath } from '@flotilla/http';
import { pickKey } from './pick-key.ts';

type Definition = Parameters<typeof pickKey>[0];

const rows: readonly [string, Definition, readonly (readonly [string, string])[], string | undefined][] = [
  ['a header field', { kind: 'pickKey', from: 'header', name: 'x-user' }, [['X-User', '7']], '7'],
  ['no such field', { kind: 'pickKey', from: 'header', name: 'x-user' }, [], undefined],
  ['an empty field', { kind: 'pickKey', from: 'header', name: 'x-user' }, [['x-user', '']], undefined],
  ['a cookie', { kind: 'pickKey', from: 'cookie', name: 'sid' }, [['cookie', 'a=1; sid=abc']], 'abc'],
  ['another cookie', { kind: 'pickKey', from: 'cookie', name: 'sid' }, [['cookie', 'SID=abc']], undefined],
  ['the client', { kind: 'pickKey', from: 'clientAddress' }, [['x-forwarded-for', '10.1.2.3, 10.0.0.1']], '10.1.2.3'],
  ['the direct peer', { kind: 'pickKey', from: 'clientAddress' }, [], '192.0.2.1'],
  ['a long field', { kind: 'pickKey', from: 'header', name: 'x-a' }, [['x-a', 'k'.repeat(999)]], 'k'.repeat(256)],
];
for (const [name, definition, fields, expected] of rows) {
  test(`${name}: ${expected === undefined ? 'no key' : 'a key'}`, async () => {
    const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
    const request: HttpRequest = {
      method: 'GET',
      authority: 'shop',
      path: parsePath('/'),
      query: '',
      headers: new HttpHeaders(fields),
      body: undefined,
      peer: { address: '192.0.2.1', port: 4_000, encrypted: false },
    };
    await pickKey(definition)(async () => ({ status: 200, headers: new HttpHeaders(), body: undefined }))(
      request,
      call,
    );
    assert.equal(call.get(pickWish)?.key, expected);
  });
}
