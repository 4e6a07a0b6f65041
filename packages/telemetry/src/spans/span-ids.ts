import { newTrace, type Random, type TraceContext } from '@flotilla/core';

/**
 * Makes the ids of an OpenTelemetry SDK: `new NodeTracerProvider({ idGenerator: spanIds(random) })`. A span that stands
 * for a call then has the ids that the call sends over the wire, so that a trace hangs together across processes.
 * Spans of others get random ids.
 */
export interface SpanIds {
  generateTraceId(): string;
  generateSpanId(): string;
  /** Runs `start`, within which the next span gets the ids of `trace`. */
  using<T>(trace: TraceContext, start: () => T): T;
}

/** See {@link SpanIds}. Give the same value to the SDK and to `otelTracer`. */
export function spanIds(random: Random): SpanIds {
  let traceId: string | undefined;
  let spanId: string | undefined;
  return {
    generateTraceId: () => traceId ?? newTrace(random).traceId,
    generateSpanId() {
      const id = spanId ?? newTrace(random).spanId;
      spanId = undefined; // one span only: a span processor may start others while this one starts
      return id;
    },
    using(trace, start) {
      ({ traceId, spanId } = trace);
      try {
        return start();
      } finally {
        traceId = undefined;
        spanId = undefined;
      }
    },
  };
}
