import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { Call, FlotillaError, parseTraceparent, priorityClass } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, peerSpanAttribute, readContext, writeContext } from '@flotilla/http';

type Fields = readonly (readonly [string, string])[];

interface GoldenCall {
  readonly trace?: string;
  readonly state?: string;
  readonly remainingMs?: number;
  readonly baggage?: Readonly<Record<string, string>>;
  readonly urgency?: number;
  readonly attempt?: number;
  readonly idempotencyKey?: string;
}

interface GoldenReading extends Omit<GoldenCall, 'trace'> {
  readonly traceId?: string;
  readonly peerSpanId?: string;
  readonly sampled?: boolean;
  readonly tenant?: string;
}

interface Golden {
  readonly carried: readonly { name: string; call: GoldenCall; headers: Fields; leftMs: number | null }[];
  readonly written: readonly { name: string; before: Fields; call: GoldenCall; headers: Fields }[];
  readonly refused: readonly { name: string; call: GoldenCall; code: string; executed: string }[];
  readonly read: readonly { name: string; headers: Fields; call: GoldenReading }[];
  readonly priorities: readonly { urgency: number; class: string }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/context-headers.json', import.meta.url), 'utf8'));
const needs = { clock: new ManualClock({ startMs: 1_000 }), random: seededRandom(1) };

suite('context headers: a call goes out as the golden fields and comes back', () => {
  for (const { name, call, headers, leftMs } of golden.carried) {
    test(name, () => {
      const sent = callOf(call);
      const written = new HttpHeaders();
      writeContext(sent, written);
      assert.deepEqual([...written], headers);

      const received = readContext(new HttpHeaders(headers), needs);
      assert.equal(received.deadline, leftMs === null ? Infinity : needs.clock.now() + leftMs);
      assert.equal(received.trace.traceId, sent.trace.traceId);
      assert.equal(received.get(peerSpanAttribute), sent.trace.spanId);
      assert.notEqual(received.trace.spanId, sent.trace.spanId);
      for (const member of ['urgency', 'attempt', 'idempotencyKey', 'tenant'] as const) {
        assert.equal(received[member], sent[member], member);
      }
      assert.deepEqual(received.baggage, sent.baggage);
      assert.deepEqual([received.trace.sampled, received.trace.state], [sent.trace.sampled, sent.trace.state]);
    });
  }
});

suite('context headers: what an earlier hop left', () => {
  for (const { name, before, call, headers } of golden.written) {
    test(name, () => {
      const written = new HttpHeaders(before);
      writeContext(callOf(call), written);
      assert.deepEqual([...written], headers);
    });
  }
});

suite('context headers: calls that are not sent', () => {
  for (const { name, call, code, executed } of golden.refused) {
    test(name, () => {
      assert.throws(
        () => writeContext(callOf(call), new HttpHeaders()),
        (error) => error instanceof FlotillaError && error.code === code && error.executed === executed,
      );
    });
  }
});

suite('context headers: what is read from what anybody may send', () => {
  for (const { name, headers, call } of golden.read) {
    test(name, () => assertReading(readContext(new HttpHeaders(headers), needs), call));
  }
});

test('the golden priority table is the one in force', () => {
  const inForce = [0, 1, 2, 3, 4, 5, 6, 7].map((urgency) => ({ urgency, class: priorityClass(urgency) }));
  assert.deepEqual(inForce, golden.priorities);
});

function callOf({ trace, state, remainingMs, baggage, ...rest }: GoldenCall): Call {
  const parsed = trace === undefined ? undefined : parseTraceparent(trace, state);
  return new Call({
    ...needs,
    ...rest,
    ...(parsed === undefined ? undefined : { trace: parsed }),
    ...(remainingMs === undefined ? undefined : { deadline: needs.clock.now() + remainingMs }),
    ...(baggage === undefined ? undefined : { baggage: new Map(Object.entries(baggage)) }),
  });
}

function assertReading(call: Call, expected: GoldenReading): void {
  const { remainingMs = Infinity, baggage = {} } = expected;
  assert.equal(call.deadline, needs.clock.now() + remainingMs);
  assert.equal(call.get(peerSpanAttribute), expected.peerSpanId);
  if (expected.traceId !== undefined) assert.equal(call.trace.traceId, expected.traceId);
  assert.match(`${call.trace.traceId}-${call.trace.spanId}`, /^[0-9a-f]{32}-[0-9a-f]{16}$/);
  assert.equal(call.trace.sampled, expected.sampled ?? true);
  assert.equal(call.trace.state, expected.state ?? '');
  assert.deepEqual(call.baggage, new Map(Object.entries(baggage)));
  assert.equal(call.tenant, expected.tenant);
  assert.equal(call.urgency, expected.urgency ?? 3);
  assert.equal(call.attempt, expected.attempt);
  assert.equal(call.idempotencyKey, expected.idempotencyKey);
}
