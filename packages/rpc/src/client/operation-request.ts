import { idempotentAttribute, SharedAttributes } from '@flotilla/core';
import { type AnyContract, type AnyOperation, type HttpMapping, operationKinds } from '../contract/index.ts';
import { type OperationInfo, operationAttribute, operationInfo } from '../operation-attribute.ts';

/** An operation that can be called: one object for all calls of it, so that filters and transports may key by it. */
export interface CalledOperation {
  /** `catalog.product` */
  readonly name: string;
  readonly info: OperationInfo;
  readonly contract: AnyContract;
  readonly spec: AnyOperation;
  readonly mapping: HttpMapping;
  /** What its calls carry for filters to read: {@link operationAttribute}, and core's `idempotentAttribute`. */
  readonly attributes: SharedAttributes;
}

/** One call of an operation, before any transport has made bytes of it. Filters of a typed client work on it. */
export interface OperationRequest {
  readonly operation: CalledOperation;
  /** As the caller gave it: for `upload` and `duplex` a {@link SentElements}, for all others one value, or undefined. */
  readonly input: unknown;
}

/**
 * What a call is answered by: the output; an async iterable of the elements of a stream, or a `Download`, both of which
 * are read once and end the call; undefined where the operation has no output. An error is thrown instead, whether the
 * contract declares it or not.
 */
export type OperationResponse = unknown;

/** Every operation of a contract, ready to be called. */
export function calledOperations(contract: AnyContract): ReadonlyMap<string, CalledOperation> {
  const called = new Map<string, CalledOperation>();
  for (const [name, spec] of Object.entries(contract.operations)) {
    const mapping = contract.http.get(name) as HttpMapping; // contract() made one for each
    const info = operationInfo(contract, name, spec, mapping);
    const attributes = attributesOf(info);
    called.set(name, { name: `${contract.name}.${name}`, info, contract, spec, mapping, attributes });
  }
  return called;
}

/** What all calls of an operation carry. */
export function attributesOf(info: OperationInfo): SharedAttributes {
  return new SharedAttributes([
    [operationAttribute, info],
    [idempotentAttribute, info.idempotent],
  ]);
}

/** Does the caller send many elements? */
export function sendsMany({ info: { kind } }: CalledOperation): boolean {
  return operationKinds[kind].request === 'many';
}
