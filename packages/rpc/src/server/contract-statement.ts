import { FlotillaError } from '@flotilla/core';
import { contractHash, type JsonSchema } from '../contract/index.ts';
import { jsonSchemaOf } from '../contract/schema.ts';
import type { ServedOperation } from './served-operation.ts';

/** A schema that is larger is not sent along: the issues name what is wrong already. */
const longestSchema = 16_384;

/**
 * A caller that was built with another state of the contract is told so, with the schema that counts here: it knows its
 * own, and can say how they differ.
 * @param error INVALID_INPUT: the input does not fit
 * @param theirHash of the contract as the caller knows it; undefined: it did not say, and is told nothing
 */
export function withContract(
  error: FlotillaError,
  { contract, operation }: ServedOperation,
  theirHash: string | undefined,
): FlotillaError {
  const hash = contractHash(contract);
  if (theirHash === undefined || hash === theirHash) return error;
  const input: JsonSchema | undefined = jsonSchemaOf(operation.in, 'input');
  const isShort = input !== undefined && JSON.stringify(input).length <= longestSchema;
  const stated = { name: contract.name, version: contract.version, hash, ...(isShort && { input }) };
  return new FlotillaError(error.code, error.detail, { data: { ...(error.data as object), contract: stated } });
}
