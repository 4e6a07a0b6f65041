import {
  type Attribute,
  attribute,
  type Call,
  type Outcome,
  type Span,
  type SpanKind,
  type Tracer,
} from '@flotilla/core';
import { peerSpanAttribute } from '@flotilla/http';
import type { Span as OtelSpan, SpanContext } from '@opentelemetry/api';
import { semanticNames } from './semantic-names.ts';
import type { SpanIds } from './span-ids.ts';

/** The OpenTelemetry API: `import * as api from '@opentelemetry/api'`. */
export type OtelApi = typeof import('@opentelemetry/api');

export interface OtelTracerOptions {
  /** The id generator that the SDK was given. Without one, spans of several processes share a trace but not a tree. */
  readonly ids?: SpanIds;
}

/**
 * Spans over the OpenTelemetry API. With no SDK registered it costs next to nothing and reports nothing.
 *
 * The trace id is always the call's. The parent is the nearest span of this process around the call, else the span of
 * the peer that sent it, else none. Without {@link OtelTracerOptions.ids} the SDK makes the span ids; the first span of
 * a trace then needs a stand-in for its parent, the call's own span id, or the SDK would begin another trace.
 */
export function otelTracer(api: OtelApi, { ids }: OtelTracerOptions = {}): Tracer {
  const tracer = api.trace.getTracer('@flotilla/telemetry');
  const kinds = { server: api.SpanKind.SERVER, client: api.SpanKind.CLIENT, internal: api.SpanKind.INTERNAL };
  return {
    start(name: string, kind: SpanKind, call: Call): Span {
      const parent = parentOf(call) ?? (ids && call.trace.sampled ? undefined : standIn(api, call, call.trace.spanId));
      const context = parent ? api.trace.setSpanContext(api.ROOT_CONTEXT, parent) : api.ROOT_CONTEXT;
      // A second span of the same call cannot have the call's id as well.
      const own = call.get(spanAttribute)?.call === call ? undefined : ids;
      const begin = (): OtelSpan => tracer.startSpan(name, { kind: kinds[kind] }, context);
      const span = own ? own.using(call.trace, begin) : begin();
      if (api.isSpanContextValid(span.spanContext())) call.set(spanAttribute, { call, context: span.spanContext() });
      return new CallSpan(api, span, kind);
    },
  };

  function parentOf(call: Call): SpanContext | undefined {
    const around = call.get(spanAttribute);
    if (around) return around.context;
    const peer = call.get(peerSpanAttribute);
    return peer === undefined ? undefined : standIn(api, call, peer);
  }
}

/** The span that was started last for a call. */
const spanAttribute: Attribute<{ readonly call: Call; readonly context: SpanContext }> = attribute('otelSpan');

function standIn(api: OtelApi, { trace }: Call, spanId: string): SpanContext {
  const traceFlags = trace.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE;
  const traceState = trace.state === '' ? undefined : api.createTraceState(trace.state);
  return { traceId: trace.traceId, spanId, traceFlags, isRemote: true, ...(traceState && { traceState }) };
}

class CallSpan implements Span {
  readonly #api: OtelApi;
  readonly #span: OtelSpan;
  readonly #kind: SpanKind;

  constructor(api: OtelApi, span: OtelSpan, kind: SpanKind) {
    this.#api = api;
    this.#span = span;
    this.#kind = kind;
  }

  setAttribute(name: string, value: string | number | boolean): void {
    this.#span.setAttribute(name, value);
  }

  /** A refusal that the caller brought about (status below 500) is no error of a server; to a client every failure is. */
  end(outcome: Outcome): void {
    if (outcome) {
      this.#span.setAttribute(semanticNames.errorType, outcome.code);
      if (this.#kind !== 'server' || outcome.httpStatus >= 500) {
        this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: outcome.code });
      }
    }
    this.#span.end();
  }
}
