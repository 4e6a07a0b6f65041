import { Call, type Endpoint, FlotillaError } from '@flotilla/core';
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
  readonly accept?: string;
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
}

interface Server extends ServerAddress {
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
}

/** A list of 100,000 instances fits. */
export const maxAnswerBytes = 134_217_728;
const utf8 = new TextEncoder();

/**
 * The registries that a client was told of. Requests go to the one that answered last; when it does not, to the others
 * in their order, each once.
 */
export class RegistryServers {
  readonly #options: ResolvedClientOptions;
  readonly #log: ClientLog;
  readonly #servers: readonly Server[];
  #current = 0;
  /** Undefined until the first answer or failure. */
  #reachable: boolean | undefined;

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
      const call = this.#call(parent);
      const response = await server.endpoint.handle(toHttp(request, server), call);
      const body = await readBody(response.body, maxAnswerBytes, call);
      if (cannotServe(response.status)) throw errorFromResponse(response, body);
      return { status: response.status, body, registry: server.label };
    }, parent);
  }

  /** As {@link send}, but resolves with the head; the time limit is for that alone. */
  open(request: RegistryRequest, parent: Call): Promise<OpenAnswer> {
    const { clock, requestTimeoutMs } = this.#options;
    return this.#first(async (server) => {
      const call = parent.child();
      const reason = new FlotillaError(
        'DEADLINE_EXCEEDED',
        `no answer of ${server.label} within ${requestTimeoutMs} ms`,
      );
      const timer = clock.setTimer(requestTimeoutMs, () => call.cancel(reason), { background: true });
      try {
        const response = await server.endpoint.handle(toHttp(request, server), call);
        if (!cannotServe(response.status)) return { response, call };
        throw errorFromResponse(response, await readBody(response.body, maxAnswerBytes, call));
      } finally {
        timer.cancel();
      }
    }, parent);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map(({ endpoint }) => endpoint.close()));
  }

  async #first<T>(attempt: (server: Server) => Promise<T>, parent: Call | undefined): Promise<T> {
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
    if (this.#reachable !== false) {
      this.#log.unreachable({ registries: this.#servers.map(({ label }) => label), cause: failure });
    }
    this.#reachable = false;
    throw failure;
  }

  #answered(index: number, label: string): void {
    const before = this.#servers[this.#current]?.label;
    if (this.#reachable === false) this.#log.reachable(label);
    else if (index !== this.#current && before) this.#log.switched({ from: before, to: label });
    this.#reachable = true;
    this.#current = index;
  }

  #call(parent: Call | undefined): Call {
    const { clock, random, requestTimeoutMs } = this.#options;
    if (parent) return parent.child({ timeoutMs: requestTimeoutMs });
    return new Call({ clock, random, deadline: clock.now() + requestTimeoutMs });
  }
}

/** The registry is there and cannot now; another one may. */
function cannotServe(status: number): boolean {
  return (status >= 500 && status !== 501) || status === 429;
}

function toHttp({ method, segments, query = {}, json, accept }: RegistryRequest, server: Server): HttpRequest {
  const headers = new HttpHeaders([['accept', accept ?? 'application/json']]);
  if (server.authorization) headers.set('authorization', server.authorization.reveal());
  if (json !== undefined) headers.set('content-type', 'application/json');
  return {
    method,
    authority: server.authority,
    path: pathFromSegments([...server.prefix, 'v1', ...segments]),
    query: new URLSearchParams(
      Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ).toString(),
    headers,
    body: json === undefined ? undefined : utf8.encode(JSON.stringify(json)),
  };
}
