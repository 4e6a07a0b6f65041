import { type Call, type Clock, type FlotillaError, within } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type HttpResponse, paramsAttribute, problemResponse } from '@flotilla/http';
import { contractField } from '../contract/fingerprint.ts';
import { type BytesAnswer, operationKinds } from '../contract/index.ts';
import { operationAttribute } from '../operation-attribute.ts';
import { withContract } from './contract-statement.ts';
import { elementsOf, parsedElements } from './elements.ts';
import { readInput } from './read-input.ts';
import {
  answeredErrorAttribute,
  explain,
  parseOutput,
  refusalOf,
  run,
  type ServedOperation,
} from './served-operation.ts';
import { type Step, StreamBody } from './stream-body.ts';
import { chooseFormat } from './stream-format.ts';
import { invalidInput, validate } from './validate.ts';
import { releaseOutput, writeBytes } from './write-bytes.ts';
import { writeOutput } from './write-output.ts';

/**
 * Serves one request.
 * 1. Read the input from where the contract binds it, within its limits.
 * 2. Parse it by the schema, once: INVALID_INPUT with the issues. Then add the bytes or files of the body.
 * 3. Run the handler in its call.
 * 4. Parse and strip the output by its schema: a misfit is the handler's fault, INTERNAL.
 * 5. Answer. Whatever failed is answered as a problem: this never rejects.
 */
export async function serve(served: ServedOperation, request: HttpRequest, call: Call): Promise<HttpResponse> {
  call.set(operationAttribute, served.info);
  const refuse = (error: FlotillaError): HttpResponse => {
    call.set(answeredErrorAttribute, error);
    return problemResponse(error, call);
  };
  let input: unknown;
  try {
    input = await parseInput(served, request, call);
  } catch (thrown) {
    return refuse(refusalOf(thrown, served, call));
  }
  try {
    return await (operationKinds[served.operation.kind].response === 'many'
      ? answerStream(served, input, request, call)
      : answerOnce(served, input, request, call));
  } catch (thrown) {
    return refuse(await explain(served, thrown, call));
  }
}

async function parseInput(served: ServedOperation, request: HttpRequest, call: Call): Promise<unknown> {
  const { name, mapping, maxBodyBytes, operation } = served;
  if (mapping.body?.kind === 'elements' && operation.in) {
    const source = { operation: name, schema: operation.in, maxBytes: maxBodyBytes };
    return parsedElements(source, elementsOf(source, request), call);
  }
  const params = call.get(paramsAttribute) ?? noParams;
  const { value, added, hint } = await readInput({ operation: name, mapping, maxBodyBytes }, request, params, call);
  const parsed = operation.in ? await validate(operation.in, value) : { ok: true as const, value: undefined };
  if (!parsed.ok)
    throw withContract(invalidInput(name, parsed.issues, hint), served, request.headers.get(contractField));
  const input = added ? { ...(parsed.value as object | undefined), ...(await added()) } : parsed.value;
  call.throwIfCancelled();
  return input;
}

const noParams: ReadonlyMap<string, string> = new Map();

async function answerOnce(
  served: ServedOperation,
  input: unknown,
  request: HttpRequest,
  call: Call,
): Promise<HttpResponse> {
  const { name: operation, mapping } = served;
  const { answer } = mapping;
  const work = Promise.try(() => run(served, input, call));
  // The caller learns in time that it is too late, also from a handler that looks at no deadline.
  const output = await within(call, work).catch((thrown: unknown) => {
    if (answer) work.then(releaseOutput, () => undefined);
    throw thrown;
  });
  const parsed = await parseOutput(served, output, call);
  if (!answer) return writeOutput(operation, mapping, parsed);
  const failed = async (thrown: unknown): Promise<FlotillaError> => {
    const error = await explain(served, thrown, call);
    call.set(answeredErrorAttribute, error);
    return error;
  };
  return writeBytes({ operation, mapping: { ...mapping, answer }, request, call, failed }, parsed as BytesAnswer);
}

async function answerStream(
  served: ServedOperation,
  input: unknown,
  request: HttpRequest,
  call: Call,
): Promise<HttpResponse> {
  const clock = served.clock ?? call.clock;
  const format = chooseFormat(request.headers.get('accept'));
  const elements = run(served, input, call) as AsyncIterable<unknown>;
  const body = new StreamBody({
    elements: elements[Symbol.asyncIterator](),
    call,
    clock,
    heartbeatMs: served.heartbeatMs,
    encode: async (element) => format.element(await parseOutput(served, element, call)),
    end: format.end,
    fail(error) {
      call.set(answeredErrorAttribute, error);
      return format.problem(error, call.trace.traceId);
    },
    heartbeat: format.heartbeat,
    explain: (thrown) => explain(served, thrown, call),
  });
  const first = await firstStep(body, clock, served.headWaitMs);
  if (first?.kind === 'failed') {
    call.set(answeredErrorAttribute, first.error);
    return problemResponse(first.error, call);
  }
  const headers = new HttpHeaders([
    ['content-type', format.mediaType],
    ['cache-control', 'no-store'],
  ]);
  return { status: served.mapping.status, headers, body };
}

/**
 * Waits a moment for the first element, so that a stream that fails at once answers with the status of its error. A
 * stream that has nothing to say yet answers its head without one.
 */
function firstStep(body: StreamBody, clock: Clock, headWaitMs: number): Promise<Step | undefined> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(headWaitMs, () => resolve(undefined));
    void body.peek().then((step) => {
      timer.cancel();
      resolve(step);
    });
  });
}
