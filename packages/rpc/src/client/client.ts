import {
  asOneInstant,
  begin,
  type Call,
  currentCall,
  type Endpoint,
  FlotillaError,
  toFlotillaError,
} from '@flotilla/core';
import { type AnyContract, type Operation, operationKinds } from '../contract/index.ts';
import type { Reply, ReplyStream } from '../reply.ts';
import { childCall } from './child-call.ts';
import { releaseInput } from './http/byte-body.ts';
import { assertSayable } from './http/request.ts';
import {
  type CalledOperation,
  calledOperations,
  type OperationRequest,
  type OperationResponse,
  sendsMany,
} from './operation-request.ts';
import type { CallTerms, ClientOptions } from './options.ts';
import { SentElements } from './sent-elements.ts';

/** The operations of a contract as functions. */
export type Client<C extends AnyContract> = {
  readonly [Name in keyof C['operations']]: ClientMethod<C['operations'][Name]>;
};

/** One operation as a function; `call` is the call to work for, by default the one that the running code works for. */
export type ClientMethod<Op> =
  Op extends Operation<infer Kind, infer In, unknown, infer Out, infer Errors>
    ? (
        input: Kind extends 'upload' | 'duplex' ? AsyncIterable<In> | Iterable<In> : In,
        call?: Call,
        terms?: CallTerms,
      ) => Kind extends 'stream' | 'duplex' ? ReplyStream<Out, Errors> : Reply<Out, Errors>
    : never;

/**
 * A typed client of a contract over an endpoint: a connection, or a balanced cluster behind filters.
 *
 * ```ts
 * const client = createClient(catalog, httpCalls(endpoint, { authority: 'catalog', random }), { clock, random });
 * const product = await client.product({ id: '7' });
 * ```
 *
 * Each call is a child of the one that it works for, with its deadline and trace; without one it begins a trace. It
 * carries {@link operationAttribute} and core's `idempotentAttribute` for filters to read. The input is sent as it is: the
 * callee validates. The answer is trusted to be what the contract says.
 *
 * Replies reject with a FlotillaError: an error of the contract, with its data; one of the platform's table;
 * INVALID_INPUT for an input that cannot be sent; BAD_RESPONSE for an answer that is not understood. A stream of bytes
 * that is the answer holds a connection until it is read or cancelled.
 */
export function createClient<C extends AnyContract>(
  contract: C,
  endpoint: Endpoint<OperationRequest, OperationResponse>,
  options: ClientOptions,
): Client<C> {
  const methods = Array.from(calledOperations(contract), ([name, operation]) => {
    const caller: Caller = { operation, endpoint, options };
    if (operationKinds[operation.info.kind].response === 'many') return [name, streamMethod(caller)];
    return [name, operation.info.streamed ? downloadMethod(caller) : replyMethod(caller)];
  });
  return Object.freeze(Object.fromEntries(methods)) as Client<C>;
}

/** All that calling one operation takes. */
interface Caller {
  readonly operation: CalledOperation;
  readonly endpoint: Endpoint<OperationRequest, OperationResponse>;
  readonly options: ClientOptions;
}

type Method<Result> = (input: unknown, call?: Call, terms?: CallTerms) => Result;

function replyMethod({ operation, endpoint, options }: Caller): Method<Promise<unknown>> {
  const releases = operation.mapping.body !== undefined;
  const handle = (request: OperationRequest, call: Call): Promise<OperationResponse> =>
    begin(endpoint.handle, request, call);
  return (input, given, terms) => {
    let request: OperationRequest;
    let call: Call;
    try {
      request = requestFor(operation, input, given, options);
      call = childCall(operation, options, given, terms, terms?.timeoutMs ?? options.timeoutMs, true);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    const answer = asOneInstant(call.clock, call.startedAt, handle, request, call);
    if (!releases && answer === call.told?.promise) return answer;
    return answer.then(
      (output) => {
        if (releases) release(request);
        call.end();
        return output;
      },
      (thrown) => {
        const outcome = toFlotillaError(thrown);
        if (releases) release(request);
        call.end(outcome);
        throw outcome;
      },
    );
  };
}

/** The call goes on until the bytes are read; only a failure ends it here. */
function downloadMethod(caller: Caller): Method<Promise<unknown>> {
  const { operation, options } = caller;
  return async (input, given, terms) => {
    const request = requestFor(operation, input, given, options);
    const call = childCall(operation, options, given, terms, undefined);
    try {
      return await begunWithin(caller, request, call, terms?.timeoutMs ?? options.timeoutMs);
    } catch (thrown) {
      const outcome = toFlotillaError(thrown);
      release(request);
      call.cancel(outcome);
      call.end(outcome);
      throw outcome;
    }
  };
}

function streamMethod(caller: Caller): Method<AsyncIterable<unknown>> {
  return (input, given, terms) => {
    const { operation, options } = caller;
    // A mistake in the input shows where it was made, not at the first element.
    if (sendsMany(operation)) requestFor(operation, input, given, options);
    else assertSayable(operation, input);
    return { [Symbol.asyncIterator]: () => elements(caller, input, given, terms) };
  };
}

async function* elements(
  caller: Caller,
  input: unknown,
  given: Call | undefined,
  terms: CallTerms | undefined,
): AsyncGenerator<unknown, undefined> {
  const { operation, options } = caller;
  const request = requestFor(operation, input, given, options);
  const call = childCall(operation, options, given, terms, undefined);
  let outcome: FlotillaError | undefined = new FlotillaError(
    'CANCELLED',
    `the reader left ${operation.name} before its end`,
  );
  try {
    const answer = await begunWithin(caller, request, call, terms?.timeoutMs ?? options.timeoutMs);
    yield* answer as AsyncIterable<unknown>;
    outcome = undefined;
  } catch (thrown) {
    outcome = toFlotillaError(thrown);
    throw outcome;
  } finally {
    release(request);
    if (outcome) call.cancel(outcome);
    call.end(outcome);
  }
}

/** A stream may last as long as its caller wants it; only its beginning has a time-out. */
async function begunWithin(
  { operation, endpoint }: Caller,
  request: OperationRequest,
  call: Call,
  timeoutMs: number | undefined,
): Promise<OperationResponse> {
  if (timeoutMs === undefined) return endpoint.handle(request, call);
  const timer = call.clock.setTimer(timeoutMs, () =>
    call.cancel(
      new FlotillaError('DEADLINE_EXCEEDED', `${operation.name} did not begin its answer within ${timeoutMs} ms`),
    ),
  );
  try {
    return await endpoint.handle(request, call);
  } finally {
    timer.cancel();
  }
}

function requestFor(
  operation: CalledOperation,
  input: unknown,
  given: Call | undefined,
  options: ClientOptions,
): OperationRequest {
  if (!sendsMany(operation)) return { operation, input };
  return { operation, input: new SentElements(operation.name, input, given ?? (options.call ?? currentCall)()) };
}

/** A call is over: streams of its input that nobody has read to their ends are closed, as those are that were read. */
function release({ operation, input }: OperationRequest): void {
  if (input instanceof SentElements) input.release();
  else releaseInput(operation.mapping, input);
}
