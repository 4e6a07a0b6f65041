import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Call, currentCall, FlotillaError, runInCall, sleep } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { CallsPair } from '../../../test/calls-pair.ts';
import { assertIdle, serving, shop } from '../../../test/shop-calls.ts';
import { safe } from '../../index.ts';

describe('a call over RSocket', () => {
  it('is answered by the output', async () => {
    const pair = serving();
    assert.deepEqual(await pair.client(shop).item({ id: 'a/b ü' }), { id: 'a/b ü' });
    assertIdle(pair);
  });

  it('is answered by what a promise of another make comes to', async () => {
    // biome-ignore lint/suspicious/noThenProperty: query builders answer with such objects
    const builder = { then: (done: (value: { id: string }) => void) => done({ id: 'found' }) };
    const pair = serving({ item: () => builder as unknown as Promise<{ id: string }> });
    assert.deepEqual(await pair.client(shop).item({ id: '1' }), { id: 'found' });
    assertIdle(pair);
  });

  it('of an operation without output is undefined; a notification tells that it was taken', async () => {
    const pair = serving();
    assert.equal(await pair.client(shop).clear(), undefined);
    assert.equal(await pair.client(shop).seen({ id: '1' }), undefined);
    assertIdle(pair);
  });

  it('sends the input as the schema takes it: the callee fills defaults', async () => {
    const pair = serving();
    assert.deepEqual(await pair.client(shop).order({}, undefined, { idempotencyKey: 'k' }), { key: '1 k' });
  });

  it('that fails with a declared error has its data', async () => {
    const pair = serving();
    const result = await safe(pair.client(shop).item({ id: 'gone' }));
    assert.ok(!result.ok && result.error.code === 'GONE');
    const { data, httpStatus, detail, executed, fromPeer } = result.error;
    assert.deepEqual([data, httpStatus, detail, executed, fromPeer], [{ id: 'gone' }, 410, 'sold', 'yes', true]);
    assertIdle(pair);
  });

  it('that is invalid is refused, naming the field, and was certainly not done', async () => {
    const pair = serving({ item: () => assert.fail('the handler ran') });
    await assert.rejects(pair.client(shop).item({ id: 7 } as never), (thrown) => {
      assert.ok(thrown instanceof FlotillaError);
      assert.deepEqual([thrown.code, thrown.executed], ['INVALID_INPUT', 'no']);
      assert.match(thrown.detail, /"id"/);
      return true;
    });
    assertIdle(pair);
  });

  it('whose handler throws is INTERNAL, without a word of why; the reason is logged once', async () => {
    const pair = serving({
      item() {
        throw new Error('password=secret');
      },
    });
    await assert.rejects(pair.client(shop).item({ id: '1' }), (thrown) => {
      assert.ok(thrown instanceof FlotillaError);
      assert.equal(thrown.code, 'INTERNAL');
      assert.doesNotMatch(JSON.stringify(thrown), /secret/);
      return true;
    });
    assert.equal(pair.lines.length, 1);
    assertIdle(pair);
  });

  it('whose output does not fit is INTERNAL', async () => {
    const pair = serving({ item: () => ({ id: 5 }) as never });
    await assert.rejects(pair.client(shop).item({ id: '1' }), { code: 'INTERNAL' });
  });

  it('that was cancelled ends the handler', async () => {
    let told: string | undefined;
    const pair = serving({
      item(_, call) {
        call.onCancel(({ code }) => {
          told = code;
        });
        return new Promise(() => {});
      },
    });
    const parent = pair.call();
    const reply = pair.client(shop).item({ id: '1' }, parent);
    await settle();
    parent.cancel();
    await assert.rejects(reply, { code: 'CANCELLED' });
    await settle();
    assert.equal(told, 'CANCELLED');
    assertIdle(pair);
  });

  it('has less time at each hop, and is over in time', async () => {
    let leftMs = 0;
    const pair = serving({
      item(_, call) {
        leftMs = call.remainingMs;
        return new Promise(() => {});
      },
    });
    const reply = pair.client(shop).item({ id: '1' }, undefined, { timeoutMs: 300 });
    const refused = assert.rejects(reply, { code: 'DEADLINE_EXCEEDED', fromPeer: true });
    await settle();
    assert.equal(leftMs, 290);
    await pair.clock.advance(290);
    await refused;
    assertIdle(pair);
  });

  it('with less than 5 ms left is not sent', async () => {
    const pair = serving({ item: () => assert.fail('the handler ran') });
    const reply = pair.client(shop).item({ id: '1' }, pair.call(4));
    await assert.rejects(reply, { code: 'DEADLINE_EXCEEDED', executed: 'no' });
    assertIdle(pair);
  });

  it('carries trace, tenant and priority, and the handler has them without asking', async () => {
    let seen: Call | undefined;
    const pair = serving({
      item({ id }) {
        seen = currentCall();
        return { id };
      },
    });
    const parent = pair.call().child({ baggage: new Map([['flotilla.tenant', 'acme']]), urgency: 1, attempt: 2 });
    await runInCall(parent, () => pair.client(shop).item({ id: '1' }));
    assert.deepEqual(
      [seen?.trace.traceId, seen?.tenant, seen?.priority, seen?.attempt],
      [parent.trace.traceId, 'acme', 'critical', 2],
    );
  });

  it('that is answered by what is no JSON is BAD_RESPONSE', async () => {
    const pair = new CallsPair([], {}, {
      responder: { requestResponse: (_: unknown, answer: { respond(text: string): void }) => answer.respond('{"id":') },
      server: { accept: () => undefined },
    } as never);
    await assert.rejects(pair.client(shop).item({ id: '1' }), { code: 'BAD_RESPONSE', fromPeer: true });
    await settle();
    assertIdle(pair);
  });

  it('whose connection breaks is CONNECTION_LOST, and may have been done', async () => {
    const pair = serving({ item: () => new Promise(() => {}) });
    const reply = pair.client(shop).item({ id: '1' });
    const lost = assert.rejects(reply, { code: 'CONNECTION_LOST', executed: 'unknown' });
    await settle();
    pair.pair.server.close();
    await lost;
  });

  it('to a callee that drains is refused, and was certainly not done', async () => {
    const pair = serving({ item: ({ id }) => sleep(10, currentCall() as Call).then(() => ({ id })) });
    const first = pair.client(shop).item({ id: '1' });
    await settle();
    pair.pair.server.drain();
    await settle();
    await assert.rejects(pair.client(shop).item({ id: '2' }), { code: 'UNAVAILABLE', executed: 'no' });
    await pair.clock.advance(10);
    assert.deepEqual(await first, { id: '1' });
  });
});
