import { type Call, type Endpoint, FlotillaError } from '@flotilla/core';
import {
  errorFromResponse,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  pathFromSegments,
  pathFromText,
  readBody,
} from '@flotilla/http';
import { gunzipped } from './engines/gunzip.ts';
import type { EurekaClientLog } from './log.ts';
import type { ResolvedEurekaOptions } from './options.ts';
import { outOfQuarantine, tryOrder } from './server-choice.ts';
import { type EurekaAddress, parseEurekaUrl } from './server-url.ts';

/** A request to whichever server answers. */
export interface EurekaRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** After the prefix: `['apps', 'ORDERS', 'a']`. */
  readonly segments: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Statuses from 400 on that are an answer and no reason to ask another server. */
  readonly answers: ReadonlySet<number>;
}

/** An answer that was read whole. */
export interface EurekaAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  /** The server that gave it. */
  readonly server: string;
}

interface Server extends EurekaAddress {
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
}

/** A list of 100,000 instances fits. */
const maxAnswerBytes = 134_217_728;
/** `RetryableEurekaHttpClient.DEFAULT_NUMBER_OF_RETRIES`. */
const mostTries = 3;
/** `RedirectingEurekaHttpClient.MAX_FOLLOWED_REDIRECTS`. */
const mostRedirects = 10;
const utf8 = new TextEncoder();

/**
 * The Eureka servers that a client was told of. They replicate to each other, so any will do: one is chosen and kept for a
 * session; one that fails is in quarantine, and another one is tried, three in all for one request.
 */
export class EurekaServers {
  readonly #options: ResolvedEurekaOptions;
  readonly #log: EurekaClientLog;
  readonly #servers: readonly Server[];
  readonly #quarantine = new Set<Server>();
  #session: { readonly server: Server; readonly until: number } | undefined;
  #last: Server | undefined;
  /** Undefined until the first answer or failure. */
  #reachable: boolean | undefined;
  /** What was said last about our credentials, and about redirections, by server. */
  readonly #refusals = new Map<string, string>();

  /** @throws FlotillaError CONFIG_INVALID for a url that is none */
  constructor(options: ResolvedEurekaOptions, log: EurekaClientLog) {
    this.#options = options;
    this.#log = log;
    this.#servers = options.urls.map(parseEurekaUrl).map((address) => ({
      ...address,
      endpoint: options.network.connect(address.target),
    }));
  }

  /**
   * The whole answer of the first server that gives one.
   * @param parent the work that this belongs to: the request ends with it.
   * @throws FlotillaError the last failure, when none answered
   */
  async send(request: EurekaRequest, parent: Call): Promise<EurekaAnswer> {
    let failure: unknown;
    for (const server of this.#candidates()) {
      try {
        const answer = await this.#ask(server, request, parent);
        this.#answered(server);
        return answer;
      } catch (error) {
        if (parent.cancelled) throw error; // nobody wants it any more: that says nothing about the server
        failure = error;
        this.#quarantine.add(server);
        this.#session = undefined;
      }
    }
    if (this.#reachable !== false) {
      this.#log.unreachable({ servers: this.#servers.map(({ label }) => label), cause: failure });
    }
    this.#reachable = false;
    throw failure;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map(({ endpoint }) => endpoint.close()));
  }

  /** The session's server first, then others that are not in quarantine. */
  #candidates(): readonly Server[] {
    const { clock, zone, random } = this.#options;
    const order = tryOrder(this.#servers, zone, random);
    const { candidates, cleared } = outOfQuarantine(order, this.#quarantine);
    if (cleared) this.#quarantine.clear();
    const kept = this.#session && clock.now() < this.#session.until ? this.#session.server : undefined;
    const first = kept === undefined ? candidates : [kept, ...candidates.filter((server) => server !== kept)];
    return first.slice(0, mostTries);
  }

  #answered(server: Server): void {
    if (this.#reachable === false) this.#log.reachable(server.label);
    else if (this.#last && this.#last !== server) this.#log.switched({ from: this.#last.label, to: server.label });
    this.#reachable = true;
    this.#last = server;
    this.#quarantine.delete(server);
    this.#refusals.delete(server.label);
    const { clock, random, sessionMs } = this.#options;
    if (this.#session?.server === server && clock.now() < this.#session.until) return;
    this.#session = { server, until: clock.now() + sessionMs * (0.5 + random()) };
  }

  async #ask(server: Server, request: EurekaRequest, parent: Call): Promise<EurekaAnswer> {
    const { requestTimeoutMs, compact } = this.#options;
    const call = parent.child({ timeoutMs: requestTimeoutMs });
    let at = server;
    let http = toHttp(request, at, compact);
    for (let redirects = 0; ; redirects++) {
      const response = await at.endpoint.handle(http, call);
      const location = redirectOf(response);
      if (location === undefined) {
        const body = await this.#bodyOf(response, call);
        if (!isAnswer(response.status, request)) throw this.#failureOf(at, response, body);
        return { status: response.status, body, server: at.label };
      }
      await this.#bodyOf(response, call); // so that the connection can be used again
      const next = redirects < mostRedirects ? this.#placeOf(at, location) : undefined;
      if (!next) throw this.#refuseRedirect(at, location);
      at = next.server;
      http = {
        ...toHttp(request, at, compact),
        path: pathFromText(next.url.pathname),
        query: next.url.search.slice(1),
      };
    }
  }

  /** Where a redirection leads: only to a server that we were told of, or our registration would go to a stranger. */
  #placeOf(from: Server, location: string): { readonly server: Server; readonly url: URL } | undefined {
    const url = URL.parse(location, from.origin);
    if (!url) return undefined;
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    const origin = `${url.protocol}//${url.hostname}:${port}`;
    const server = this.#servers.find((known) => known.origin === origin);
    return server && { server, url };
  }

  async #bodyOf({ headers, body }: HttpResponse, call: Call): Promise<Uint8Array> {
    const bytes = await readBody(body, maxAnswerBytes, call);
    const coding = headers.get('content-encoding')?.trim().toLowerCase();
    if (coding === undefined || coding === '' || coding === 'identity' || bytes.length === 0) return bytes;
    try {
      if (coding === 'gzip' || coding === 'x-gzip') return await gunzipped(bytes, maxAnswerBytes);
    } catch (cause) {
      throw new FlotillaError('BAD_RESPONSE', 'the answer says it is gzip, and is not, or too large', { cause });
    }
    throw new FlotillaError('BAD_RESPONSE', `the answer is coded as "${coding.slice(0, 40)}", which nobody asked for`);
  }

  #refuseRedirect(server: Server, location: string): FlotillaError {
    const shown = location.slice(0, 200);
    if (this.#refusals.get(server.label) !== shown)
      this.#log.refusedRedirect({ server: server.label, location: shown });
    this.#refusals.set(server.label, shown);
    return new FlotillaError('BAD_RESPONSE', `${server.label} sends us to ${shown}, which is not in "registry"`);
  }

  /** What a server that cannot serve us answered, as an error; about our credentials in words that say what to do. */
  #failureOf(server: Server, response: HttpResponse, body: Uint8Array): FlotillaError {
    if (response.status !== 401 && response.status !== 403) return errorFromResponse(response, body);
    const { label, user } = server;
    const reason =
      user === undefined
        ? `the Eureka server ${label} wants credentials: write user:password@ before its host in "registry"`
        : `the Eureka server ${label} does not let the user "${user}" in with this password; in a url : / ? # [ ] @ , % ` +
          'are percent-encoded';
    if (this.#refusals.get(label) !== reason) this.#log.credentialsRefused({ server: label, reason });
    this.#refusals.set(label, reason);
    return new FlotillaError('UNAUTHENTICATED', reason);
  }
}

function isAnswer(status: number, { answers }: EurekaRequest): boolean {
  return (status >= 200 && status < 300) || answers.has(status);
}

function redirectOf({ status, headers }: HttpResponse): string | undefined {
  if (status !== 301 && status !== 302 && status !== 307 && status !== 308) return undefined;
  return headers.get('location') ?? '';
}

function toHttp({ method, segments, query = {}, json }: EurekaRequest, server: Server, compact: boolean): HttpRequest {
  const headers = new HttpHeaders([['accept', 'application/json']]);
  if (method === 'GET') headers.set('accept-encoding', 'gzip');
  if (method === 'GET' && compact) headers.set('x-eureka-accept', 'compact');
  if (server.authorization) headers.set('authorization', server.authorization.reveal());
  if (json !== undefined) headers.set('content-type', 'application/json');
  return {
    method,
    authority: server.authority,
    path: pathFromSegments([...server.prefix, ...segments]),
    query: new URLSearchParams(query).toString(),
    headers,
    body: json === undefined ? undefined : utf8.encode(JSON.stringify(json)),
  };
}
