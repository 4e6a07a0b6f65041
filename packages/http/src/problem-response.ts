import {
  type Call,
  type ErrorCode,
  type Executed,
  errorTable,
  FlotillaError,
  fromProblem,
  type Problem,
  problemMediaType,
  toProblem,
} from '@flotilla/core';
import type { HttpResponse } from './exchange.ts';
import { type ForeignError, readForeignError } from './foreign-error.ts';
import { HttpHeaders } from './headers.ts';
import { parseJson } from './json.ts';

const utf8 = new TextEncoder();

/**
 * An error as an answer: its status, an `application/problem+json` document, `retry-after` in whole seconds when the
 * error suggests another try, and `cache-control: no-store`, because some of these statuses are cached otherwise
 * (RFC 9110 §15.1). `conformance/golden/problem.json` pins the document.
 *
 * @param call its trace id goes into the document
 * @param extraHeaders win over ours: `allow` of a METHOD_NOT_ALLOWED, `www-authenticate` of an UNAUTHENTICATED
 */
export function problemResponse(
  error: FlotillaError,
  call?: Call,
  extraHeaders: Iterable<readonly [name: string, value: string]> = [],
): HttpResponse {
  const headers = new HttpHeaders([
    ['content-type', problemMediaType],
    ['cache-control', 'no-store'],
  ]);
  if (error.retryAfterMs !== undefined) headers.set('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
  for (const [name, value] of extraHeaders) headers.set(name, value);
  return { status: error.httpStatus, headers, body: encode(toProblem(error, call?.trace.traceId)) };
}

/**
 * The error that an answer stands for: the problem of one of ours, else an error document of Spring or of RFC 9457 (see
 * `readForeignError`), else what its status says. An answer that does not say whether the work was done leaves that
 * `unknown` where a status can mean either (503, 504, 5xx); a document of Spring with status 503 and `retry-after` does
 * say it: its server was unable to handle the request (RFC 9110 §15.6.4).
 *
 * @param body of the answer, read within a limit
 * @returns an error with `fromPeer`. A status that stands for nothing known gives BAD_RESPONSE with `data.status`.
 */
export function errorFromResponse(response: HttpResponse, body: Uint8Array): FlotillaError {
  const retryAfterMs = readRetryAfterMs(response.headers);
  const document = isJson(response.headers) ? parsed(body) : undefined;
  const problem = document === undefined ? undefined : fromProblem(document, response.status);
  if (problem) return saidExecuted(document) ? problem : withExecuted(problem, 'unknown');
  const foreign = document === undefined ? undefined : readForeignError(document, response.status);
  return foreign ? fromForeign(response, foreign, retryAfterMs) : fromStatus(response, retryAfterMs);
}

/** What a bare status means. 503 and 504 are also what a proxy says after it sent the request on. */
const byStatus: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [400, 'INVALID_INPUT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'FORBIDDEN'],
  [404, 'NO_ROUTE'],
  [405, 'METHOD_NOT_ALLOWED'],
  [406, 'NOT_ACCEPTABLE'],
  [408, 'REQUEST_TIMEOUT'],
  [413, 'BODY_TOO_LARGE'],
  [414, 'TARGET_TOO_LONG'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
  [417, 'EXPECTATION_FAILED'],
  [429, 'RATE_LIMITED'],
  [431, 'HEADERS_TOO_LARGE'],
  [499, 'CANCELLED'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
  [508, 'LOOP_DETECTED'],
]);

/** Data that JSON cannot hold (a bigint, a circle) is left out: the caller still learns which error it was. */
function encode(problem: Problem): Uint8Array {
  try {
    return utf8.encode(JSON.stringify(problem));
  } catch {
    const { data: _, ...rest } = problem;
    return utf8.encode(JSON.stringify(rest));
  }
}

/** RFC 9110 §10.2.3, seconds; a date would need the sender's clock, so it suggests nothing. */
function readRetryAfterMs(headers: HttpHeaders): number | undefined {
  const field = headers.get('retry-after');
  return field !== undefined && /^[0-9]{1,8}$/.test(field) ? Number(field) * 1000 : undefined;
}

/** `application/json` too: some proxies rename what they do not know. */
function isJson(headers: HttpHeaders): boolean {
  return /^application\/(?:problem\+)?json[\t ]*(?:;|$)/i.test(headers.get('content-type') ?? '');
}

function parsed(body: Uint8Array): unknown {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/** Somebody else's document may have a `code` that reads like one of ours: its work may have been done. */
function saidExecuted(document: unknown): boolean {
  const executed = (document as { executed?: unknown }).executed;
  return executed === 'no' || executed === 'unknown' || executed === 'yes';
}

function withExecuted(error: FlotillaError, executed: Executed): FlotillaError {
  const { httpStatus, retryAfterMs, data, fromPeer } = error;
  const details = { executed, httpStatus, data, fromPeer };
  return new FlotillaError(
    error.code,
    error.detail,
    retryAfterMs === undefined ? details : { ...details, retryAfterMs },
  );
}

function fromStatus({ status }: HttpResponse, retryAfterMs: number | undefined): FlotillaError {
  const code = byStatus.get(status) ?? 'BAD_RESPONSE';
  return new FlotillaError(code, `the callee answered with status ${status} and no problem document of ours`, {
    executed: status >= 500 ? 'unknown' : errorTable[code].executed,
    data: { status },
    fromPeer: true,
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
  });
}

/**
 * A client that does not know a status takes it for the first one of its class (RFC 9110 §15), and whoever wrote such a
 * document decided on it. What a failed server said is for our log only: it may hold what no caller further out may see.
 */
function fromForeign(
  { status }: HttpResponse,
  { message, data }: ForeignError,
  retryAfterMs: number | undefined,
): FlotillaError {
  const code = byStatus.get(status) ?? foreignCode(status);
  const what = data['error'] ?? data['title'] ?? '';
  const at = data['path'] ?? data['instance'];
  const failed = status >= 500;
  const words = [`the callee answered ${status} ${what}`.trimEnd(), ...(at === undefined ? [] : [`at ${at}`])].join(
    ' ',
  );
  return new FlotillaError(code, failed || message === '' ? words : `${words}: ${message}`, {
    executed: !failed ? errorTable[code].executed : status === 503 && retryAfterMs !== undefined ? 'no' : 'unknown',
    httpStatus: status,
    data,
    fromPeer: true,
    ...(failed && message !== '' ? { cause: new Error(message) } : undefined),
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
  });
}

function foreignCode(status: number): ErrorCode {
  if (status < 400) return 'BAD_RESPONSE';
  if (status < 500) return 'INVALID_INPUT';
  return status === 501 ? 'UNIMPLEMENTED' : status === 502 ? 'CONNECTION_LOST' : 'INTERNAL';
}
