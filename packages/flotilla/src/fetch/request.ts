import type { Call } from '@flotilla/core';
import { type HttpBody, HttpHeaders, type HttpRequest, isRepeatable, parsePath } from '@flotilla/http';

/** What a fetch may be told besides what every fetch takes. */
export interface FetchInit extends RequestInit {
  /** Milliseconds for the whole call, retries, redirects and the last byte included. Default 30,000; `Infinity`: none of its own. */
  readonly timeoutMs?: number;
  /** False: one attempt, whatever becomes of it. Default true: what is safe to repeat is repeated. */
  readonly retry?: boolean;
  /** Name of the service, when it has characters that no host has. Default: the host of the URL. */
  readonly service?: string;
  /** The call to work for. Default: the one that the running code works for. */
  readonly call?: Call;
}

/** A request that can be sent, once or as often as it takes. */
export interface PreparedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: HttpBody;
  readonly redirect: Request['redirect'];
  readonly signal: AbortSignal | undefined;
}

/** Bodies of a known size up to this are sent from memory, so that they can be sent again. */
const replayableBytes = 1_048_576;

/**
 * Reads what `fetch` is given, by the rules of the platform's own `Request`.
 * Text, bytes, forms and small blobs can be sent again; a stream, or the body of a given `Request`, is sent once.
 * @throws TypeError as `new Request` does: for a relative URL, credentials in it, a body of GET
 */
export async function prepare(input: string | URL | Request, init: FetchInit): Promise<PreparedRequest> {
  const { timeoutMs: _timeout, retry: _retry, service: _service, call: _call, ...plain } = init;
  const streamed = isStream(plain.body);
  const request = new Request(input, streamed ? ({ duplex: 'half', ...plain } as RequestInit) : plain);
  const signal = plain.signal ?? (input instanceof Request ? input.signal : undefined);
  const held = plain.body !== undefined && plain.body !== null && !streamed && !isLarge(plain.body);
  return {
    url: new URL(request.url),
    method: request.method.toUpperCase(), // "patch" is no method that anybody serves
    headers: request.headers,
    body: request.body === null ? undefined : held ? new Uint8Array(await request.arrayBuffer()) : request.body,
    redirect: request.redirect,
    signal: signal ?? undefined,
  };
}

/** The message that goes out: the service as authority, as the caller wrote it. */
export function messageOf({ url, method, headers, body }: PreparedRequest): HttpRequest {
  return {
    method,
    authority: url.hostname,
    path: parsePath(url.pathname, { encodedSlash: 'keep' }),
    query: url.search.slice(1),
    headers: new HttpHeaders(headers),
    body,
  };
}

/** Methods whose work may be done twice without harm (RFC 9110 §9.2.2); a key makes any other one so. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export function isIdempotent({ method, headers }: PreparedRequest): boolean {
  return idempotentMethods.has(method) || headers.has('idempotency-key');
}

export function isReplayable({ body }: Pick<PreparedRequest, 'body'>): boolean {
  return isRepeatable(body);
}

function isStream(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return body instanceof ReadableStream || (Symbol.asyncIterator in body && !(body instanceof Blob));
}

function isLarge(body: unknown): boolean {
  return body instanceof Blob && body.size > replayableBytes;
}
