import { type Call, type Endpoint, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';
import type { AnyContract, HttpMapping, Operation } from '../contract/index.ts';
import { operationInfo } from '../operation-attribute.ts';
import type { Reply, ReplyStream } from '../reply.ts';
import { releaseInput } from './byte-body.ts';
import { childCall } from './child-call.ts';
import { type Caller, type CallTerms, type ClientOptions, clientDefaults } from './options.ts';
import { openDownload } from './read-bytes.ts';
import { readElements } from './read-elements.ts';
import { readError, readOutput } from './read-output.ts';
import { requestOf } from './request.ts';

/** The operations of a contract as functions. */
export type Client<C extends AnyContract> = {
  readonly [Name in keyof C['operations']]: ClientMethod<C['operations'][Name]>;
};

/** One operation as a function; `call` is the call to work for, by default the one that the running code works for. */
export type ClientMethod<Op> =
  Op extends Operation<infer Kind, infer In, unknown, infer Out, infer Errors>
    ? (
        input: In,
        call?: Call,
        terms?: CallTerms,
      ) => Kind extends 'stream' ? ReplyStream<Out, Errors> : Reply<Out, Errors>
    : never;

/**
 * A typed client of a contract over an endpoint: a connection, or a balanced cluster behind filters.
 *
 * ```ts
 * const client = createClient(catalog, endpoint, { authority: 'catalog', clock, random });
 * const product = await client.product({ id: '7' });
 * ```
 *
 * Each call is a child of the one that it works for, with its deadline and trace; without one it begins a trace. It
 * carries {@link operationAttribute} and core's `idempotentAttribute` for filters to read. The input is sent as it is: the
 * callee validates. The answer is trusted to be what the contract says.
 *
 * Replies reject with a FlotillaError: an error of the contract, with its data; one of the platform's table;
 * INVALID_INPUT for an input that HTTP cannot say; BAD_RESPONSE for an answer that is not understood. A stream of bytes
 * that is the answer holds a connection until it is read or cancelled.
 */
export function createClient<C extends AnyContract>(
  contract: C,
  endpoint: Endpoint<HttpRequest, HttpResponse>,
  options: ClientOptions,
): Client<C> {
  const methods = Object.entries(contract.operations).map(([name, operation]) => {
    const mapping = contract.http.get(name) as HttpMapping; // contract() made one for each
    const { kind } = operation;
    const info = operationInfo(contract, name, operation, mapping);
    const caller: Caller = { name: `${contract.name}.${name}`, info, operation, mapping, endpoint, options };
    if (kind === 'stream') return [name, streamMethod(caller)];
    return [name, mapping.answer?.kind === 'byteStream' ? downloadMethod(caller, mapping.answer) : replyMethod(caller)];
  });
  return Object.freeze(Object.fromEntries(methods)) as Client<C>;
}

type Method<Result> = (input: unknown, call?: Call, terms?: CallTerms) => Result;

function replyMethod(caller: Caller): Method<Promise<unknown>> {
  return async (input, given, terms = {}) => {
    const request = requestOf(caller, input);
    const call = childCall(caller, given, terms, terms.timeoutMs ?? caller.options.timeoutMs);
    let outcome: FlotillaError | undefined;
    try {
      const response = await caller.endpoint.handle(request, call);
      const reading = { ...caller, maxBytes: maxResponseBytes(caller) };
      if (!isSuccess(response)) throw await readError(reading, response, call);
      return await readOutput(reading, response, call);
    } catch (thrown) {
      outcome = toFlotillaError(thrown);
      throw outcome;
    } finally {
      releaseInput(caller.mapping, input);
      call.end(outcome);
    }
  };
}

/** The call goes on until the bytes are read; only a failure ends it here. */
function downloadMethod(caller: Caller, answer: NonNullable<HttpMapping['answer']>): Method<Promise<unknown>> {
  return async (input, given, terms = {}) => {
    const request = requestOf(caller, input);
    const call = childCall(caller, given, terms, undefined);
    try {
      const response = await headWithin(caller, request, call, terms.timeoutMs ?? caller.options.timeoutMs);
      if (!isSuccess(response))
        throw await readError({ ...caller, maxBytes: maxResponseBytes(caller) }, response, call);
      return openDownload(caller.name, answer, response, call);
    } catch (thrown) {
      const outcome = toFlotillaError(thrown);
      releaseInput(caller.mapping, input);
      call.cancel(outcome);
      call.end(outcome);
      throw outcome;
    }
  };
}

function streamMethod(caller: Caller): Method<AsyncIterable<unknown>> {
  return (input, given, terms = {}) => {
    // A mistake in the input shows where it was made, not at the first element.
    const request = requestOf(caller, input);
    return { [Symbol.asyncIterator]: () => elements(caller, request, given, terms) };
  };
}

async function* elements(
  caller: Caller,
  request: HttpRequest,
  given: Call | undefined,
  terms: CallTerms,
): AsyncGenerator<unknown, undefined> {
  const call = childCall(caller, given, terms, undefined);
  let outcome: FlotillaError | undefined = new FlotillaError(
    'CANCELLED',
    `the reader left ${caller.name} before its end`,
  );
  try {
    const response = await headWithin(caller, request, call, terms.timeoutMs ?? caller.options.timeoutMs);
    const reading = { ...caller, maxBytes: maxResponseBytes(caller) };
    if (!isSuccess(response)) throw await readError(reading, response, call);
    yield* readElements(reading, response);
    outcome = undefined;
  } catch (thrown) {
    outcome = toFlotillaError(thrown);
    throw outcome;
  } finally {
    if (outcome) call.cancel(outcome);
    call.end(outcome);
  }
}

/** A stream may last as long as its caller wants it; only its beginning has a time-out. */
async function headWithin(
  { name, endpoint }: Caller,
  request: HttpRequest,
  call: Call,
  timeoutMs: number | undefined,
): Promise<HttpResponse> {
  if (timeoutMs === undefined) return endpoint.handle(request, call);
  const timer = call.clock.setTimer(timeoutMs, () =>
    call.cancel(new FlotillaError('DEADLINE_EXCEEDED', `${name} did not begin its answer within ${timeoutMs} ms`)),
  );
  try {
    return await endpoint.handle(request, call);
  } finally {
    timer.cancel();
  }
}

function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status <= 299;
}

function maxResponseBytes({ options }: Caller): number {
  return options.maxResponseBytes ?? clientDefaults.maxResponseBytes;
}
