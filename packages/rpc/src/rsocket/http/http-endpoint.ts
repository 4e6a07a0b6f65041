import { type Call, type Endpoint, type EndpointStatus, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';
import { outgoingRequestHeaders } from '@flotilla/http/engine';
import { type PoolLimits, poolDefaults } from '@flotilla/http/node';
import type { RSocketLinks } from '../calls/links.ts';
import type { RSocketPeer } from '../peer.ts';
import { type ReadAnswer, readAnswer } from './answer-text.ts';
import { ClientExchange, type ExchangeHost } from './client-exchange.ts';

/** What an {@link httpOverRSocket} endpoint allows. */
export type HttpEndpointLimits = Pick<PoolLimits, 'maxHeaderBytes' | 'maxHeaderFields'> & {
  /** Requests in hand. More: the endpoint is `busy` and refuses. */
  readonly maxLoad: number;
};

export const httpEndpointDefaults: HttpEndpointLimits = Object.freeze({
  maxHeaderBytes: poolDefaults.maxHeaderBytes,
  maxHeaderFields: poolDefaults.maxHeaderFields,
  maxLoad: 16_384, // all of them share a few connections
});

/**
 * HTTP requests to one address, over connections that carry many at a time. What they mean, how they fail and when their
 * calls end is as over HTTP/1.1; only a change of the protocol is not possible.
 *
 * Errors: CONNECT_FAILED and UNAVAILABLE (`executed: no`: nothing left, or the peer did not begin), CONNECTION_LOST,
 * BAD_RESPONSE, the reason of a cancelled call.
 */
export function httpOverRSocket(
  links: RSocketLinks,
  limits: Partial<HttpEndpointLimits> = {},
): Endpoint<HttpRequest, HttpResponse> {
  return new HttpEndpoint(links, { ...httpEndpointDefaults, ...limits });
}

class HttpEndpoint implements Endpoint<HttpRequest, HttpResponse>, ExchangeHost {
  readonly target: string;
  readonly #links: RSocketLinks;
  readonly #limits: HttpEndpointLimits;
  #load = 0;
  #closed: PromiseWithResolvers<void> | undefined;
  /** Answers of one service look alike: the head before is compared with the next one before that is read. */
  #headBefore: { readonly text: string; readonly answer: ReadAnswer } | undefined;

  constructor(links: RSocketLinks, limits: HttpEndpointLimits) {
    this.target = links.target;
    this.#links = links;
    this.#limits = limits;
  }

  get status(): EndpointStatus {
    if (this.#closed) return 'closed';
    return this.#load < this.#limits.maxLoad ? this.#links.status : 'busy';
  }

  get load(): number {
    return this.#load;
  }

  readonly handle = (request: HttpRequest, call: Call): Promise<HttpResponse> => {
    let exchange: ClientExchange;
    try {
      this.#admit(request);
      call.throwIfCancelled();
      exchange = new ClientExchange(this, request, outgoingRequestHeaders(request, call), call);
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      call.end(error);
      return Promise.reject(error);
    }
    this.#load++;
    const connection = this.#links.current();
    return connection ? exchange.send(connection) : this.#connectAndSend(exchange, call);
  };

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = Promise.withResolvers();
      this.#releaseIfIdle();
    }
    return this.#closed.promise;
  }

  /** Of an exchange host. */
  readHead(text: string): ReadAnswer {
    const before = this.#headBefore;
    if (before?.text === text) return { ...before.answer, headers: before.answer.headers.copy() };
    const { maxHeaderBytes, maxHeaderFields } = this.#limits;
    const limits = { maxHeaderBytes, maxHeaderFields, maxFieldBytes: maxHeaderBytes };
    const answer = readAnswer(text, limits, this.target);
    if (text.length <= mostKeptCharacters) {
      this.#headBefore = { text, answer: { ...answer, headers: answer.headers.copy() } };
    }
    return answer;
  }

  /** Of an exchange host. */
  left(): void {
    this.#load--;
    this.#releaseIfIdle();
  }

  #admit(request: HttpRequest): void {
    if (this.#closed) throw new FlotillaError('UNAVAILABLE', `the endpoint of ${this.target} is closed`);
    if (this.#load >= this.#limits.maxLoad) {
      throw new FlotillaError('UNAVAILABLE', `${this.target} has ${this.#load} calls in hand, as many as it may`);
    }
    if (!request.upgrade) return;
    const detail = 'a request that asks for another protocol needs a connection of its own, over HTTP/1.1';
    throw new FlotillaError('UNIMPLEMENTED', detail);
  }

  async #connectAndSend(exchange: ClientExchange, call: Call): Promise<HttpResponse> {
    let connection: RSocketPeer;
    try {
      connection = await this.#links.connect(call);
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      this.left();
      call.end(error);
      throw error;
    }
    return exchange.send(connection);
  }

  #releaseIfIdle(): void {
    const closed = this.#closed;
    if (closed && this.#load === 0) this.#links.close().then(closed.resolve, closed.reject);
  }
}

/** A head up to this length is kept. */
const mostKeptCharacters = 1_024;
