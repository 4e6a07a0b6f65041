import { type Call, type Endpoint, FlotillaError, type Timer } from '@flotilla/core';
import {
  errorFromResponse,
  HttpHeaders,
  type HttpNetwork,
  type HttpRequest,
  type HttpResponse,
  type HttpTarget,
  pathFromSegments,
  readBody,
} from '@flotilla/http';
import type { Moment } from './loop.ts';

/** One of several servers that say the same. */
export interface HttpHost {
  /** For errors. */
  readonly label: string;
  readonly target: HttpTarget;
  readonly authority: string;
  readonly prefix: readonly string[];
  /** Fields of each request to it: credentials, asked for each time since they may be renewed. */
  readonly headers: () => HostFields | Promise<HostFields>;
}

/** Header fields. */
export type HostFields = readonly (readonly [name: string, value: string])[];

/** A request to whichever host answers. */
export interface HostRequest {
  readonly method: string;
  readonly segments: readonly string[];
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly json?: unknown;
}

/** An answer that was read whole; its status is below 500. */
export interface HostAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Uint8Array;
}

/** A list of 10,000 instances of Kubernetes, or of 100,000 of ours, fits. */
export const maxAnswerBytes = 134_217_728;
const utf8 = new TextEncoder();
const utf8Text = new TextDecoder();

/**
 * Several servers that say the same. A request goes to the one that answered last; when that does not answer, or answers
 * 5xx or 429, to the others in their order, each once.
 */
export class HttpHosts {
  readonly #moment: Moment;
  readonly #hosts: readonly (HttpHost & { readonly endpoint: Endpoint<HttpRequest, HttpResponse> })[];
  #current = 0;

  constructor(hosts: readonly HttpHost[], network: HttpNetwork, moment: Moment) {
    this.#moment = moment;
    this.#hosts = hosts.map((host) => ({ ...host, endpoint: network.connect(host.target) }));
  }

  /**
   * The whole answer of the first host that gives one.
   * @param timeoutMs for one host.
   * @throws FlotillaError the last failure, when none answered
   */
  send(request: HostRequest, timeoutMs: number, parent: Call): Promise<HostAnswer> {
    return this.#first(async (host) => {
      const call = parent.child({ timeoutMs });
      const { status, headers, body } = await host.endpoint.handle(await toHttp(request, host), call);
      const bytes = await readBody(body, maxAnswerBytes, call);
      if (cannotServe(status)) throw errorFromResponse({ status, headers, body: bytes }, bytes);
      return { status, headers, body: bytes };
    }, parent);
  }

  /**
   * As {@link send}, but resolves with the head; the time limit is for that alone. The stream ends with `call`, which is
   * for the caller to cancel.
   */
  open(request: HostRequest, timeoutMs: number, parent: Call): Promise<{ response: HttpResponse; call: Call }> {
    return this.#first(async (host) => {
      const call = parent.child();
      const timer = this.#limit(call, host, timeoutMs);
      try {
        const response = await host.endpoint.handle(await toHttp(request, host), call);
        if (!cannotServe(response.status)) return { response, call };
        throw errorFromResponse(response, await readBody(response.body, maxAnswerBytes, call));
      } finally {
        timer.cancel();
      }
    }, parent);
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map(({ endpoint }) => endpoint.close()));
  }

  async #first<T>(
    attempt: (host: HttpHost & { endpoint: Endpoint<HttpRequest, HttpResponse> }) => Promise<T>,
    parent: Call,
  ): Promise<T> {
    let failure: unknown;
    const first = this.#current;
    for (let step = 0; step < this.#hosts.length; step++) {
      const index = (first + step) % this.#hosts.length;
      const host = this.#hosts[index];
      if (!host) continue;
      try {
        const result = await attempt(host);
        this.#current = index;
        return result;
      } catch (thrown) {
        if (parent.cancelled) throw thrown; // nobody wants it any more: that says nothing about the host
        failure = thrown;
      }
    }
    throw failure;
  }

  #limit(call: Call, { label }: HttpHost, timeoutMs: number): Timer {
    const reason = new FlotillaError('DEADLINE_EXCEEDED', `no answer of ${label} within ${timeoutMs} ms`);
    return this.#moment.clock.setTimer(timeoutMs, () => call.cancel(reason), { background: true });
  }
}

/** @throws FlotillaError BAD_RESPONSE unless the body is JSON. Bounded by {@link maxAnswerBytes} alone. */
export function jsonOf({ body }: Pick<HostAnswer, 'body'>): unknown {
  try {
    return JSON.parse(utf8Text.decode(body));
  } catch (cause) {
    throw new FlotillaError('BAD_RESPONSE', 'the answer is not JSON', { cause });
  }
}

/**
 * An answer that is a refusal, as an error that says so.
 * @param about what was asked, and what to set when it is about credentials.
 */
export function refusalOf({ status, body }: HostAnswer, about: string): FlotillaError {
  const said = utf8Text.decode(body.subarray(0, 300)).trim();
  const code = status === 401 ? 'UNAUTHENTICATED' : status === 403 ? 'FORBIDDEN' : 'BAD_RESPONSE';
  return new FlotillaError(code, `${about}: answered ${status}${said === '' ? '' : ` "${said}"`}`, {
    httpStatus: status,
    fromPeer: true,
  });
}

/** The host is there and cannot now; another one may. */
function cannotServe(status: number): boolean {
  return status >= 500 || status === 429;
}

async function toHttp({ method, segments, query = {}, json }: HostRequest, host: HttpHost): Promise<HttpRequest> {
  const headers = new HttpHeaders([['accept', 'application/json']]);
  for (const [name, value] of await host.headers()) headers.set(name, value);
  if (json !== undefined) headers.set('content-type', 'application/json');
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    method,
    authority: host.authority,
    path: pathFromSegments([...host.prefix, ...segments]),
    query: new URLSearchParams(given).toString(),
    headers,
    body: json === undefined ? undefined : utf8.encode(JSON.stringify(json)),
  };
}
