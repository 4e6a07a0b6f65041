import { Call, type Endpoint, FlotillaError, jittered, type Timer } from '@flotilla/core';
import {
  errorFromResponse,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  pathFromSegments,
  readBody,
} from '@flotilla/http';
import type { ClientLog } from './log.ts';
import type { ResolvedClientOptions } from './options.ts';
import { parseServerUrl, type ServerAddress } from './server-url.ts';

/** A request to whichever registry answers. Everything that is asked of a registry may be asked twice. */
export interface RegistryRequest {
  readonly method: string;
  /** After `/v1`. */
  readonly segments: readonly string[];
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly json?: unknown;
  /** JSON that is written already. */
  readonly text?: string;
  readonly accept?: string;
  /** The registry may hold its answer back for this long, besides the usual time for one. Default 0. */
  readonly waitMs?: number;
}

/** An answer that was read whole. */
export interface RegistryAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  /** The registry that gave it. */
  readonly registry: string;
}

/** An answer whose body is still to come. It ends with `call`. */
export interface OpenAnswer {
  readonly response: HttpResponse;
  readonly call: Call;
  /** The registry that gave it. */
  readonly registry: string;
}

interface Server extends ServerAddress {
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
}

/** A list of 100,000 instances fits. */
export const maxAnswerBytes = 134_217_728;
const utf8 = new TextEncoder();

/**
 * The registries that a client was told of. Requests go to the one that answered last; when it does not answer or refuses
 * our credentials, to the others in their order, each once. Registries need not know of each other, so a whole process
 * stays with one of them ({@link onSwitch}), and a fleet meets at the first: while another one is used, those before it
 * are asked every `returnEveryMs` whether they answer again.
 */
export class RegistryServers {
  readonly #options: ResolvedClientOptions;
  readonly #log: ClientLog;
  readonly #servers: readonly Server[];
  #current = 0;
  /** Undefined until the first answer or failure. */
  #reachable: boolean | undefined;
  readonly #listeners = new Set<(registry: string) => void>();
  #returnTimer: Timer | undefined;
  #closed = false;
  /** What was said last about our credentials, by registry. */
  readonly #refusals = new Map<string, string>();

  /** @throws FlotillaError CONFIG_INVALID for a url that is none */
  constructor(options: ResolvedClientOptions, log: ClientLog) {
    this.#options = options;
    this.#log = log;
    this.#servers = options.urls.map(parseServerUrl).map((address) => ({
      ...address,
      endpoint: options.network.connect(address.target),
    }));
  }

  /**
   * The whole answer of the first registry that gives one; a refusal (4xx) is an answer.
   * @param parent the work that this belongs to: the request ends with it.
   * @throws FlotillaError the last failure, when none answered
   */
  send(request: RegistryRequest, parent?: Call): Promise<RegistryAnswer> {
    return this.#first(async (server) => {
      const call = this.#call(parent, request.waitMs);
      const response = await server.endpoint.handle(toHttp(request, server), call);
      const body = await readBody(response.body, maxAnswerBytes, call);
      if (cannotServe(response.status)) throw this.#failureOf(server, response, body);
      return { status: response.status, body, registry: server.label };
    }, parent);
  }

  /**
   * As {@link send}, but resolves with the head; the time limit is for that alone. One that does not come says nothing about
   * the registry: a proxy may hold it back.
   */
  open(request: RegistryRequest, parent: Call): Promise<OpenAnswer> {
    const { clock, requestTimeoutMs } = this.#options;
    return this.#first(
      async (server) => {
        const call = parent.child();
        const reason = new FlotillaError(
          'DEADLINE_EXCEEDED',
          `no answer of ${server.label} within ${requestTimeoutMs} ms`,
        );
        const timer = clock.setTimer(requestTimeoutMs, () => call.cancel(reason), { background: true });
        try {
          const response = await server.endpoint.handle(toHttp(request, server), call);
          if (!cannotServe(response.status)) return { response, call, registry: server.label };
          throw this.#failureOf(server, response, await readBody(response.body, maxAnswerBytes, call));
        } finally {
          timer.cancel();
        }
      },
      parent,
      false,
    );
  }

  /** Calls `listener` with the registry that is used from now on. @returns takes it back. */
  onSwitch(listener: (registry: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#returnTimer?.cancel();
    await Promise.all(this.#servers.map(({ endpoint }) => endpoint.close()));
  }

  async #first<T>(attempt: (server: Server) => Promise<T>, parent: Call | undefined, isSign = true): Promise<T> {
    const first = this.#current;
    let failure: unknown;
    for (let step = 0; step < this.#servers.length; step++) {
      const index = (first + step) % this.#servers.length;
      const server = this.#servers[index];
      if (!server) continue;
      try {
        const result = await attempt(server);
        this.#answered(index, server.label);
        return result;
      } catch (error) {
        if (parent?.cancelled) throw error; // nobody wants it any more: that says nothing about the registry
        failure = error;
      }
    }
    if (!isSign) throw failure;
    if (this.#reachable !== false) {
      this.#log.unreachable({ registries: this.#servers.map(({ label }) => label), cause: failure });
    }
    this.#reachable = false;
    throw failure;
  }

  #answered(index: number, label: string): void {
    const before = this.#servers[this.#current]?.label;
    const switched = index !== this.#current && before !== undefined;
    if (this.#reachable === false) this.#log.reachable(label);
    else if (switched) this.#log.switched({ from: before, to: label });
    this.#reachable = true;
    this.#current = index;
    this.#refusals.delete(label);
    if (!switched) return;
    this.#planReturn();
    for (const listener of [...this.#listeners]) listener(label);
  }

  #planReturn(): void {
    this.#returnTimer?.cancel();
    this.#returnTimer = undefined;
    if (this.#current === 0 || this.#closed) return;
    const { clock, random, returnEveryMs } = this.#options;
    const again = (): void => void this.#tryPreferred();
    this.#returnTimer = clock.setTimer(jittered(returnEveryMs, random), again, { background: true });
  }

  /** Asks those that are preferred to the present one for next to nothing. Never rejects. */
  async #tryPreferred(): Promise<void> {
    for (const [index, server] of this.#servers.slice(0, this.#current).entries()) {
      const call = this.#call(undefined);
      try {
        const response = await server.endpoint.handle(toHttp(probe, server), call);
        const body = await readBody(response.body, maxAnswerBytes, call);
        if (this.#closed) return;
        if (response.status === 200) return this.#answered(index, server.label);
        if (response.status === 401) this.#failureOf(server, response, body);
      } catch {
        // It does not answer yet.
      } finally {
        call.end();
      }
    }
    if (!this.#closed) this.#planReturn();
  }

  /** What a registry that cannot serve us answered, as an error; about our credentials in words that say what to do. */
  #failureOf(server: Server, response: HttpResponse, body: Uint8Array): FlotillaError {
    if (response.status !== 401) return errorFromResponse(response, body);
    const { label, user } = server;
    const reason =
      user === undefined
        ? `the registry ${label} wants credentials: write user:password@ before its host in "registry"`
        : `the registry ${label} does not know the user "${user}" with this password: compare "registry" here with ` +
          '"registry.users" there; in a url : / ? # [ ] @ , % are percent-encoded';
    if (this.#refusals.get(label) !== reason) this.#log.credentialsRefused({ registry: label, reason });
    this.#refusals.set(label, reason);
    return new FlotillaError('UNAUTHENTICATED', reason);
  }

  #call(parent: Call | undefined, waitMs = 0): Call {
    const { clock, random, requestTimeoutMs } = this.#options;
    const timeoutMs = requestTimeoutMs + waitMs;
    if (parent) return parent.child({ timeoutMs });
    return new Call({ clock, random, deadline: clock.now() + timeoutMs });
  }
}

/** The registry is there and cannot now, or not for us; another one may. */
function cannotServe(status: number): boolean {
  return (status >= 500 && status !== 501) || status === 429 || status === 401;
}

/** A question that every registry answers shortly: who serves a name that no service can have. */
const probe: RegistryRequest = Object.freeze({
  method: 'GET',
  segments: ['instances'],
  query: { service: '@' },
});

function toHttp({ method, segments, query = {}, json, text, accept }: RegistryRequest, server: Server): HttpRequest {
  const written = json === undefined ? text : JSON.stringify(json);
  const headers = new HttpHeaders([['accept', accept ?? 'application/json']]);
  if (server.authorization) headers.set('authorization', server.authorization.reveal());
  if (written !== undefined) headers.set('content-type', 'application/json');
  return {
    method,
    authority: server.authority,
    path: pathFromSegments([...server.prefix, 'v1', ...segments]),
    query: new URLSearchParams(
      Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ).toString(),
    headers,
    body: written === undefined ? undefined : utf8.encode(written),
  };
}
