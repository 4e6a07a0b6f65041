import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, rootPath } from '@flotilla/http';
import { beginCall, outsideCalls } from './calls.ts';

const needs = { clock: new ManualClock(), random: seededRandom(6) };
const traceId = '1'.repeat(32);
const request: HttpRequest = {
  method: 'GET',
  authority: 'shop.example',
  path: rootPath,
  query: '',
  headers: new HttpHeaders([
    ['traceparent', `00-${traceId}-${'2'.repeat(16)}-01`],
    ['flotilla-timeout-ms', '50'],
    ['baggage', 'flotilla.tenant=a'],
  ]),
  body: undefined,
};

describe('the call of a request from outside', () => {
  it('reads nothing that was sent, in the listener and in the gateway', () => {
    for (const call of [outsideCalls(needs)(request), beginCall(request, new Call(needs), false, ['m'], needs)]) {
      assert.deepEqual(
        [call.deadline, call.tenant, call.trace.traceId === traceId],
        [Number.POSITIVE_INFINITY, undefined, false],
      );
    }
  });

  it('goes on with what was sent where that is trusted', () => {
    const call = beginCall(request, new Call(needs), true, ['m'], needs);
    assert.deepEqual([call.remainingMs, call.tenant, call.trace.traceId], [50, 'a', traceId]);
    call.end();
  });

  it('is cancelled at once when the client goes away, before the listener has ended its own', () => {
    const outer = new Call(needs);
    const call = beginCall(request, outer, false, ['m'], needs);
    const gone = new FlotillaError('CANCELLED', 'gone');
    outer.cancel(gone);
    assert.equal(call.cancelled, gone);
  });

  it('ends with the listener: what still runs then is cancelled', () => {
    const outer = new Call(needs);
    const call = beginCall(request, outer, false, ['m'], needs);
    outer.end();
    assert.deepEqual([call.cancelled?.code, call.ended], ['CANCELLED', true]);
  });
});
