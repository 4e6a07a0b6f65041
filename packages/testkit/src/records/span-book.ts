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
import { Kept } from './kept.ts';
import { isOf } from './log-book.ts';

/** A span that a party made. */
export interface RecordedSpan {
  readonly party: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly spanId: string;
  /** Of the nearest span around it in its own process, else of the peer that called; undefined: the trace begins here. */
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly startedAt: number;
  /** Undefined while it is open. */
  readonly endedAt: number | undefined;
  /** Of its failure; undefined: it went well, or is open. */
  readonly error: string | undefined;
}

type OpenSpan = { -readonly [Key in keyof RecordedSpan]: RecordedSpan[Key] } & {
  attributes: Record<string, string | number | boolean>;
};

/** Which spans are wanted; what is left out matches all. */
export interface SpanQuery {
  readonly party?: string;
  readonly kind?: SpanKind;
  readonly name?: string | RegExp;
  readonly traceId?: string;
}

const spanAttribute: Attribute<string> = attribute('testkitSpan');

/** The spans of a fleet, in the order of their starts. The last 100,000 are kept. */
export class SpanBook {
  readonly #spans = new Kept<OpenSpan>();

  spans({ party, kind, name, traceId }: SpanQuery = {}): readonly RecordedSpan[] {
    return this.#spans
      .all()
      .filter(
        (span) =>
          (party === undefined || isOf(span.party, party)) &&
          (kind === undefined || span.kind === kind) &&
          (traceId === undefined || span.traceId === traceId) &&
          (name === undefined || (typeof name === 'string' ? span.name === name : name.test(span.name))),
      );
  }

  tracer(party: string, now: () => number): Tracer {
    return {
      start: (name: string, kind: SpanKind, call: Call): Span => {
        const { traceId, spanId } = call.trace;
        const around = call.parent?.get(spanAttribute) ?? call.get(peerSpanAttribute);
        const span: OpenSpan = {
          party,
          name,
          kind,
          traceId,
          spanId,
          parentSpanId: around,
          attributes: {},
          startedAt: now(),
          endedAt: undefined,
          error: undefined,
        };
        call.set(spanAttribute, spanId);
        this.#spans.add(span);
        return {
          setAttribute: (key, value) => {
            span.attributes[key] = value;
          },
          end(outcome: Outcome) {
            span.endedAt ??= now();
            span.error ??= outcome?.code;
          },
        };
      },
    };
  }
}
