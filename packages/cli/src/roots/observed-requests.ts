import {
  type Call,
  type Counter,
  type Meter,
  nullTracer,
  parseTraceparent,
  type Span,
  type Tracer,
  toFlotillaError,
} from '@flotilla/core';
import { type AnswerNow, answeringNow, type HttpHandler, type HttpRequest } from '@flotilla/http';
import { httpRequestAttributes, semanticNames } from '@flotilla/telemetry';

/** What requests are counted and traced with. */
interface ObservedBy {
  readonly meter: Meter;
  readonly tracer: Tracer;
}

/**
 * Counts each request of a registry by status and time, and makes a span of it. What is answered at once is counted in the same
 * way and has no span, since there is no call to hang it on; a request that belongs to a trace that is being recorded takes the
 * long way, so that nothing is missing in it.
 * @param answerNow the short way of `handler`
 */
export function observed(handler: HttpHandler, answerNow: AnswerNow, { meter, tracer }: ObservedBy): HttpHandler {
  const requests = requestCounter(meter);
  const seconds = meter
    .histogram({
      name: 'flotilla_registry_request_seconds',
      help: 'Seconds from the head of a request until its answer begins',
    })
    .with({});
  const traces = tracer !== nullTracer; // what a span costs is a good part of a short request
  const slow: HttpHandler = async (request, call) => {
    const startedAt = call.clock.now();
    const span = traces ? startSpan(tracer, request, call) : undefined;
    let status = 500;
    try {
      const response = await handler(request, call);
      status = response.status;
      return response;
    } catch (thrown) {
      status = toFlotillaError(thrown).httpStatus;
      throw thrown;
    } finally {
      span?.setAttribute(semanticNames.httpStatus, status);
      requests(status).add();
      seconds.record((call.clock.now() - startedAt) / 1_000);
    }
  };
  return answeringNow(slow, (request, context) => {
    if (traces && isRecorded(request)) return undefined;
    const startedAt = context.clock.now();
    const response = answerNow(request, context);
    if (!response) return undefined;
    requests(response.status).add();
    seconds.record((context.clock.now() - startedAt) / 1_000);
    return response;
  });
}

function startSpan(tracer: Tracer, request: HttpRequest, call: Call): Span {
  const span = tracer.start(request.method, 'server', call);
  const attributes = httpRequestAttributes(request);
  for (const name in attributes) span.setAttribute(name, attributes[name] as string);
  call.onEnd((outcome) => span.end(outcome));
  return span;
}

function isRecorded({ headers }: HttpRequest): boolean {
  const trace = headers.get('traceparent');
  return trace !== undefined && parseTraceparent(trace)?.sampled === true;
}

/** Looked up once for each status: most requests have the same one. */
function requestCounter(meter: Meter): (status: number) => Counter {
  const family = meter.counter({
    name: 'flotilla_registry_requests_total',
    help: 'Requests that were answered, by status',
    labels: ['status'],
  });
  const known = new Map<number, Counter>();
  return (status) => {
    const counter = known.get(status) ?? family.with({ status: String(status) });
    known.set(status, counter);
    return counter;
  };
}
