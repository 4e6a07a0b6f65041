import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { FlotillaError, toFlotillaError } from '@flotilla/core';
import type { Peer } from '../../exchange.ts';
import { asksForWebSocket, checkWebSocketRequest } from '../../websocket-handshake.ts';
import { incomingHeaders } from '../messages.ts';
import { discard } from './discard.ts';
import { type ExchangeHost, Http1Exchange } from './http1-exchange.ts';
import type { Http1Options } from './http1-options.ts';
import { parserError } from './parser-error.ts';
import { farewell, refusal } from './refusal.ts';
import { checkHead, type ReadFields, type RequestHead } from './request-head.ts';
import { peerOf } from './tls/peer-of.ts';
import type { TongueConnection } from './tongue.ts';

/**
 * One connection that speaks HTTP/1.1. Requests are handled one after the other, in order.
 *
 * | phase | ends with | exits |
 * |---|---|---|
 * | head: bytes of a request came, not all of its head | 408 after `headTimeoutMs` | in hand, leaving |
 * | in hand: {@link Http1Exchange} times its body and its answer | 408, reset | idle, in hand, leaving |
 * | idle | a silent close after `keepAliveIdleMs` ± jitter | head, closed |
 * | leaving: half-closed, input is thrown away | a cut after `lingerMs` | closed |
 */
export class Http1Connection implements TongueConnection, ExchangeHost {
  readonly socket: Socket;
  readonly options: Http1Options;
  readonly peer: Peer;
  /** In order; only the first one is being handled. */
  readonly #queue: Http1Exchange[] = [];
  /** Of the request before. */
  #fields: ReadFields | undefined;
  #served = 0;
  #draining = false;
  /** Nothing more is taken; with words, they are said after the last answer. */
  #last: { readonly words?: string } | undefined;
  #leavingAt: number | undefined;
  /** When the bytes of a head began to come; undefined while idle. */
  #headSince: number | undefined;
  #idleSince: number;
  #idleLimitMs: number;
  /** `socket.bytesRead` when the last request was whole. */
  #bytesBefore = 0;

  constructor(socket: Socket, openedAt: number, options: Http1Options) {
    this.socket = socket;
    this.options = options;
    this.peer = peerOf(socket);
    this.#headSince = openedAt;
    this.#idleSince = openedAt;
    this.#idleLimitMs = this.#jitteredIdleMs();
    const destroySoon = socket.destroySoon.bind(socket);
    // How `node:http` closes after an answer: at once, though the client may still be sending.
    socket.destroySoon = () => {
      if (this.#queue[0]?.receiving) this.leave();
      else destroySoon();
    };
    socket.once('close', () => this.#closed());
  }

  get inFlight(): number {
    return this.#queue.length - (this.#queue[0]?.answered ? 1 : 0);
  }

  get closing(): boolean {
    if (this.#queue.length > 1) return false;
    if (this.#last) return this.#last.words === undefined;
    return this.#draining || this.#served >= this.options.limits.maxRequestsPerConnection;
  }

  /** The parser has a whole head. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const { limits } = this.options;
    this.#headSince = undefined;
    request.on('error', nothing);
    if (this.#queue.length > limits.maxPipelined) this.#finishWith({});
    if (this.#last || this.#served >= limits.maxRequestsPerConnection) {
      discard(request, limits.maxDiscardBytes);
      return;
    }
    try {
      this.#enqueue(new Http1Exchange(this, request, response, this.#check(request)));
    } catch (thrown) {
      discard(request, limits.maxDiscardBytes);
      this.refuse(toFlotillaError(thrown), request);
    }
  }

  /**
   * May a request that asks for a WebSocket have this connection? Not while others are in line: whoever sends on before
   * it knows the answer is served as if it had not asked.
   */
  mayUpgrade(request: IncomingMessage): boolean {
    if (this.#queue.length > 0 || this.#last || this.#draining) return false;
    const { method = '', httpVersion: version, rawHeaders: fields } = request;
    return asksForWebSocket({ method, version, fields });
  }

  /** The parser has let go of the connection after the head of such a request. @param behind what came behind it. */
  takeUpgrade(request: IncomingMessage, behind: Uint8Array): void {
    const { socket } = this;
    this.#headSince = undefined;
    try {
      const head = this.#check(request);
      checkWebSocketRequest(incomingHeaders(request.rawHeaders));
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      socket.on('drain', () => response.emit('drain')); // as the parser's server would
      this.#enqueue(new Http1Exchange(this, request, response, head, behind));
    } catch (thrown) {
      this.refuse(toFlotillaError(thrown), request);
    }
  }

  #check({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): RequestHead {
    const { limits, pathOptions } = this.options;
    const raw = { method, target: url, version: httpVersion, fields: rawHeaders };
    const head = checkHead(raw, limits, pathOptions, this.#fields);
    if (head.fields !== this.#fields) this.#fields = head.fields.isShort ? head.fields : undefined;
    return head;
  }

  /**
   * What came is no request that can be served: answered when all before it are, and then it is over.
   * @param request its head, where one could be read
   */
  refuse(error: FlotillaError, request?: IncomingMessage): void {
    const { logger, refusalPage } = this.options;
    logger.debug('request refused', { code: error.code, detail: error.detail, address: this.peer.address });
    const page = request && refusalPage?.(error, request.headers.accept);
    this.#finishWith({ words: refusal(error, page, request?.method) });
  }

  parserFailed(cause: NodeJS.ErrnoException & { rawPacket?: Buffer; bytesParsed?: number }): void {
    const { socket } = this;
    if (!socket.writable || !('bytesParsed' in cause)) {
      socket.destroy();
      return;
    }
    const error = parserError(cause);
    const unfinished = this.#queue.at(-1);
    if (!unfinished?.receiving) this.refuse(error);
    else if (cause.code === 'HPE_INVALID_EOF_STATE')
      socket.destroy(); // the client went away: nothing is answered
    else if (this.#queue.length === 1) unfinished.bodyFailed(error);
    else {
      this.#queue.pop();
      this.refuse(error);
    }
  }

  exchangeOver(exchange: Http1Exchange): void {
    if (this.#queue[0] !== exchange) return;
    this.#queue.shift();
    if (this.socket.destroyed) return;
    const [next] = this.#queue;
    if (next) next.start();
    else this.#allDone();
  }

  drain(now: number, mayClose: boolean): void {
    this.#draining = true;
    if (!mayClose) return;
    // A head that began to come is let in: its sender cannot know that it is too late.
    if (this.#queue.length > 0 || this.#last || this.socket.bytesRead > this.#bytesBefore) return;
    if (now - this.#idleSince >= this.options.limits.drainQuietMs) this.socket.destroy();
  }

  sweep(now: number): void {
    const { limits } = this.options;
    const [current] = this.#queue;
    if (this.#leavingAt !== undefined) {
      if (now - this.#leavingAt >= limits.lingerMs) this.socket.destroy();
    } else if (current) current.sweep(now);
    else this.#sweepBetween(now);
  }

  destroy(reason: FlotillaError): void {
    if (this.#queue[0]?.tunnelled) this.#queue[0].lost(reason);
    this.socket.destroy(); // first, so that nothing that waits in line is started
    for (const exchange of [...this.#queue]) exchange.lost(reason);
  }

  #enqueue(exchange: Http1Exchange): void {
    this.#served++;
    this.#queue.push(exchange);
    if (this.#queue.length === 1) exchange.start();
  }

  #allDone(): void {
    this.#becomeIdle();
    if (this.#last) this.leave();
  }

  #sweepBetween(now: number): void {
    const { limits } = this.options;
    if (this.socket.bytesRead > this.#bytesBefore) this.#headSince ??= now;
    if (this.#headSince === undefined) {
      if (now - this.#idleSince >= this.#idleLimitMs) this.socket.destroy();
    } else if (now - this.#headSince >= limits.headTimeoutMs) {
      this.refuse(new FlotillaError('REQUEST_TIMEOUT', `no whole request head within ${limits.headTimeoutMs} ms`));
    }
  }

  #becomeIdle(): void {
    this.#idleSince = this.options.clock.now();
    this.#idleLimitMs = this.#jitteredIdleMs();
    this.#bytesBefore = this.socket.bytesRead;
  }

  #jitteredIdleMs(): number {
    const { limits, random } = this.options;
    return limits.keepAliveIdleMs * (1 + limits.keepAliveJitter * (2 * random() - 1));
  }

  #finishWith(last: { readonly words?: string }): void {
    this.#last ??= last;
    if (this.#queue.length === 0) this.leave();
  }

  leave(): void {
    if (this.#leavingAt !== undefined) return;
    this.#leavingAt = this.options.clock.now();
    farewell(this.socket, this.#last?.words);
  }

  #closed(): void {
    for (const exchange of [...this.#queue]) exchange.closed();
    this.#queue.length = 0;
  }
}

function nothing(): void {}
