import {
  type Call,
  type Endpoint,
  FlotillaError,
  fromProblem,
  runInCall,
  toFlotillaError,
  toProblem,
} from '@flotilla/core';
import { incomingCall, parseJsonText } from '@flotilla/http';
import { declaredOrBad } from '../../client/http/read-output.ts';
import type { CalledOperation, OperationRequest, OperationResponse } from '../../client/operation-request.ts';
import { formatContext, formatContract, parseContext } from '../../context/context-entry.ts';
import { contractHash, operationKinds } from '../../contract/index.ts';
import { answeredErrorAttribute } from '../../server/served-operation.ts';
import type { CallServer } from './call-server.ts';
import { type Caller, callerAttribute } from './caller.ts';
import { hasBytes } from './has-bytes.ts';
import { noBytes } from './with-bytes.ts';

/** How a service in the same process is called. */
export interface DirectCallsOptions {
  /**
   * Whether inputs, outputs and data of errors are copied as JSON: then nobody can rely on sharing an object with the other
   * side, and what JSON cannot hold fails as it does between processes. Default true.
   */
  readonly copies?: boolean;
  /** Takes the operations with bytes, as requests of HTTP. Default: they are refused. */
  readonly bytes?: Endpoint<OperationRequest, OperationResponse>;
}

/** Calls in hand, as far as they came this way, and their end. */
export interface DirectCalls extends Endpoint<OperationRequest, OperationResponse> {
  /** The same calls, by one who can be called back. Closing that changes nothing here. */
  by(caller: Caller | undefined): Endpoint<OperationRequest, OperationResponse>;
  /** Cancels what is in hand, with a reason. */
  breakOff(why: string): void;
  /** Resolves when nothing is in hand. */
  idle(): Promise<void>;
}

/**
 * Calls operations of this process without any wire. The handler gets a call of its own with what would travel (deadline,
 * trace, baggage, priority, attempt, key), hears of a cancel, and goes on with a stream no faster than it is read. Errors are
 * what a caller far away would get: without causes, with the code that the contract declares.
 */
export function directCalls(server: CallServer, { copies = true, bytes = noBytes }: DirectCallsOptions): DirectCalls {
  const inHand = new Set<Visit>();
  let waiting: (() => void)[] = [];
  let closed = false;
  const leave = (visit: Visit): void => {
    inHand.delete(visit);
    if (inHand.size === 0) for (const resolve of waiting.splice(0)) resolve();
  };
  const handle = (request: OperationRequest, call: Call, caller?: Caller): Promise<OperationResponse> => {
    if (hasBytes(request.operation)) return bytes.handle(request, call);
    const visit = new Visit(server, request, call, { copies, caller, leave });
    if (closed)
      return visit.refuse(new FlotillaError('UNAVAILABLE', `${request.operation.name} takes no calls any more`));
    inHand.add(visit);
    const answered = visit.begin();
    const { kind } = request.operation.info;
    if (operationKinds[kind].response !== 'none' || request.operation.spec.acknowledged) return answered;
    answered.catch(() => {}); // nobody hears of it in any place
    return Promise.resolve(undefined);
  };
  const calls: DirectCalls = {
    handle: (request, call) => handle(request, call),
    by: (caller) => ({
      handle: caller ? (request, call) => handle(request, call, caller) : calls.handle,
      get status() {
        return calls.status;
      },
      get load() {
        return calls.load;
      },
      close: async () => {},
    }),
    get status() {
      return closed ? ('closed' as const) : ('open' as const);
    },
    get load() {
      return inHand.size + bytes.load;
    },
    breakOff(why) {
      for (const visit of [...inHand]) visit.breakOff(new FlotillaError('CONNECTION_LOST', why));
    },
    idle: () => (inHand.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
    async close() {
      closed = true;
      await Promise.all([bytes.close(), calls.idle()]);
      waiting = [];
    },
  };
  return calls;
}

/** What a visit is told besides the call. */
interface VisitTerms {
  readonly copies: boolean;
  readonly caller: Caller | undefined;
  readonly leave: (visit: Visit) => void;
}

/** One call: the caller's side and the handler's. */
class Visit {
  readonly #server: CallServer;
  readonly #operation: CalledOperation;
  readonly #input: unknown;
  readonly #call: Call;
  readonly #copies: boolean;
  readonly #caller: Caller | undefined;
  readonly #leave: (visit: Visit) => void;
  #inner: Call | undefined;
  #unlisten: (() => void) | undefined;
  #broken: ((error: FlotillaError) => void) | undefined;
  #over = false;
  #outcome: FlotillaError | undefined;

  constructor(
    server: CallServer,
    { operation, input }: OperationRequest,
    call: Call,
    { copies, caller, leave }: VisitTerms,
  ) {
    this.#server = server;
    this.#operation = operation;
    this.#input = input;
    this.#call = call;
    this.#copies = copies;
    this.#caller = caller;
    this.#leave = leave;
  }

  begin(): Promise<OperationResponse> {
    const { clock, random } = this.#server.options;
    const { name, contract, info } = this.#operation;
    try {
      this.#call.throwIfCancelled();
      const said = formatContract(contract.version, contractHash(contract));
      const context = parseContext(formatContext(this.#call, said));
      const { served, entry } = this.#server.table.find(name, context);
      const inner = incomingCall(context, { clock, random });
      this.#inner = inner;
      if (this.#caller) inner.set(callerAttribute, this.#caller);
      const value = operationKinds[info.kind].request === 'many' ? this.#elements() : this.#copied(this.#input);
      const request = { served, value, context, unreadable: undefined, waited: true };
      const answered = runInCall(inner, () => Promise.try(entry, request, inner));
      return this.#untilLeft(answered.then((result) => this.#answer(result, served.headWaitMs)));
    } catch (thrown) {
      return this.refuse(thrown);
    }
  }

  refuse(thrown: unknown): Promise<never> {
    const error = toFlotillaError(thrown);
    this.#end(error);
    return Promise.reject(error);
  }

  breakOff(error: FlotillaError): void {
    this.#inner?.cancel(new FlotillaError('CANCELLED', error.detail));
    this.#broken?.(error);
    this.#end(error);
  }

  /** The caller may leave while the handler works on. */
  #untilLeft(answered: Promise<OperationResponse>): Promise<OperationResponse> {
    return new Promise((resolve, reject) => {
      this.#broken = reject;
      this.#unlisten = this.#call.onCancel((reason) => {
        this.#inner?.cancel(reason);
        reject(reason);
        this.#end(reason);
      });
      answered.then(resolve, (thrown) => {
        const error = toFlotillaError(thrown);
        reject(error);
        this.#end(error);
      });
    });
  }

  async #answer(result: unknown, headWaitMs: number): Promise<OperationResponse> {
    if (result instanceof FlotillaError) throw this.#told(result);
    if (operationKinds[this.#operation.info.kind].response === 'many') {
      return this.#stream(result as AsyncIterator<unknown>, headWaitMs);
    }
    const value = this.#operation.spec.out ? this.#copied(result, 'INTERNAL') : undefined;
    this.#end(undefined);
    return value;
  }

  /** Begun with its first element, or when that takes long: one that fails before has not begun, and may be repeated. */
  async #stream(elements: AsyncIterator<unknown>, headWaitMs: number): Promise<AsyncIterable<unknown>> {
    const first = this.#next(elements);
    const late = Promise.withResolvers<undefined>();
    const timer = this.#call.clock.setTimer(headWaitMs, () => late.resolve(undefined));
    try {
      await Promise.race([first, late.promise]);
    } finally {
      timer.cancel();
    }
    first.catch(() => {}); // whoever reads hears of it
    let begun: Promise<IteratorResult<unknown>> | undefined = first;
    const next = (): Promise<IteratorResult<unknown>> => {
      const result = begun ?? this.#next(elements);
      begun = undefined;
      return result;
    };
    const left = (): void => {
      const reason = new FlotillaError('CANCELLED', `the reader left ${this.#operation.name} before its end`);
      if (!this.#over) this.#inner?.cancel(reason);
      Promise.try(() => elements.return?.()).catch(() => undefined);
      this.#end(reason);
    };
    return {
      [Symbol.asyncIterator]: () => ({
        next,
        async return() {
          left();
          return { done: true, value: undefined };
        },
      }),
    };
  }

  async #next(elements: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
    if (this.#outcome) throw this.#outcome;
    if (this.#over) return { done: true, value: undefined };
    try {
      const result = await this.#orBroken(elements.next());
      if (!result.done) return { done: false, value: this.#copied(result.value, 'INTERNAL') };
      this.#end(undefined);
      return { done: true, value: undefined };
    } catch (thrown) {
      const error = this.#call.cancelled ?? this.#told(toFlotillaError(thrown));
      this.#end(error);
      throw error;
    }
  }

  #orBroken<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#broken = reject;
      work.then(resolve, reject);
    });
  }

  /** What the caller sends, as the handler asks for it. What the caller's own generator throws is the outcome here and there. */
  async *#elements(): AsyncGenerator<unknown, undefined> {
    try {
      for await (const element of this.#input as AsyncIterable<unknown>) yield this.#copied(element);
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      this.#call.cancel(error);
      throw error;
    }
  }

  /** @throws FlotillaError of that code for what is no JSON */
  #copied(value: unknown, code: 'INVALID_INPUT' | 'INTERNAL' = 'INVALID_INPUT'): unknown {
    if (!this.#copies || value === undefined) return value;
    try {
      return parseJsonText(JSON.stringify(value));
    } catch (cause) {
      const what = code === 'INTERNAL' ? 'output' : 'input';
      throw new FlotillaError(code, `the ${what} of ${this.#operation.name} cannot be copied: it is no JSON`, {
        cause,
      });
    }
  }

  /** The error as it would come from far away. */
  #told(error: FlotillaError): FlotillaError {
    const problem = toProblem(error, this.#call.trace.traceId);
    const { name, spec } = this.#operation;
    const received = fromProblem(this.#copied(problem, 'INTERNAL'), error.httpStatus);
    return received ? declaredOrBad({ name, operation: spec }, received) : error;
  }

  #end(error: FlotillaError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#outcome = error;
    this.#unlisten?.();
    this.#leave(this);
    // The callee's side ends with what it answered, the caller's with what came of that.
    this.#inner?.end(error && (this.#inner.get(answeredErrorAttribute) ?? error));
    this.#call.end(error);
  }
}
