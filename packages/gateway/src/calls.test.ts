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
    for (const call of [outsideCalls(needs)(request), beginCall(request, new Call(needs), undefined, ['m'], needs)]) {
      assert.deepEqual(
        [call.deadline, call.tenant, call.trace.traceId === traceId],
        [Number.POSITIVE_INFINITY, undefined, false],
      );
    }
  });

  it('goes on with what was sent where that is trusted', () => {
    const call = beginCall(request, new Call(needs), { priority: false }, ['m'], needs);
    assert.deepEqual([call.remainingMs, call.tenant, call.trace.traceId], [50, 'a', traceId]);
    call.end();
  });

  it('is no more urgent than others, unless the priority is trusted too; it may be less urgent', () => {
    const urgencyOf = (field: string, priority: boolean): number => {
      const headers = new HttpHeaders([['priority', field]]);
      const call = beginCall({ ...request, headers }, new Call(needs), { priority }, ['m'], needs);
      call.end();
      return call.urgency;
    };
    assert.deepEqual(
      [0, 2, 3, 7].map((urgency) => urgencyOf(`u=${urgency}, i`, false)),
      [3, 3, 3, 7],
    );
    assert.deepEqual(
      [0, 2, 3, 7].map((urgency) => urgencyOf(`u=${urgency}, i`, true)),
      [0, 2, 3, 7],
    );
  });

  it('is cancelled at once when the client goes away, before the listener has ended its own', () => {
    const outer = new Call(needs);
    const call = beginCall(request, outer, undefined, ['m'], needs);
    const gone = new FlotillaError('CANCELLED', 'gone');
    outer.cancel(gone);
    assert.equal(call.cancelled, gone);
  });

  it('ends with the listener: what still runs then is cancelled', () => {
    const outer = new Call(needs);
    const call = beginCall(request, outer, undefined, ['m'], needs);
    outer.end();
    assert.deepEqual([call.cancelled?.code, call.ended], ['CANCELLED', true]);
  });
});
