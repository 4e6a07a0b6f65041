import { type Call, FlotillaError, within } from '@flotilla/core';
import { contractHash, type JsonSchema, operationKinds } from '../../contract/index.ts';
import { jsonSchemaOf } from '../../contract/schema.ts';
import { operationAttribute } from '../../operation-attribute.ts';
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
import { invalidInput, validate } from '../../server/validate.ts';
import type { ServedRequest } from './call-server.ts';

/** What serving a call came to: the output, the elements of a stream, undefined without output, or the error to answer. */
export type Served = unknown;

/**
 * Serves one call without any message of HTTP: parses the input by its schema, once, runs the handler in its call, parses
 * and strips the output. Whatever failed is the answer: this never rejects.
 */
export async function serveOperation(request: ServedRequest, call: Call): Promise<Served> {
  const { served } = request;
  call.set(operationAttribute, served.info);
  let input: unknown;
  try {
    input = await parseInput(request, call);
    call.throwIfCancelled();
  } catch (thrown) {
    return told(refusalOf(thrown, served, call), call);
  }
  try {
    if (operationKinds[served.info.kind].response === 'many') return new AnsweredElements(served, input, call);
    // The caller learns in time that it is too late, also from a handler that looks at no deadline.
    const output = await within(
      call,
      Promise.try(() => run(served, input, call)),
    );
    return await parseOutput(served, output, call);
  } catch (thrown) {
    return told(await explain(served, thrown, call), call);
  }
}

function told(error: FlotillaError, call: Call): FlotillaError {
  call.set(answeredErrorAttribute, error);
  return error;
}

async function parseInput({ served, value, unreadable, context }: ServedRequest, call: Call): Promise<unknown> {
  if (unreadable) throw unreadable;
  const { name, operation } = served;
  if (!operation.in) return undefined;
  if (operationKinds[served.info.kind].request === 'many') {
    return parsedElements({ operation: name, schema: operation.in }, value as AsyncIterable<unknown>, call);
  }
  const parsed = await validate(operation.in, value);
  if (parsed.ok) return parsed.value;
  const error = invalidInput(name, parsed.issues);
  throw context.contractHash === undefined ? error : withContract(error, served, context.contractHash);
}

/** A schema that is larger is not sent along: the issues name what is wrong already. */
const longestSchema = 16_384;

/**
 * A caller that was built with another state of the contract is told so, with the schema that counts here: it knows its
 * own, and can say how they differ.
 */
function withContract(
  error: FlotillaError,
  { contract, operation }: ServedOperation,
  theirHash: string,
): FlotillaError {
  const hash = contractHash(contract);
  if (hash === theirHash) return error;
  const input: JsonSchema | undefined = jsonSchemaOf(operation.in, 'input');
  const isShort = input !== undefined && JSON.stringify(input).length <= longestSchema;
  const stated = { name: contract.name, version: contract.version, hash, ...(isShort && { input }) };
  return new FlotillaError(error.code, error.detail, { data: { ...(error.data as object), contract: stated } });
}
