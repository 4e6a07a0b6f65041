import {
  begin,
  type Call,
  type Counter,
  type EndWatcher,
  type Filter,
  type FlotillaError,
  type Gauge,
  type Histogram,
  type Labels,
  type Logger,
  type Meter,
  type Outcome,
  type Span,
  type Tracer,
  toFlotillaError,
} from '@flotilla/core';
import { type TelemetryLog, telemetryLog } from './log.ts';
import type { SpanAttributes } from './spans/semantic-names.ts';

/** What one place of a chain reports. */
export interface ObserveOptions<Req, Res> {
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly logger: Logger;
  /** Which side of the call this is; it names the metrics. */
  readonly kind: 'client' | 'server';
  /** The operation or route, out of a bounded set: it becomes a label and the span's name. */
  readonly name: (request: Req, call: Call) => string;
  /** More labels, with the same names wherever this `kind` is observed in the process: `{ service: 'catalog' }`. */
  readonly labels?: Labels;
  /** The code of an answer that is no exception: by default `OK`. Out of a bounded set. */
  readonly code?: (response: Res) => string;
  /**
   * The failure that an answer tells of, though nothing was thrown: a problem document. Asked when the call ends, because
   * a stream may break after its head. Default: none.
   */
  readonly failure?: (response: Res, call: Call) => FlotillaError | undefined;
  readonly requestAttributes?: (request: Req) => SpanAttributes;
  readonly responseAttributes?: (response: Res) => SpanAttributes;
}

/**
 * One span, one duration, one count and one place in flight per call, from here until the call ends: until the last
 * byte of its answer, streams included. Metrics `flotilla_<kind>_duration_seconds`, `…_calls_total` (with `code`) and
 * `…_in_flight`, each with `operation` and the labels given.
 *
 * A client call that is refused on the way out ends here at once. On a server a failure ends with the call, when the
 * answer that tells of it has gone out; a failure that nobody declared (INTERNAL) is logged here with its cause.
 */
export function observe<Req, Res>(options: ObserveOptions<Req, Res>): Filter<Req, Res> {
  const { kind, name, code = ok, failure, requestAttributes, responseAttributes } = options;
  const observer = new CallObserver(options);
  const endTellsAll = kind === 'client' && !options.code && !failure && !responseAttributes;
  return (next) => (request, call) => {
    const operation = name(request, call);
    const observation = observer.begin(operation, call);
    if (requestAttributes) setAll(observation.span, requestAttributes(request));
    const answer = begin(next, request, call);
    if (endTellsAll && answer === call.told?.promise) {
      call.tells(observation);
      return answer;
    }
    return answer.then(
      (response) => {
        const answerCode = code(response);
        if (responseAttributes) setAll(observation.span, responseAttributes(response));
        call.onEnd((outcome) => observation.end(failure?.(response, call) ?? outcome, answerCode));
        return response;
      },
      (thrown) => {
        const error = toFlotillaError(thrown);
        observer.failed(operation, error);
        if (kind === 'client') observation.end(error, error.code);
        else call.onEnd(() => observation.end(error, error.code));
        throw error;
      },
    );
  };
}

/**
 * What {@link observe} does, for whoever ends the calls itself and knows then what became of them: without a promise for each.
 *
 * ```ts
 * call.tells(observer.begin('catalog.product', call));
 * ```
 */
export class CallObserver {
  readonly #kind: 'client' | 'server';
  readonly #tracer: Tracer;
  readonly #operations: Operations;
  readonly #log: TelemetryLog;

  constructor({ meter, tracer, logger, kind, labels }: CallObserverOptions) {
    this.#kind = kind;
    this.#tracer = tracer;
    this.#operations = new Operations(meter, kind, labels ?? {});
    this.#log = telemetryLog(logger);
  }

  /** @param operation out of a bounded set. @returns whose `end` has to be called when the call has ended */
  begin(operation: string, call: Call): Observation {
    const span = this.#tracer.start(operation, this.#kind, call);
    return new Observation(this.#kind, operation, this.#operations.of(operation), span, this.#log, call);
  }

  /** Logs a failure of a server that nobody declared (INTERNAL), with its cause. */
  failed(operation: string, error: FlotillaError): void {
    if (this.#kind === 'server' && error.code === 'INTERNAL' && !error.fromPeer) {
      this.#log.handlerFailed(operation, error);
    }
  }
}

/** What a {@link CallObserver} reports to, and as what. */
export type CallObserverOptions = Pick<
  ObserveOptions<unknown, unknown>,
  'meter' | 'tracer' | 'logger' | 'kind' | 'labels'
>;

function ok(): string {
  return 'OK';
}

function setAll(
  span: { setAttribute(name: string, value: string | number | boolean): void },
  all: SpanAttributes,
): void {
  for (const [name, value] of Object.entries(all)) span.setAttribute(name, value);
}

/** One call on its way; its end counts once. */
export class Observation implements EndWatcher {
  readonly #kind: 'client' | 'server';
  readonly #name: string;
  readonly #operation: Operation;
  readonly span: Span;
  readonly #log: TelemetryLog;
  readonly #call: Call;
  nextWatcher: EndWatcher | undefined;
  #ended = false;

  constructor(
    kind: 'client' | 'server',
    name: string,
    operation: Operation,
    span: Span,
    log: TelemetryLog,
    call: Call,
  ) {
    this.#kind = kind;
    this.#name = name;
    this.#operation = operation;
    this.span = span;
    this.#log = log;
    this.#call = call;
    this.nextWatcher = undefined;
    operation.inFlight.set(++operation.count);
  }

  /** Of the call. */
  ended(outcome: Outcome): void {
    this.end(outcome);
  }

  /** @param answerCode the code, unless it failed */
  end(outcome: Outcome, answerCode = 'OK'): void {
    if (this.#ended) return;
    this.#ended = true;
    const code = outcome ? outcome.code : answerCode;
    const operation = this.#operation;
    const { ended, endedAt, startedAt, clock } = this.#call;
    const durationMs = (ended ? endedAt : clock.now()) - startedAt;
    operation.inFlight.set(--operation.count);
    operation.duration.record(durationMs / 1_000);
    countOf(operation, code).add();
    this.span.end(outcome);
    this.#log.callEnded(this.#kind, this.#name, code, durationMs);
  }
}

function countOf(operation: Operation, code: string): Counter {
  if (code !== 'OK') return operation.ended(code);
  operation.ok ??= operation.ended(code);
  return operation.ok;
}

/** The series of one operation, looked up once. */
interface Operation {
  count: number;
  readonly inFlight: Gauge;
  readonly duration: Histogram;
  /** Of those that ended well, which are nearly all; opened by the first of them. */
  ok: Counter | undefined;
  readonly ended: (code: string) => Counter;
}

/** More names than this are one operation: a name that was not out of a bounded set must not fill the memory. */
const maxOperations = 1_000;

class Operations {
  readonly #byName = new Map<string, Operation>();
  readonly #create: (operation: string) => Operation;

  constructor(meter: Meter, kind: 'client' | 'server', own: Labels) {
    const labels = ['operation', ...Object.keys(own)];
    const side = kind === 'client' ? 'made by this process' : 'served by this process';
    const calls = meter.counter({
      name: `flotilla_${kind}_calls_total`,
      help: `Calls ${side} that ended, by outcome.`,
      labels: [...labels, 'code'],
    });
    const duration = meter.histogram({
      name: `flotilla_${kind}_duration_seconds`,
      help: `Time from the start of a call ${side} to the last byte of its answer.`,
      labels,
    });
    const inFlight = meter.gauge({
      name: `flotilla_${kind}_in_flight`,
      help: `Calls ${side} that have not ended.`,
      labels,
    });
    this.#create = (operation) => {
      const set = { ...own, operation };
      return {
        count: 0,
        inFlight: inFlight.with(set),
        duration: duration.with(set),
        ok: undefined,
        ended: countersByCode((code) => calls.with({ ...set, code })),
      };
    };
  }

  of(name: string): Operation {
    const known = this.#byName.get(name);
    if (known) return known;
    if (this.#byName.size >= maxOperations) return this.#byName.get('other') ?? this.#add('other');
    return this.#add(name);
  }

  #add(name: string): Operation {
    const operation = this.#create(name);
    this.#byName.set(name, operation);
    return operation;
  }
}

/** Looks each code up once; a code beyond the first 100 is looked up each time, so that none can fill the memory. */
function countersByCode(find: (code: string) => Counter): (code: string) => Counter {
  const known = new Map<string, Counter>();
  return (code) => {
    const counter = known.get(code);
    if (counter) return counter;
    const found = find(code);
    if (known.size < 100) known.set(code, found);
    return found;
  };
}
