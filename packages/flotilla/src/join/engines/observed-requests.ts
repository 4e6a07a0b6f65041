import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Call,
  type Clock,
  FlotillaError,
  type Handler,
  type Logger,
  type Meter,
  type Random,
  type Tracer,
} from '@flotilla/core';
import { errorFromResponse, HttpHeaders, readContext } from '@flotilla/http';
import { observe, semanticNames } from '@flotilla/telemetry';

/** What observing takes. */
export interface ObserverNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly logger: Logger;
}

/** A request on its way through somebody else's framework. */
interface Passing {
  readonly method: string;
  readonly path: string;
  /** Resolves with the status when the last byte of the answer is out. */
  readonly answered: Promise<{ readonly status: number }>;
}

const nothing = new HttpHeaders();
const noBytes = new Uint8Array(0);

/**
 * Sees the requests of a server that is not ours: makes a call of each, out of the context that came with it, counts,
 * times and traces it until its last byte. It reads and listens; what the framework does with a request is its own affair.
 */
export class ObservedRequests {
  readonly #needs: ObserverNeeds;
  readonly #calls = new WeakMap<IncomingMessage, Call>();
  readonly #handle: Handler<Passing, { readonly status: number }>;
  #inFlight = 0;
  #leaving = false;
  #idle: (() => void) | undefined;

  constructor(needs: ObserverNeeds) {
    this.#needs = needs;
    this.#handle = observe<Passing, { readonly status: number }>({
      ...needs,
      kind: 'server',
      name: ({ method }) => method, // the route is known to the framework alone
      code: ({ status }) => codeOf(status),
      requestAttributes: ({ method, path }) => ({ [semanticNames.httpMethod]: method, [semanticNames.urlPath]: path }),
      responseAttributes: ({ status }) => ({ [semanticNames.httpStatus]: status }),
    })(({ answered }) => answered);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on each connection ends with its answer. */
  leave(): void {
    this.#leaving = true;
  }

  /** Resolves when no request is in hand. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** The call of a request; made when it is first seen, whoever sees it again. */
  take(request: IncomingMessage, response: ServerResponse): Call {
    const known = this.#calls.get(request);
    if (known) return known;
    const call = readContext(headersOf(request), this.#needs);
    this.#calls.set(request, call);
    if (this.#leaving) response.shouldKeepAlive = false;
    this.#inFlight++;
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number }>();
    response.once('close', () => {
      if (response.writableFinished) {
        resolve({ status: response.statusCode });
        call.end();
      } else {
        const gone = new FlotillaError('CANCELLED', 'the caller went away before the answer was whole');
        reject(gone);
        call.cancel(gone);
        call.end(gone);
      }
      this.#inFlight--;
      if (this.#inFlight === 0) this.#idle?.();
    });
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    this.#handle({ method: request.method ?? '', path, answered: promise }, call).catch(() => undefined); // it was counted
    return call;
  }
}

function headersOf({ rawHeaders }: IncomingMessage): HttpHeaders {
  const headers = new HttpHeaders();
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  return headers;
}

/** Out of the one table, so that these calls and those of services are counted alike. */
function codeOf(status: number): string {
  return status < 400 ? 'OK' : errorFromResponse({ status, headers: nothing, body: undefined }, noBytes).code;
}
