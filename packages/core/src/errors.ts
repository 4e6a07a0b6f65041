/** A code of the platform's table. */
export type ErrorCode =
  | 'INVALID_INPUT'
  | 'MALFORMED_REQUEST'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NO_ROUTE'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_ACCEPTABLE'
  | 'REQUEST_TIMEOUT'
  | 'BODY_TOO_LARGE'
  | 'TARGET_TOO_LONG'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'EXPECTATION_FAILED'
  | 'RATE_LIMITED'
  | 'HEADERS_TOO_LARGE'
  | 'CANCELLED'
  | 'INTERNAL'
  | 'UNIMPLEMENTED'
  | 'BAD_RESPONSE'
  | 'CONNECTION_LOST'
  | 'CONNECT_FAILED'
  | 'NO_INSTANCE'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'LOOP_DETECTED'
  | 'DUPLICATE_REQUEST'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'START_FAILED'
  | 'ADDRESS_IN_USE'
  | 'CONFIG_INVALID'
  | 'CONTRACT_INVALID'
  | 'PACKAGE_MISSING'
  | 'STORE_FAILED';

/**
 * The one table of error codes: what a code means, and what it is called in each protocol. `docs/errors.md` shows it,
 * `conformance/golden/errors.json` pins it. A code stands for a decision that the caller can make; a retired code is
 * never reused. Codes of a contract's own errors live in that contract and may not collide with these.
 *
 * `executed` is the code's usual answer to "was the work done?": `no` (certainly not), `unknown`, `yes`.
 * gRPC names: https://grpc.io/docs/guides/status-codes/ · RSocket codes: RSocket protocol 1.0, "Error Codes".
 */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = Object.freeze({
  INVALID_INPUT: row(400, 'INVALID_ARGUMENT', 'INVALID', 'no', 'the request does not fit what the operation takes'),
  MALFORMED_REQUEST: row(400, 'INVALID_ARGUMENT', 'INVALID', 'no', 'the bytes are not a well-formed request'),
  UNAUTHENTICATED: row(401, 'UNAUTHENTICATED', 'REJECTED', 'no', 'the caller did not prove who it is'),
  FORBIDDEN: row(403, 'PERMISSION_DENIED', 'REJECTED', 'no', 'the caller may not do this'),
  NO_ROUTE: row(404, 'UNIMPLEMENTED', 'REJECTED', 'no', 'nothing is served at this address'),
  METHOD_NOT_ALLOWED: row(405, 'UNIMPLEMENTED', 'REJECTED', 'no', 'this address takes other methods'),
  NOT_ACCEPTABLE: row(406, 'INVALID_ARGUMENT', 'REJECTED', 'no', 'no representation that the caller accepts'),
  REQUEST_TIMEOUT: row(408, 'DEADLINE_EXCEEDED', 'REJECTED', 'no', 'the request did not arrive in time'),
  BODY_TOO_LARGE: row(413, 'RESOURCE_EXHAUSTED', 'REJECTED', 'no', 'the body is over the limit'),
  TARGET_TOO_LONG: row(414, 'INVALID_ARGUMENT', 'REJECTED', 'no', 'the request line is over the limit'),
  UNSUPPORTED_MEDIA_TYPE: row(415, 'INVALID_ARGUMENT', 'REJECTED', 'no', 'the body is of a type that is not read here'),
  EXPECTATION_FAILED: row(417, 'INVALID_ARGUMENT', 'REJECTED', 'no', 'an Expect header that is not understood'),
  RATE_LIMITED: row(429, 'RESOURCE_EXHAUSTED', 'REJECTED', 'no', 'this caller has used up its allowance'),
  HEADERS_TOO_LARGE: row(431, 'RESOURCE_EXHAUSTED', 'REJECTED', 'no', 'the header fields are over the limit'),
  CANCELLED: row(499, 'CANCELLED', 'CANCELED', 'unknown', 'the caller went away'),
  INTERNAL: row(500, 'INTERNAL', 'APPLICATION_ERROR', 'unknown', 'the callee failed in a way it did not declare'),
  UNIMPLEMENTED: row(501, 'UNIMPLEMENTED', 'REJECTED', 'no', 'the callee knows the operation but does not serve it'),
  BAD_RESPONSE: row(502, 'INTERNAL', 'APPLICATION_ERROR', 'unknown', 'the callee answered something not understood'),
  CONNECTION_LOST: row(
    502,
    'UNAVAILABLE',
    'CONNECTION_ERROR',
    'unknown',
    'the connection broke before the answer was whole',
  ),
  CONNECT_FAILED: row(503, 'UNAVAILABLE', 'REJECTED', 'no', 'no connection to the callee could be made'),
  NO_INSTANCE: row(503, 'UNAVAILABLE', 'REJECTED', 'no', 'no instance of the service can take the call'),
  UNAVAILABLE: row(503, 'UNAVAILABLE', 'REJECTED', 'no', 'the callee takes no work now'),
  DEADLINE_EXCEEDED: row(
    504,
    'DEADLINE_EXCEEDED',
    'APPLICATION_ERROR',
    'unknown',
    'the deadline passed before the answer',
  ),
  LOOP_DETECTED: row(508, 'FAILED_PRECONDITION', 'REJECTED', 'no', 'the request came back to a gateway it had passed'),
  DUPLICATE_REQUEST: row(
    409,
    'ABORTED',
    'APPLICATION_ERROR',
    'unknown',
    'the same command came before, and its answer cannot be given',
  ),
  IDEMPOTENCY_KEY_REUSED: row(
    422,
    'FAILED_PRECONDITION',
    'REJECTED',
    'no',
    'the idempotency key belongs to another request',
  ),
  START_FAILED: row(500, 'INTERNAL', 'APPLICATION_ERROR', 'no', 'a component could not start'),
  ADDRESS_IN_USE: row(500, 'INTERNAL', 'APPLICATION_ERROR', 'no', 'another process listens on this address'),
  CONFIG_INVALID: row(500, 'INTERNAL', 'APPLICATION_ERROR', 'no', 'the configuration has mistakes'),
  CONTRACT_INVALID: row(500, 'INTERNAL', 'APPLICATION_ERROR', 'no', 'a contract contradicts itself'),
  PACKAGE_MISSING: row(
    500,
    'INTERNAL',
    'APPLICATION_ERROR',
    'no',
    'the configuration names something whose package is not installed',
  ),
  STORE_FAILED: row(
    500,
    'INTERNAL',
    'APPLICATION_ERROR',
    'unknown',
    'a file that the platform owns could not be read or written',
  ),
});

/** Was the work done? From it and from idempotency alone follows whether to try again; nothing else says so. */
export type Executed = 'no' | 'unknown' | 'yes';

/** One row of {@link errorTable}. */
export interface ErrorRow {
  readonly httpStatus: number;
  readonly grpcStatus: string;
  readonly rsocketError: string;
  readonly executed: Executed;
  readonly meaning: string;
}

/** What an error carries besides its code and message. */
export interface ErrorDetails {
  /** Overrides the table's answer to "was the work done?". */
  readonly executed?: Executed;
  /** HTTP status; default: the table's, and 500 for a code that is not in it. */
  readonly httpStatus?: number;
  /** Milliseconds after which the callee suggests another try. Absent: no suggestion. */
  readonly retryAfterMs?: number;
  /** Facts for the caller, JSON only. They go over the wire: no secrets, no addresses from inside. */
  readonly data?: unknown;
  /** What led to this. Logged, never sent. */
  readonly cause?: unknown;
  /** True when this error was decoded from an answer of the peer. */
  readonly fromPeer?: boolean;
}

/**
 * The one error class. Callers test {@link code}, never the class or the text; viewers that show nothing but the
 * message still show the code, because it comes first.
 *
 * ```ts
 * throw new FlotillaError('NO_INSTANCE', 'no instance of "orders" can take this request: 4 known, 4 ejected');
 * ```
 */
export class FlotillaError extends Error {
  override readonly name = 'FlotillaError';
  /** A code of {@link errorTable}, or of the contract of the operation that failed. */
  readonly code: string;
  /** The message without the code. */
  readonly detail: string;
  readonly executed: Executed;
  readonly httpStatus: number;
  readonly retryAfterMs: number | undefined;
  readonly data: unknown;
  readonly fromPeer: boolean;

  constructor(code: string, detail: string, details: ErrorDetails = {}) {
    super(`${code}: ${detail}`, details.cause === undefined ? undefined : { cause: details.cause });
    const known = errorRow(code);
    this.code = code;
    this.detail = detail;
    this.executed = details.executed ?? known?.executed ?? 'unknown';
    this.httpStatus = details.httpStatus ?? known?.httpStatus ?? 500;
    this.retryAfterMs = details.retryAfterMs;
    this.data = details.data;
    this.fromPeer = details.fromPeer ?? false;
  }

  /** True when the work certainly was not done, so that anybody may repeat it. */
  get retryable(): boolean {
    return this.executed === 'no';
  }
}

/** The row of `code`, or undefined for a code that is not the platform's (a contract's own). */
export function errorRow(code: string): ErrorRow | undefined {
  return Object.hasOwn(errorTable, code) ? errorTable[code as ErrorCode] : undefined;
}

/** Any thrown value as a FlotillaError: itself, or INTERNAL with the value as its cause. */
export function toFlotillaError(thrown: unknown): FlotillaError {
  if (thrown instanceof FlotillaError) return thrown;
  return new FlotillaError('INTERNAL', 'the work failed in a way that was not declared', { cause: thrown });
}

function row(
  httpStatus: number,
  grpcStatus: string,
  rsocketError: string,
  executed: Executed,
  meaning: string,
): ErrorRow {
  return Object.freeze({ httpStatus, grpcStatus, rsocketError, executed, meaning });
}
