import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Call, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, peerSpanAttribute } from '@flotilla/http';
import * as api from '@opentelemetry/api';
import { otelTracer } from './otel-tracer.ts';
import { httpRequestAttributes, rpcAttributes } from './semantic-names.ts';
import { spanIds } from './span-ids.ts';

interface Seen {
  readonly name: string;
  readonly kind: api.SpanKind | undefined;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: api.SpanContext | undefined;
  readonly attributes: Record<string, unknown>;
  status?: api.SpanStatus;
  ended: boolean;
}

/** As much of an SDK as tells what a tracer is given: it makes ids as the specification says. */
function provider(ids: { generateTraceId(): string; generateSpanId(): string }, seen: Seen[]): api.TracerProvider {
  const startSpan = (name: string, options: api.SpanOptions = {}, context = api.ROOT_CONTEXT): api.Span => {
    const parent = api.trace.getSpanContext(context);
    const spanId = ids.generateSpanId();
    const traceId = parent?.traceId ?? ids.generateTraceId();
    const entry: Seen = { name, kind: options.kind, traceId, spanId, parent, attributes: {}, ended: false };
    seen.push(entry);
    const span: Partial<api.Span> = {
      spanContext: () => ({ traceId, spanId, traceFlags: parent?.traceFlags ?? api.TraceFlags.SAMPLED }),
      setAttribute(key, value) {
        entry.attributes[key] = value;
        return span as api.Span;
      },
      setStatus(status) {
        entry.status = status;
        return span as api.Span;
      },
      end() {
        entry.ended = true;
      },
    };
    return span as api.Span;
  };
  return { getTracer: () => ({ startSpan }) as unknown as api.Tracer };
}

const clock = new ManualClock();

function newCall(seed: number): Call {
  return new Call({ clock, random: seededRandom(seed) });
}

describe('otelTracer', () => {
  afterEach(() => api.trace.disable());

  it('works with no SDK registered', () => {
    const span = otelTracer(api).start('GET /x', 'server', newCall(1));
    span.setAttribute('a', 1);
    span.end(undefined);
  });

  it('gives spans the ids of their calls, so that the tree is the one on the wire', () => {
    const seen: Seen[] = [];
    const ids = spanIds(seededRandom(9));
    api.trace.setGlobalTracerProvider(provider(ids, seen));
    const tracer = otelTracer(api, { ids });
    const call = newCall(1);
    call.set(peerSpanAttribute, '00000000000000aa');
    const child = call.child();
    const server = tracer.start('serve', 'server', call);
    const client = tracer.start('ask', 'client', child);
    const inner = tracer.start('inner', 'internal', call);
    for (const span of [inner, client, server]) span.end(undefined);
    assert.deepEqual(
      seen.map(({ name, kind, traceId, parent }) => [name, kind, traceId, parent?.spanId]),
      [
        ['serve', api.SpanKind.SERVER, call.trace.traceId, '00000000000000aa'],
        ['ask', api.SpanKind.CLIENT, call.trace.traceId, call.trace.spanId],
        ['inner', api.SpanKind.INTERNAL, call.trace.traceId, call.trace.spanId],
      ],
    );
    assert.deepEqual([seen[0]?.spanId, seen[1]?.spanId], [call.trace.spanId, child.trace.spanId]);
    assert.notEqual(seen[2]?.spanId, call.trace.spanId);
    assert(seen.every(({ ended }) => ended));
  });

  it('begins a trace with the call’s own id', () => {
    const seen: Seen[] = [];
    const ids = spanIds(seededRandom(9));
    api.trace.setGlobalTracerProvider(provider(ids, seen));
    const call = newCall(1);
    otelTracer(api, { ids }).start('root', 'client', call);
    assert.equal(seen[0]?.parent, undefined);
    assert.equal(seen[0]?.traceId, call.trace.traceId);
    assert.equal(seen[0]?.spanId, call.trace.spanId);
  });

  it('keeps the trace id and the sampling decision with an SDK that makes ids of its own', () => {
    const seen: Seen[] = [];
    api.trace.setGlobalTracerProvider(provider(spanIds(seededRandom(9)), seen));
    const random = seededRandom(1);
    const trace = { ...newCall(2).trace, sampled: false, state: 'vendor=1' };
    const call = new Call({ clock, random, trace });
    const tracer = otelTracer(api);
    tracer.start('root', 'server', call);
    tracer.start('child', 'client', call.child());
    const [root, child] = seen;
    assert.equal(root?.traceId, trace.traceId);
    assert.equal(root?.parent?.isRemote, true);
    assert.equal(root?.parent?.traceFlags, api.TraceFlags.NONE);
    assert.equal(root?.parent?.traceState?.get('vendor'), '1');
    assert.equal(child?.parent?.spanId, root?.spanId);
  });

  const outcomes: [claim: string, kind: 'server' | 'client', error: FlotillaError | undefined, status: unknown][] = [
    ['success is no status', 'server', undefined, undefined],
    ['a refusal is no error of a server', 'server', new FlotillaError('INVALID_INPUT', 'x'), undefined],
    ['a refusal is an error to a client', 'client', new FlotillaError('INVALID_INPUT', 'x'), 'INVALID_INPUT'],
    ['a failure is an error of a server', 'server', new FlotillaError('INTERNAL', 'secret detail'), 'INTERNAL'],
  ];
  for (const [claim, kind, error, message] of outcomes) {
    it(claim, () => {
      const seen: Seen[] = [];
      api.trace.setGlobalTracerProvider(provider(spanIds(seededRandom(9)), seen));
      otelTracer(api).start('x', kind, newCall(1)).end(error);
      assert.deepEqual(
        seen[0]?.status,
        message === undefined ? undefined : { code: api.SpanStatusCode.ERROR, message },
      );
      assert.equal(seen[0]?.attributes['error.type'], error?.code);
    });
  }
});

describe('semantic names', () => {
  it('describe an HTTP request without its query', () => {
    const request = {
      method: 'BREW',
      authority: '[::1]:8080',
      path: { text: '/a', segments: ['a'] },
      query: 'token=x',
      headers: new HttpHeaders(),
      body: undefined,
    };
    assert.deepEqual(httpRequestAttributes(request), {
      'http.request.method': '_OTHER',
      'url.path': '/a',
      'server.address': '[::1]',
      'server.port': 8080,
    });
    for (const authority of ['[::1]', 'shop', 'shop:', 'shop:123456', ':x']) {
      const attributes = httpRequestAttributes({ ...request, authority });
      assert.deepEqual([attributes['server.address'], attributes['server.port']], [authority, undefined]);
    }
  });

  it('describe a call of an operation', () => {
    assert.deepEqual(rpcAttributes('catalog', 'product'), {
      'rpc.system': 'flotilla',
      'rpc.service': 'catalog',
      'rpc.method': 'product',
    });
  });
});
