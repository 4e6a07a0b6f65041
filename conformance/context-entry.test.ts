import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { type Baggage, Call, FlotillaError, parseTraceparent } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, incomingCall, peerSpanAttribute, readContext, writeContext } from '@flotilla/http';
import { contextLimits, foreignContext, formatContext, formatContract, parseContext } from '@flotilla/rpc';
import fc from 'fast-check';

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
  readonly tenant?: string;
}

interface Golden {
  readonly carried: readonly {
    name: string;
    call: GoldenCall;
    contract: string;
    text: string;
    leftMs: number | null;
  }[];
  readonly refused: readonly { name: string; call: GoldenCall; code: string; executed: string }[];
  readonly read: readonly { name: string; text: string; call: GoldenReading }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/context-entry.json', import.meta.url), 'utf8'));
const needs = { clock: new ManualClock({ startMs: 1_000 }), random: seededRandom(1) };

suite('context entry: a call goes out as the golden text and comes back', () => {
  for (const { name, call, contract, text, leftMs } of golden.carried) {
    test(name, () => {
      const sent = callOf(call);
      assert.equal(formatContext(sent, contract), text);
      const carried = parseContext(text);
      const { contractVersion, contractHash } = carried;
      assert.equal(contractVersion && contractHash ? formatContract(contractVersion, contractHash) : '', contract);
      const received = incomingCall(carried, needs);
      assert.equal(received.deadline, leftMs === null ? Infinity : needs.clock.now() + leftMs);
      assertSame(received, sent);
    });
  }
});

suite('context entry: calls that are not sent', () => {
  for (const { name, call, code, executed } of golden.refused) {
    test(name, () => {
      assert.throws(
        () => formatContext(callOf(call), ''),
        (error) => error instanceof FlotillaError && error.code === code && error.executed === executed,
      );
    });
  }
});

suite('context entry: what is read from what anybody may send', () => {
  for (const { name, text, call: expected } of golden.read) {
    test(name, () => {
      const call = incomingCall(parseContext(text), needs);
      const { remainingMs = Infinity, baggage = {} } = expected;
      assert.equal(call.deadline, needs.clock.now() + remainingMs);
      assert.equal(call.get(peerSpanAttribute), expected.peerSpanId);
      if (expected.traceId !== undefined) assert.equal(call.trace.traceId, expected.traceId);
      assert.equal(call.trace.state, expected.state ?? '');
      assert.deepEqual(call.baggage, new Map(Object.entries(baggage)));
      assert.equal(call.tenant, expected.tenant);
      assert.equal(call.urgency, expected.urgency ?? 3);
      assert.equal(call.attempt, expected.attempt);
      assert.equal(call.idempotencyKey, expected.idempotencyKey);
    });
  }

  test('an entry over the limit is passed over whole', () => {
    const text = `u1\nb${'a=1,'.repeat(contextLimits.maxBytes / 4)}`;
    assert.equal(parseContext(text).urgency, undefined);
  });

  test('lines over the limit are passed over', () => {
    assert.equal(parseContext(`${'x\n'.repeat(contextLimits.maxLines)}u1`).urgency, undefined);
    assert.equal(parseContext(`${'x\n'.repeat(contextLimits.maxLines - 1)}u1`).urgency, 1);
  });

  test('entries named like header fields, of a peer that is not ours', () => {
    const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const call = incomingCall(foreignContext(parent, 'a=1', 'flotilla.tenant=acme'), needs);
    assert.deepEqual([call.trace.traceId, call.trace.state, call.tenant], [parent.slice(3, 35), 'a=1', 'acme']);
    assert.equal(
      incomingCall(foreignContext('00-nonsense', 'a=1', undefined), needs).get(peerSpanAttribute),
      undefined,
    );
  });
});

suite('context entry: rules', () => {
  test('whatever a call carries comes back', () => {
    fc.assert(
      fc.property(anyCall, (options) => {
        const sent = new Call({ ...needs, ...options });
        assertSame(incomingCall(parseContext(formatContext(sent, '')), needs), sent);
      }),
    );
  });

  test('a call arrives as the same over HTTP, whatever it carries', () => {
    fc.assert(
      fc.property(anyCall, fc.option(fc.integer({ min: 20, max: 100_000 })), (options, leftMs) => {
        const deadline = leftMs === null ? undefined : needs.clock.now() + leftMs;
        const sent = new Call({ ...needs, ...options, deadline });
        const headers = new HttpHeaders();
        writeContext(sent, headers);
        const overHttp = readContext(headers, needs);
        const overRSocket = incomingCall(parseContext(formatContext(sent, '')), needs);
        assertSame(overHttp, sent);
        assertSame(overRSocket, sent);
        assert.equal(overHttp.deadline, overRSocket.deadline);
      }),
    );
  });

  test('whatever comes is read without an error, and what is read can be written', () => {
    const lines = fc.array(fc.tuple(fc.constantFrom(...'dtcsbuakx'), fc.string({ unit: 'binary' })), { maxLength: 12 });
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      lines.map((all) => all.map(([letter, value]) => letter + value).join('\n')),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        const { timeoutMs, ...rest } = parseContext(text);
        assert.ok(timeoutMs === undefined || (timeoutMs >= 0 && timeoutMs <= 86_400_000));
        const call = incomingCall({ timeoutMs: undefined, ...rest }, needs);
        assertSame(incomingCall(parseContext(formatContext(call, '')), needs), call);
      }),
    );
  });
});

const anyCall = fc.record({
  urgency: fc.integer({ min: 0, max: 7 }),
  attempt: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
  idempotencyKey: fc.option(fc.stringMatching(/^[\x21-\x7e]{1,255}$/), { nil: undefined }),
  baggage: fc
    .dictionary(fc.stringMatching(/^[a-z0-9.-]{1,20}$/), fc.string({ unit: 'grapheme', maxLength: 30 }), { maxKeys: 8 })
    .map((members): Baggage => new Map(Object.entries(members))),
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

function assertSame(received: Call, sent: Call): void {
  assert.equal(received.trace.traceId, sent.trace.traceId);
  assert.equal(received.get(peerSpanAttribute), sent.trace.spanId);
  assert.notEqual(received.trace.spanId, sent.trace.spanId);
  for (const member of ['urgency', 'attempt', 'idempotencyKey', 'tenant'] as const) {
    assert.equal(received[member], sent[member], member);
  }
  assert.deepEqual(received.baggage, sent.baggage);
  assert.deepEqual([received.trace.sampled, received.trace.state], [sent.trace.sampled, sent.trace.state]);
}
