import { hash } from 'node:crypto';
import { type Attribute, attribute, type Call, type Filter, FlotillaError, toFlotillaError } from '@flotilla/core';
import { operationKinds } from '../contract/index.ts';
import { printValue } from '../print-value.ts';
import { NotBegun, parseOutput, type ServedOperation } from './served-operation.ts';

/** What is known of a command whose answers may be remembered. */
export interface RememberedOperation {
  /** `catalog.reserve` */
  readonly operation: string;
  /** Whether its contract says that doing it twice does no harm. */
  readonly idempotent: boolean;
  /** Names the command that a call is for: by operation, version, tenant and the caller's key. Undefined: it has no key. */
  readonly keyOf: (input: unknown, call: Call) => string | undefined;
  /** Tells inputs apart. */
  readonly printOf: (input: unknown) => string;
  /** What a handler threw, as what the caller will be told of the work. */
  readonly failureOf: (thrown: unknown) => FlotillaError;
}

/** Makes the filter around the handler of one command; undefined: nothing is remembered. */
export type RememberOperation = (operation: RememberedOperation) => Filter<unknown, unknown> | undefined;

/**
 * An operation whose handler stands behind what remembers its answers, where there can be anything to remember: a command
 * or notification whose input and output are JSON. Queries are simply asked again, bytes and streams are not kept.
 */
export function remembering(served: ServedOperation, remember: RememberOperation | undefined): ServedOperation {
  const filter = remember && isRemembered(served) ? remember(rememberedOf(served)) : undefined;
  if (!filter) return served;
  const { handler } = served;
  // What the contract promises is remembered, not what the handler gave: that may hold what is nobody's business.
  const handle = filter(async (input, call) => {
    call.set(begunAttribute, true);
    return parseOutput(served, await handler(input as never, call as never), call);
  });
  const either = (input: never, call: never): unknown =>
    (call as Call).idempotencyKey === undefined
      ? handler(input, call)
      : handle(input, call).catch((thrown: unknown) => {
          throw refusedBefore(thrown, call);
        });
  return { ...served, handler: either };
}

/** The handler itself runs in this call, and not only what remembers its answers. */
const begunAttribute: Attribute<boolean> = attribute('the handler has begun');

/** Nothing of a handler's is passed on as "not executed", since it had begun; what was refused before it had is. */
function refusedBefore(thrown: unknown, call: Call): unknown {
  const isRefusal = thrown instanceof FlotillaError && thrown.executed === 'no' && !call.get(begunAttribute);
  return isRefusal ? new NotBegun(thrown) : thrown;
}

function isRemembered({ info: { kind }, mapping }: ServedOperation): boolean {
  const { request, response } = operationKinds[kind];
  if (kind !== 'command' && kind !== 'notify') return false;
  return request === 'one' && response !== 'many' && !mapping.answer && !takesBytes(mapping.body?.kind);
}

function takesBytes(body: string | undefined): boolean {
  return body !== undefined && body !== 'form';
}

function rememberedOf({ name, info, operation }: ServedOperation): RememberedOperation {
  return {
    operation: name,
    idempotent: info.idempotent,
    keyOf: (_, call) => keyOf(name, info.version, call),
    printOf: (input) => hash('sha256', printValue(input) ?? '', 'base64url'),
    failureOf: (thrown) => failureOf(thrown, Object.hasOwn(operation.errors, toFlotillaError(thrown).code)),
  };
}

/** Of fixed length, and without what callers put into their keys. */
function keyOf(operation: string, version: number, { idempotencyKey, tenant = '' }: Call): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const whose = hash('sha256', JSON.stringify([tenant, idempotencyKey]), 'base64url');
  return `idempotency:${operation}:v${version}:${whose}`;
}

/** The handler had begun: only an error that its contract declares says that it decided; of any other nobody knows. */
function failureOf(thrown: unknown, isDeclared: boolean): FlotillaError {
  const error = toFlotillaError(thrown);
  if (isDeclared && !error.fromPeer) {
    return error.executed === 'unknown' ? withExecuted(error, 'yes') : error;
  }
  return withExecuted(error, 'unknown');
}

function withExecuted(error: FlotillaError, executed: 'yes' | 'unknown'): FlotillaError {
  const { code, detail, httpStatus, retryAfterMs, data, fromPeer } = error;
  const retry = retryAfterMs === undefined ? undefined : { retryAfterMs };
  return new FlotillaError(code, detail, { executed, httpStatus, data, fromPeer, cause: error, ...retry });
}
