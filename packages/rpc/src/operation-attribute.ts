import { type Attribute, attribute } from '@flotilla/core';
import type { AnyOperation, HttpMapping, OperationKind } from './contract/index.ts';
import { operationKinds } from './contract/operation.ts';

/** Which operation a call is for: what logs, metrics and policies are keyed by. */
export interface OperationInfo {
  readonly contract: string;
  readonly version: number;
  readonly operation: string;
  readonly kind: OperationKind;
  readonly idempotent: boolean;
  /** The answer goes on after its head, as a stream of elements or of bytes: only its head has a time-out. */
  readonly streamed: boolean;
}

/** Set by typed clients on the calls that they make, and by the server on those that it handles. */
export const operationAttribute: Attribute<OperationInfo> = attribute('operation');

/** What is known of an operation by its contract. */
export function operationInfo(
  { name: contract, version }: { readonly name: string; readonly version: number },
  operation: string,
  { kind, idempotent }: AnyOperation,
  { answer }: HttpMapping,
): OperationInfo {
  const { response } = operationKinds[kind];
  const streamed = response === 'many' || answer?.kind === 'byteStream';
  return Object.freeze({ contract, version, operation, kind, idempotent, streamed });
}
