import { FlotillaError } from '@flotilla/core';
import { type JsonSchema, jsonSchemaOf } from '../contract/schema.ts';
import { schemaDifferences } from '../contract/schema-differences.ts';
import type { CalledOperation } from './operation-request.ts';

/**
 * Adds to a refusal in what the contract here differs from that of the callee, when the callee says that it was built with
 * another state of it and sent its own schema along.
 */
export function withDifference(operation: CalledOperation, error: FlotillaError): FlotillaError {
  const { contract, ...data } = (error.data ?? {}) as { readonly contract?: unknown };
  if (error.code !== 'INVALID_INPUT' || typeof contract !== 'object' || contract === null) return error;
  const { input } = contract as { readonly input?: unknown };
  const ours = jsonSchemaOf(operation.spec.in, 'input');
  const differences =
    ours && typeof input === 'object' && input !== null ? schemaDifferences(ours, input as JsonSchema) : [];
  const said = differences.length === 0 ? '' : `: ${differences.join('; ')}`;
  const { name, version } = operation.contract;
  const detail = `${error.detail}. The callee was built with another state of contract "${name}" ${version} than this caller${said}`;
  const { executed, httpStatus, retryAfterMs, fromPeer } = error;
  return new FlotillaError(error.code, detail, {
    executed,
    httpStatus,
    fromPeer,
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
    data: { ...data, differences },
    cause: error,
  });
}
