import type { Socket } from 'node:net';
import { FlotillaError, toFlotillaError } from '@flotilla/core';
import type { Peer } from '../../exchange.ts';
import { checkWebSocketRequest } from '../../websocket-handshake.ts';
import { type ExchangeHost, Http1Exchange } from './http1-exchange.ts';
import type { Http1Shared } from './http1-options.ts';
import { Http1Output } from './http1-output.ts';
import type { Readable } from './parser/head-parser.ts';
import { type RequestEvents, RequestParser } from './parser/request-parser.ts';
import { farewell, refusal } from './refusal.ts';
import type { RequestHead } from './request-head.ts';
import { peerOf } from './tls/peer-of.ts';
import type { TongueConnection } from './tongue.ts';
import { WriteWatch } from './write-watch.ts';

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
export class Http1Connection implements TongueConnection, ExchangeHost, RequestEvents {
  readonly socket: Socket;
  readonly output: Http1Output;
  readonly options: Http1Shared;
  readonly peer: Peer;
  readonly #parser: RequestParser;
  /** In order; only the first one is being handled. */
  readonly #queue: Http1Exchange[] = [];
  /** Whose body comes. */
  #receiving: Http1Exchange | undefined;
  /** The request that takes this connection with it. */
  #upgrading: RequestHead | undefined;
  #isStarting = false;
  #served = 0;
  #isLastTaken = false;
  #draining = false;
  /** What comes is read by nobody: counted, and from a bound on left in the kernel. */
  #deaf = false;
  #ignored = 0;
  /** Nothing more is taken; with words, they are said after the last answer. */
  #last: { readonly words?: string } | undefined;
  #leavingAt: number | undefined;
  /** When the bytes of a head began to come, as far as a sweep has seen; undefined while idle. */
  #headSince: number | undefined;
  #idleSince: number;
  readonly #idleLimitMs: number;
  /** Made by the first sweep: most exchanges are over before one comes. */
  #writes: WriteWatch | undefined;

  constructor(socket: Socket, openedAt: number, options: Http1Shared) {
    this.socket = socket;
    this.output = new Http1Output(socket);
    this.options = options;
    this.peer = peerOf(socket);
    const { limits, random, pathOptions } = options;
    this.#parser = new RequestParser(limits, pathOptions, this);
    this.#headSince = openedAt;
    this.#idleSince = openedAt;
    this.#idleLimitMs = limits.keepAliveIdleMs * (1 + limits.keepAliveJitter * (2 * random() - 1));
    socket.on('data', this.#onData).on('end', this.#onEnd);
    socket.on('drain', () => this.#queue[0]?.drained());
    socket.once('close', () => this.#closed());
  }

  get inFlight(): number {
    return this.#queue.length - (this.#queue[0]?.answered ? 1 : 0);
  }

  get crowded(): boolean {
    return this.#queue.length > 1;
  }

  get closing(): boolean {
    if (this.#queue.length > 1) return false;
    if (this.#last) return this.#last.words === undefined;
    return this.#draining || this.#served >= this.options.limits.maxRequestsPerConnection;
  }

  /** Of the parser: a whole head. */
  head(head: RequestHead, body: Uint8Array | undefined): void {
    const { limits } = this.options;
    this.#headSince = undefined;
    if (this.#queue.length > limits.maxPipelined) {
      this.#stopReading();
      this.#finishWith({});
      return;
    }
    if (this.#mayUpgrade(head)) {
      this.#stopReading();
      this.#upgrading = head;
      return;
    }
    this.#isLastTaken = !head.fields.keepAlive || this.#served + 1 >= limits.maxRequestsPerConnection;
    const exchange = new Http1Exchange(this, head, body);
    if (body) this.#endIfLastTaken();
    else this.#receiving = exchange;
    this.#enqueue(exchange);
  }

  /** Of the parser: the next bytes of a body. */
  body(bytes: Uint8Array): void {
    this.#receiving?.receive(bytes);
  }

  /** Of the parser: the body is whole. */
  end(): void {
    const exchange = this.#receiving;
    this.#receiving = undefined;
    this.#endIfLastTaken();
    exchange?.received();
  }

  exchangeOver(exchange: Http1Exchange): void {
    if (this.#queue[0] !== exchange) return;
    this.#queue.shift();
    if (this.socket.destroyed) return;
    if (exchange.closes) this.#endAfterAnswer();
    else if (this.#queue.length > 0) this.#startNext();
    else {
      this.#idleSince = this.options.clock.now();
      if (this.#last) this.leave();
    }
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  drain(now: number, mayClose: boolean): void {
    this.#draining = true;
    if (!mayClose) return;
    // A head that began to come is let in: its sender cannot know that it is too late.
    if (this.#queue.length > 0 || this.#last || this.#headComes || !this.output.clear) return;
    if (now - this.#idleSince >= this.options.limits.drainQuietMs) this.socket.destroy();
  }

  sweep(now: number): void {
    const { limits } = this.options;
    const [current] = this.#queue;
    this.#writes ??= new WriteWatch(this.socket, limits, now);
    if (this.#leavingAt !== undefined) {
      if (now - this.#leavingAt >= limits.lingerMs) this.socket.destroy();
    } else if (this.#writes.stalled(now)) this.socket.resetAndDestroy();
    else if (current) current.sweep(now);
    else this.#sweepBetween(now);
  }

  destroy(reason: FlotillaError): void {
    if (this.#queue[0]?.tunnelled) this.#queue[0].lost(reason);
    this.socket.destroy(); // first, so that nothing that waits in line is started
    for (const exchange of [...this.#queue]) exchange.lost(reason);
  }

  leave(): void {
    if (this.#leavingAt !== undefined) return;
    this.#leavingAt = this.options.clock.now();
    this.#stopReading();
    this.output.flush();
    farewell(this.socket, this.#last?.words);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#deaf) {
      this.#ignore(chunk.length);
      return;
    }
    this.output.gather();
    let read = chunk.length;
    try {
      read = this.#parser.push(chunk);
    } catch (thrown) {
      this.#notHttp(toFlotillaError(thrown));
    }
    if (this.#upgrading) this.#upgrade(this.#upgrading, chunk.subarray(read));
    this.output.flush();
  };

  /** The client closed its direction, and is taken to have left. */
  readonly #onEnd = (): void => {
    const isRefusing = this.#last !== undefined || (this.#deaf && this.#receiving !== undefined);
    if (this.#leavingAt !== undefined || isRefusing) return;
    const { place } = this.#parser;
    if (place === 'body') this.socket.destroy();
    else if (place === 'head') this.#refuse(new FlotillaError('MALFORMED_REQUEST', 'the request ends within its head'));
    else this.socket.end();
  };

  /** Is a head on its way, of which the first bytes are here? */
  get #headComes(): boolean {
    return this.#headSince !== undefined || this.#parser.place === 'head';
  }

  /** Nothing is read behind the request that is the last one. */
  #endIfLastTaken(): void {
    if (this.#isLastTaken) this.#stopReading();
  }

  #stopReading(): void {
    this.#parser.stop();
    this.#deaf = true;
  }

  #ignore(bytes: number): void {
    this.#ignored += bytes;
    if (this.#leavingAt === undefined && this.#ignored > this.options.limits.maxDiscardBytes) this.socket.pause();
  }

  /**
   * May a request that asks for a WebSocket have this connection? Not while others are in line: whoever sends on before
   * it knows the answer is served as if it had not asked.
   */
  #mayUpgrade({ method, fields }: RequestHead): boolean {
    return fields.webSocket && method === 'GET' && this.#queue.length === 0 && !this.#last && !this.#draining;
  }

  #upgrade(head: RequestHead, behind: Uint8Array): void {
    this.#upgrading = undefined;
    const { headers } = head.fields;
    try {
      checkWebSocketRequest(headers);
    } catch (thrown) {
      this.#refuse(toFlotillaError(thrown), { method: head.method, accept: headers.get('accept') });
      return;
    }
    this.socket.off('data', this.#onData).off('end', this.#onEnd);
    const exchange = new Http1Exchange(this, head, noBytes);
    exchange.takeConnection(behind);
    this.#enqueue(exchange);
  }

  /** What came cannot be read, nor what follows it. */
  #notHttp(error: FlotillaError): void {
    const exchange = this.#receiving;
    const readable = this.#parser.readable;
    this.#stopReading();
    if (exchange === undefined) this.#refuse(error, readable);
    else if (this.#queue[0] === exchange) exchange.bodyFailed(error);
    else {
      this.#queue.pop();
      this.#refuse(error);
    }
  }

  /**
   * What came is no request that can be served: answered when all before it are, and then it is over.
   * @param request what is known of it, where its head could be read
   */
  #refuse(error: FlotillaError, request?: Readable): void {
    const { logger, refusalPage } = this.options;
    logger.debug('request refused', { code: error.code, detail: error.detail, address: this.peer.address });
    this.#stopReading();
    const page = request && refusalPage?.(error, request.accept);
    this.#finishWith({ words: refusal(error, page, request?.method) });
  }

  #enqueue(exchange: Http1Exchange): void {
    this.#served++;
    this.#queue.push(exchange);
    if (this.#queue.length === 1) this.#startNext();
  }

  /** Not before the client has taken the answers that it has: so nobody piles them up here. */
  #startNext(): void {
    if (this.#isStarting) return; // inside the loop below, which goes on
    this.#isStarting = true;
    let started: Http1Exchange | undefined;
    try {
      while (this.output.clear && this.#queue[0] !== started) {
        started = this.#queue[0];
        started?.start();
      }
    } finally {
      this.#isStarting = false;
    }
    if (this.#queue[0] !== started) this.output.whenClear(() => this.#startNext());
  }

  #finishWith(last: { readonly words?: string }): void {
    this.#last ??= last;
    if (this.#queue.length === 0) this.leave();
  }

  /** The client knows that this is the end, unless it has sent more: then a close could overtake the answer. */
  #endAfterAnswer(): void {
    if (this.#leavingAt !== undefined) return;
    this.#stopReading();
    this.output.flush();
    if (this.#ignored > 0) this.leave();
    else this.socket.destroySoon();
  }

  #sweepBetween(now: number): void {
    const { limits } = this.options;
    if (this.#parser.place === 'head') this.#headSince ??= now;
    if (this.#headSince === undefined) {
      if (now - this.#idleSince >= this.#idleLimitMs && this.output.clear) this.socket.destroy();
    } else if (now - this.#headSince >= limits.headTimeoutMs) {
      this.#refuse(new FlotillaError('REQUEST_TIMEOUT', `no whole request head within ${limits.headTimeoutMs} ms`));
    }
  }

  #closed(): void {
    for (const exchange of [...this.#queue]) exchange.closed();
    this.#queue.length = 0;
  }
}

const noBytes = new Uint8Array(0);
