import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newTrace } from '@flotilla/core';
import { type EngineUnderTest, echo, fieldsOf, type Seen, seenIn, World } from '../support.ts';

/** What a stranger might send, besides the context of a call, to be treated as somebody from inside. */
const claimed: readonly [string, string][] = [
  ['grpc-timeout', '1m'],
  ['connect-timeout-ms', '1'],
  ['b3', '1'.repeat(32)],
  ['x-b3-traceid', '1'.repeat(32)],
  ['idempotency-key', 'order-7'],
];

export function contextClaims(engine: () => EngineUnderTest): void {
  describe('context', () => {
    it('of a stranger is dropped: a new call begins, and only the idempotency key goes on', async () => {
      const { seen, trace } = await sendClaims(engine(), {});
      assert.doesNotMatch(JSON.stringify(seen.headers), new RegExp(`evil|${trace.traceId}|u=0|1{32}`));
      assert.match(fieldsOf(seen, 'traceparent').join(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      for (const name of [
        'flotilla-attempt',
        'flotilla-timeout-ms',
        'grpc-timeout',
        'connect-timeout-ms',
        'priority',
      ]) {
        assert.deepEqual(fieldsOf(seen, name), [], name);
      }
      assert.match(fieldsOf(seen, 'baggage').join(), /^flotilla\.passed=[0-9a-z]+$/, "the gateway's own mark alone");
      assert.deepEqual(fieldsOf(seen, 'idempotency-key'), ['order-7']);
    });

    it('of a trusted proxy is dropped too, unless the document trusts it', async () => {
      const { seen, trace } = await sendClaims(engine(), { trustedProxies: ['127.0.0.1'] });
      assert.doesNotMatch(JSON.stringify(seen.headers), new RegExp(`evil|${trace.traceId}|u=0`));
    });

    it('of a stranger is dropped also where the document trusts that of proxies', async () => {
      const { seen, trace } = await sendClaims(engine(), { trustContext: true, trustedProxies: ['10.0.0.0/8'] });
      assert.doesNotMatch(JSON.stringify(seen.headers), new RegExp(`evil|${trace.traceId}|u=0`));
    });

    it('of a trusted proxy goes on where the document says so, in a span of its own', async () => {
      const trusts = { trustContext: true, trustPriority: true, trustedProxies: ['127.0.0.1'] };
      const { seen, trace } = await sendClaims(engine(), trusts);
      const [traceparent = ''] = fieldsOf(seen, 'traceparent');
      assert.match(traceparent, new RegExp(`^00-${trace.traceId}-`));
      assert.doesNotMatch(traceparent, new RegExp(trace.spanId));
      assert.match(fieldsOf(seen, 'baggage').join(), /^flotilla\.passed=[0-9a-z]+,flotilla\.tenant=evil$/);
      assert.deepEqual(fieldsOf(seen, 'priority'), ['u=0']);
      const [leftMs] = fieldsOf(seen, 'flotilla-timeout-ms').map(Number);
      assert(leftMs !== undefined && leftMs > 0 && leftMs <= 60_000, `${leftMs}`);
    });

    it('of a trusted proxy outranks nobody, unless the document trusts its priority: browsers say u=0 by themselves', async () => {
      const { seen } = await sendClaims(engine(), { trustContext: true, trustedProxies: ['127.0.0.1'] });
      assert.match(fieldsOf(seen, 'baggage').join(), /evil/, 'the rest of it goes on');
      assert.deepEqual(fieldsOf(seen, 'priority'), []);
    });

    it('is what the document says of the route: urgency and baggage, whatever a stranger claims', async () => {
      const filters = [{ context: { urgency: 1, baggage: { 'flotilla.lane': 'next', note: 'a b' } } }];
      const { seen } = await sendClaims(engine(), {}, filters);
      assert.deepEqual(fieldsOf(seen, 'priority'), ['u=1']);
      assert.match(fieldsOf(seen, 'baggage').join(), /^flotilla\.passed=[0-9a-z]+,flotilla\.lane=next,note=a%20b$/);
      assert.match(fieldsOf(seen, 'traceparent').join(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      assert.deepEqual(fieldsOf(seen, 'idempotency-key'), ['order-7']);
    });

    it('that a route makes less urgent keeps its baggage', async () => {
      const { seen } = await sendClaims(engine(), {}, [{ context: { urgency: 6 } }]);
      assert.deepEqual(fieldsOf(seen, 'priority'), ['u=6']);
      assert.match(fieldsOf(seen, 'baggage').join(), /^flotilla\.passed=[0-9a-z]+$/);
    });

    it('reaches the upstream as one trace with the access log', async () => {
      const world = new World(engine());
      const { url } = await world.serve(echo);
      await world.open({ id: 'a', path: '/**', to: url });
      const seen = seenIn(await world.ask('GET', '/'));
      await world.close();
      const [line] = world.lines.filter(({ message }) => message === 'request');
      assert.equal(fieldsOf(seen, 'traceparent').join().split('-')[1], line?.fields['traceId']);
    });
  });
}

async function sendClaims(
  engine: EngineUnderTest,
  document: object,
  filters: readonly object[] = [],
): Promise<{ seen: Seen; trace: ReturnType<typeof newTrace> }> {
  const world = new World(engine);
  const { url } = await world.serve(echo);
  await world.openDocument({ ...document, routes: [{ id: 'a', path: '/**', to: url, filters }] });
  // The client's own call writes what a caller inside would; the claims that a call cannot carry stand beside it.
  const trace = newTrace(engine.random);
  const call = {
    trace,
    baggage: new Map([['flotilla.tenant', 'evil']]),
    urgency: 0,
    attempt: 7,
    deadline: engine.clock.now() + 60_000,
  };
  const got = await world.ask('GET', '/', { headers: claimed, call });
  assert.equal(got.status, 200, got.text);
  await world.close();
  return { seen: seenIn(got), trace };
}
