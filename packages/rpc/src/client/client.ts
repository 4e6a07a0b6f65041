import {
  Call,
  type Clock,
  currentCall,
  type Endpoint,
  FlotillaError,
  idempotentAttribute,
  type Random,
  toFlotillaError,
} from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type HttpResponse, parsePath } from '@flotilla/http';
import {
  type AnyContract,
  type AnyOperation,
  buildRequest,
  type HttpMapping,
  InputError,
  type Operation,
  type RequestParts,
} from '../contract/index.ts';
import { type OperationInfo, operationAttribute } from '../operation-attribute.ts';
import type { Reply, ReplyStream } from '../reply.ts';
import { readElements } from './read-elements.ts';
import { readError, readOutput } from './read-output.ts';

/** What one call may be told besides its input. */
export interface CallTerms {
  /** Milliseconds that this call may take; for a stream, until its head. Default: the client's. */
  readonly timeoutMs?: number;
  /** Lets the callee recognise a repeated command. Default: a new one for idempotent commands, none for others. */
  readonly idempotencyKey?: string;
}

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

/** What a client needs. */
export interface ClientOptions {
  /** Host and port that requests name: `catalog`, `127.0.0.1:8080`. */
  readonly authority: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds that a call may take if it does not say; for a stream, until its head. Default: until the caller's deadline. */
  readonly timeoutMs?: number;
  /** Of an answer, in bytes; of one element, for a stream. Default 10,485,760. */
  readonly maxResponseBytes?: number;
  /** Finds the call to work for when a method is given none. Default: `currentCall`, the one that the running code works for. */
  readonly call?: () => Call | undefined;
}

/** The default of each number of {@link ClientOptions}. */
export const clientDefaults: Readonly<Required<Pick<ClientOptions, 'maxResponseBytes'>>> = Object.freeze({
  maxResponseBytes: 10_485_760,
});

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
 * INVALID_INPUT for an input that HTTP cannot say; BAD_RESPONSE for an answer that is not understood.
 */
export function createClient<C extends AnyContract>(
  contract: C,
  endpoint: Endpoint<HttpRequest, HttpResponse>,
  options: ClientOptions,
): Client<C> {
  const methods = Object.entries(contract.operations).map(([name, operation]) => {
    const mapping = contract.http.get(name) as HttpMapping; // contract() made one for each
    const { kind, idempotent } = operation;
    const info: OperationInfo = Object.freeze({
      contract: contract.name,
      version: contract.version,
      operation: name,
      kind,
      idempotent,
    });
    const caller: Caller = { name: `${contract.name}.${name}`, info, operation, mapping, endpoint, options };
    return [name, kind === 'stream' ? streamMethod(caller) : replyMethod(caller)];
  });
  return Object.freeze(Object.fromEntries(methods)) as Client<C>;
}

/** All that calling one operation takes. */
interface Caller {
  /** `catalog.product` */
  readonly name: string;
  readonly info: OperationInfo;
  readonly operation: AnyOperation;
  readonly mapping: HttpMapping;
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
  readonly options: ClientOptions;
}

type Method<Result> = (input: unknown, call?: Call, terms?: CallTerms) => Result;

function replyMethod(caller: Caller): Method<Promise<unknown>> {
  return async (input, given, terms = {}) => {
    const request = requestOf(caller, input);
    const call = childCall(caller, given, terms, terms.timeoutMs ?? caller.options.timeoutMs);
    let outcome: FlotillaError | undefined;
    try {
      const response = await caller.endpoint.handle(request, call);
      const terms = { ...caller, maxBytes: maxResponseBytes(caller) };
      if (!isSuccess(response)) throw await readError(terms, response, call);
      return await readOutput(terms, response, call);
    } catch (thrown) {
      outcome = toFlotillaError(thrown);
      throw outcome;
    } finally {
      call.end(outcome);
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
    call.cancel(new FlotillaError('DEADLINE_EXCEEDED', `${name} did not begin its stream within ${timeoutMs} ms`)),
  );
  try {
    return await endpoint.handle(request, call);
  } finally {
    timer.cancel();
  }
}

function childCall(
  { info, options }: Caller,
  given: Call | undefined,
  terms: CallTerms,
  timeoutMs: number | undefined,
): Call {
  const parent = given ?? (options.call ?? currentCall)();
  const idempotencyKey = terms.idempotencyKey ?? keyFor(info, options.random);
  const key = idempotencyKey === undefined ? undefined : { idempotencyKey };
  const { clock, random } = options;
  const call = parent
    ? parent.child({ ...key, ...(timeoutMs === undefined ? undefined : { timeoutMs }) })
    : new Call({
        clock,
        random,
        ...key,
        ...(timeoutMs === undefined ? undefined : { deadline: clock.now() + timeoutMs }),
      });
  call.set(operationAttribute, info);
  call.set(idempotentAttribute, info.idempotent);
  return call;
}

/** 128 bits: it has to differ from all others, not to be a secret. */
function keyFor({ kind, idempotent }: OperationInfo, random: Random): string | undefined {
  if (!idempotent || (kind !== 'command' && kind !== 'notify')) return undefined;
  let key = '';
  while (key.length < 32)
    key += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  return key;
}

const utf8 = new TextEncoder();

function requestOf({ name, operation, mapping, options }: Caller, input: unknown): HttpRequest {
  try {
    const parts = buildRequest(mapping, input);
    const headers = new HttpHeaders(parts.headers);
    headers.set('accept', operation.kind === 'stream' ? 'application/x-ndjson' : 'application/json');
    const body = bodyOf(parts);
    if (body) headers.set('content-type', 'application/json');
    const { method, query } = parts;
    return { method, authority: options.authority, path: parsePath(parts.path), query, headers, body };
  } catch (thrown) {
    const why = thrown instanceof InputError || thrown instanceof FlotillaError ? thrown.message : 'it is no JSON';
    throw new FlotillaError('INVALID_INPUT', `${name} cannot be sent: ${why}`, { cause: thrown });
  }
}

function bodyOf({ body }: RequestParts): Uint8Array | undefined {
  const text: string | undefined = JSON.stringify(body);
  return text === undefined ? undefined : utf8.encode(text);
}

function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status <= 299;
}

function maxResponseBytes({ options }: Caller): number {
  return options.maxResponseBytes ?? clientDefaults.maxResponseBytes;
}
