import { type Call, type FlotillaError, within } from '@flotilla/core';
import { operationKinds } from '../../contract/index.ts';
import { operationAttribute } from '../../operation-attribute.ts';
import { withContract } from '../../server/contract-statement.ts';
import { parsedElements } from '../../server/elements.ts';
import {
  AnsweredElements,
  answeredErrorAttribute,
  explain,
  parseOutput,
  refusalOf,
  run,
  type ServedOperation,
} from '../../server/served-operation.ts';
import { invalidInput, type Validation, validateNow } from '../../server/validate.ts';
import type { Served, ServedRequest } from './served-request.ts';

/**
 * Serves one call without any message of HTTP: parses the input by its schema, once, runs the handler in its call, parses
 * and strips the output. Whatever failed is the answer: this never throws, nor rejects. What validators and handlers answer
 * at once is given at once.
 */
export function serveOperation(request: ServedRequest, call: Call): Served | Promise<Served> {
  const { served } = request;
  call.set(operationAttribute, served.info);
  try {
    const input = parseInput(request, call);
    return input instanceof Promise ? beginLater(request, input, call) : begin(request, input, call);
  } catch (thrown) {
    return refused(thrown, served, call);
  }
}

// Whatever waits stands in a function of its own: what its inner functions need would be put aside for each call, also for
// those that wait for nothing.

function beginLater(request: ServedRequest, input: Promise<unknown>, call: Call): Promise<Served> {
  return input.then(
    (parsed) => begin(request, parsed, call),
    (thrown) => refused(thrown, request.served, call),
  );
}

function refused(thrown: unknown, served: ServedOperation, call: Call): FlotillaError {
  return told(refusalOf(thrown, served, call), call);
}

function begin({ served, waited }: ServedRequest, input: unknown, call: Call): Served | Promise<Served> {
  try {
    call.throwIfCancelled(waited ? undefined : call.startedAt);
  } catch (thrown) {
    return refused(thrown, served, call);
  }
  try {
    if (operationKinds[served.info.kind].response === 'many') return new AnsweredElements(served, input, call);
    const output = run(served, input, call);
    return isThenable(output) ? answerLater(served, output, call) : answer(served, output, call);
  } catch (thrown) {
    return failed(served, thrown, call);
  }
}

/** A promise, or what some query builders and validators give in place of one. */
function isThenable(output: unknown): output is PromiseLike<unknown> {
  return typeof (output as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

/** The caller learns in time that it is too late, also from a handler that looks at no deadline. */
function answerLater(served: ServedOperation, output: PromiseLike<unknown>, call: Call): Promise<Served> {
  return within(call, Promise.resolve(output)).then(
    (value) => answer(served, value, call),
    (thrown) => failed(served, thrown, call),
  );
}

function answer(served: ServedOperation, output: unknown, call: Call): Served | Promise<Served> {
  try {
    const parsed = parseOutput(served, output, call);
    return parsed instanceof Promise ? orFailed(served, parsed, call) : parsed;
  } catch (thrown) {
    return failed(served, thrown, call);
  }
}

function orFailed(served: ServedOperation, parsed: Promise<unknown>, call: Call): Promise<Served> {
  return parsed.catch((thrown: unknown) => failed(served, thrown, call));
}

async function failed(served: ServedOperation, thrown: unknown, call: Call): Promise<Served> {
  return told(await explain(served, thrown, call), call);
}

function told(error: FlotillaError, call: Call): FlotillaError {
  call.set(answeredErrorAttribute, error);
  return error;
}

/** @returns a promise only where the validator gives one @throws FlotillaError INVALID_INPUT */
function parseInput(request: ServedRequest, call: Call): unknown {
  const { served, value, unreadable } = request;
  if (unreadable) throw unreadable;
  const { name, operation } = served;
  if (!operation.in) return undefined;
  if (operationKinds[served.info.kind].request === 'many') {
    return parsedElements({ operation: name, schema: operation.in }, value as AsyncIterable<unknown>, call);
  }
  const validation = validateNow(operation.in, value);
  return validation instanceof Promise ? inputLater(validation, request) : inputOf(validation, request);
}

function inputLater(validation: Promise<Validation>, request: ServedRequest): Promise<unknown> {
  return validation.then((parsed) => inputOf(parsed, request));
}

function inputOf(parsed: Validation, { served, context }: ServedRequest): unknown {
  if (parsed.ok) return parsed.value;
  throw withContract(invalidInput(served.name, parsed.issues), served, context.contractHash);
}
