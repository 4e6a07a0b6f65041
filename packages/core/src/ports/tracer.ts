import type { Call, Outcome } from '../call.ts';

export type SpanKind = 'server' | 'client' | 'internal';

/** A span that is open. */
export interface Span {
  setAttribute(name: string, value: string | number | boolean): void;
  end(outcome: Outcome): void;
}

/** Port for traces. The ids come from the call: a tracer reports them, it does not make them. */
export interface Tracer {
  start(name: string, kind: SpanKind, call: Call): Span;
}

const nullSpan: Span = Object.freeze({ setAttribute() {}, end() {} });

/** Traces nothing; the ids travel all the same. */
export const nullTracer: Tracer = Object.freeze({ start: () => nullSpan });
