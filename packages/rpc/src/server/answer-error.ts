import { type Call, errorRow, FlotillaError } from '@flotilla/core';
import type { ErrorSpecs } from '../contract/index.ts';
import type { Place, ServerLog } from './log.ts';
import { validate } from './validate.ts';

/** What is known of the operation whose handler failed. */
export interface FailedOperation {
  /** `catalog.product` */
  readonly name: string;
  readonly errors: ErrorSpecs;
  readonly log: ServerLog;
}

/**
 * What a caller is told when a handler failed.
 *
 * | thrown | answered |
 * |---|---|
 * | an error that the contract declares, by `call.fail` or by hand | itself, its data parsed by its schema |
 * | a platform error of this process: a refusal, a deadline, no instance to call | the same code, `executed: unknown`: the handler had begun |
 * | a peer's error of the kind "not there now": deadline, cancelled, unavailable | the same code in words of our own |
 * | any other error of a peer, which the handler did not translate | INTERNAL: another service's details are not ours to tell |
 * | an error about this process's start, files or configuration; anything else | INTERNAL |
 *
 * Whatever becomes INTERNAL is logged here with its cause, and nowhere else.
 */
export async function answerError(thrown: unknown, operation: FailedOperation, call: Call): Promise<FlotillaError> {
  const place = { operation: operation.name, traceId: call.trace.traceId };
  const internal = (why: string): FlotillaError => {
    operation.log.operationFailed(place, why, thrown);
    return new FlotillaError('INTERNAL', `${operation.name} failed`, { cause: thrown });
  };
  if (!(thrown instanceof FlotillaError)) return call.cancelled ?? internal('the handler threw');
  if (thrown.fromPeer)
    return answerPeerError(thrown, operation.name) ?? internal('an upstream error was not translated');
  if (Object.hasOwn(operation.errors, thrown.code)) return answerDeclared(thrown, operation, place);
  const row = errorRow(thrown.code);
  if (!row) return internal(`error "${thrown.code}" is not declared`);
  if (privateCodes.has(thrown.code)) return internal('the handler threw');
  return withDetails(thrown, thrown.detail, thrown.data);
}

// About this process and not about the request: their text names files, ports and settings.
const privateCodes: ReadonlySet<string> = new Set([
  'INTERNAL',
  'START_FAILED',
  'ADDRESS_IN_USE',
  'CONFIG_INVALID',
  'CONTRACT_INVALID',
  'PACKAGE_MISSING',
  'STORE_FAILED',
]);

function answerPeerError(error: FlotillaError, operation: string): FlotillaError | undefined {
  const { code } = error;
  const notThere = code === 'DEADLINE_EXCEEDED' || code === 'CANCELLED' || errorRow(code)?.grpcStatus === 'UNAVAILABLE';
  return notThere ? withDetails(error, `${operation} needs another service, which answered ${code}`) : undefined;
}

async function answerDeclared(
  error: FlotillaError,
  { errors, log }: FailedOperation,
  place: Place,
): Promise<FlotillaError> {
  const { status, schema } = errors[error.code] ?? { status: 500, schema: undefined };
  const parsed = schema ? await validate(schema, error.data) : { ok: true as const, value: undefined };
  if (!parsed.ok) {
    log.outputInvalid({ ...place, operation: `${place.operation}, error ${error.code}` }, parsed.issues);
    return new FlotillaError('INTERNAL', `${place.operation} failed`, { cause: error });
  }
  return new FlotillaError(error.code, error.detail, {
    httpStatus: status,
    executed: error.executed === 'unknown' ? 'yes' : error.executed,
    data: parsed.value,
    cause: error,
    ...retryAfter(error),
  });
}

function withDetails(error: FlotillaError, detail: string, data?: unknown): FlotillaError {
  return new FlotillaError(error.code, detail, { executed: 'unknown', cause: error, data, ...retryAfter(error) });
}

function retryAfter({ retryAfterMs }: FlotillaError): { readonly retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}
