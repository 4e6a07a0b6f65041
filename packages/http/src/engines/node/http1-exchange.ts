import type { Socket } from 'node:net';
import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { HttpRequest, HttpResponse, Peer } from '../../exchange.ts';
import { HttpHeaders } from '../../headers.ts';
import type { RequestPath } from '../../path.ts';
import { answeredNow, answerTo } from '../answer.ts';
import { CheckedBody } from '../checked-body.ts';
import { dispose, type Gate, Pump, type PumpTarget } from '../pump.ts';
import type { Http1Shared } from './http1-options.ts';
import type { Http1Output } from './http1-output.ts';
import { IncomingBody } from './incoming-body.ts';
import type { RequestHead } from './request-head.ts';
import { SocketTunnel } from './socket-tunnel.ts';

/** Bodies up to this size go out with their head; longer ones in slices, so that progress can be seen. */
const oneWriteBytes = 65_536;

/** A body that is never out of chunks, to a client that takes all of them, waits for nothing: after so many others have a turn. */
const chunksPerTurn = 64;

/** What an exchange needs of its connection. */
export interface ExchangeHost {
  readonly socket: Socket;
  readonly output: Http1Output;
  readonly options: Http1Shared;
  readonly peer: Peer;
  /** An answer to the request that is first in line is the last one on this connection. */
  readonly closing: boolean;
  /** Others wait behind the first one in line. */
  readonly crowded: boolean;
  /** The first one in line is done: its answer is flushed and its body is read or thrown away. */
  exchangeOver(exchange: Http1Exchange): void;
  /** Half-closes after the last words; what still comes is thrown away for `lingerMs`. */
  leave(): void;
  /** What comes waits in the kernel until {@link resume}. */
  pause(): void;
  resume(): void;
}

/** One request of a connection and its answer, from its head to its last byte. */
export class Http1Exchange {
  readonly #connection: ExchangeHost;
  readonly #head: RequestHead;
  /** All of it, where it came with its head. */
  readonly #bytes: Uint8Array | undefined;
  readonly #body: IncomingBody | undefined;
  /** For a request that asks for a WebSocket: the connection is no longer the parser's, whatever the answer is. */
  #tunnel: SocketTunnel | undefined;
  #tunnelled = false;
  #call: Call | undefined;
  /** Writes the body of an answer that is not there at once. */
  #pump: Pump | undefined;
  #headSent = false;
  #closes = false;
  #flushed = false;
  #receivingSince = 0;
  #over = false;

  /** @param body all of it, empty for none; undefined for one that comes by {@link receive} */
  constructor(connection: ExchangeHost, head: RequestHead, body: Uint8Array | undefined) {
    this.#connection = connection;
    this.#head = head;
    if (body) this.#bytes = body.length === 0 ? undefined : body;
    else this.#body = this.#openBody();
  }

  /** True while bytes of the request are still to come. */
  get receiving(): boolean {
    return this.#body !== undefined && !this.#body.whole;
  }

  /** True when the connection has left HTTP. */
  get tunnelled(): boolean {
    return this.#tunnelled;
  }

  /** True when its answer is out; only the rest of a body that nobody wants may be missing. */
  get answered(): boolean {
    return this.#flushed;
  }

  /** True when its answer said that it is the last one. */
  get closes(): boolean {
    return this.#closes;
  }

  /** The connection is this request's, which asks for a WebSocket. @param behind bytes that came behind its head */
  takeConnection(behind: Uint8Array): void {
    const { socket } = this.#connection;
    const gone = (): FlotillaError => new FlotillaError('CANCELLED', 'the client went away');
    // Who closes a direction before it was answered has left: there is nobody to upgrade for.
    socket.once('end', () => {
      if (!this.#tunnelled && !this.#headSent) this.#abort(gone());
    });
    this.#tunnel = new SocketTunnel(socket, behind, gone, (outcome) => {
      if (this.#tunnelled || outcome) this.#end(outcome);
    });
  }

  /** It is first in line. */
  start(): void {
    if (this.#over) return;
    const { path } = this.#head;
    if (!path) {
      this.#write({ status: 204, headers: new HttpHeaders(), body: undefined });
      return;
    }
    const request = this.#asked(path);
    if (this.#answersNow(request)) return;
    try {
      this.#run(request);
    } catch (thrown) {
      this.#abort(toFlotillaError(thrown));
    }
  }

  receive(bytes: Uint8Array): void {
    this.#body?.receive(bytes);
  }

  received(): void {
    this.#body?.end();
  }

  /** The client has taken what waited for it. */
  drained(): void {
    this.#pump?.resume();
  }

  sweep(now: number): void {
    const { socket, options } = this.#connection;
    if (!this.#flushed || this.#tunnelled) this.#body?.sweep(now);
    // Only the rest of a body that nobody wants is missing.
    else if (now - this.#receivingSince >= options.limits.lingerMs) socket.destroy();
  }

  /** The parser gave up in the middle of the body. */
  bodyFailed(error: FlotillaError): void {
    this.#body?.fail(error);
  }

  /** The connection is about to be broken: nobody will read the answer. */
  lost(reason: FlotillaError): void {
    this.#end(reason);
  }

  /** The connection is closed. A tunnel knows by itself whether that was its end. */
  closed(): void {
    if (!this.#tunnelled) this.#end(new FlotillaError('CANCELLED', 'the client went away'));
  }

  #openBody(): IncomingBody {
    const { options, output } = this.#connection;
    const sendContinue = (): void => {
      if (!this.#headSent) output.text('HTTP/1.1 100 Continue\r\n\r\n');
    };
    return new IncomingBody(
      { pause: () => this.#connection.pause(), resume: () => this.#connection.resume(), sendContinue },
      this.#head.fields,
      options.limits,
      { failed: (error) => this.#call?.cancel(error), whole: () => this.#endIfOver() },
    );
  }

  #asked(path: RequestPath): HttpRequest {
    const { method, query, fields } = this.#head;
    const { authority } = fields;
    const headers = fields.headers.copy();
    const { peer } = this.#connection;
    const body = this.#bytes ?? this.#body?.chunks;
    const request = { method, authority, path, query, headers, body, peer };
    if (!this.#tunnel) return request;
    return { ...request, upgrade: { protocol: 'websocket', incoming: this.#tunnel.incoming } };
  }

  /** What its handler answers at once needs no call, and no turn of the microtasks. See {@link answeringNow}. */
  #answersNow(request: HttpRequest): boolean {
    const { answerNow, clock } = this.#connection.options;
    if (!answerNow || this.#connection.socket.destroyed) return false;
    const response = answeredNow(answerNow, request, clock);
    if (response) this.#write(response);
    return response !== undefined;
  }

  #run(request: HttpRequest): void {
    const { options } = this.#connection;
    const call = options.makeCall(request);
    this.#call = call;
    if (this.#connection.socket.destroyed) {
      this.#end(new FlotillaError('CANCELLED', 'the client went away'));
      return;
    }
    answerTo(options.handler, request, call, (response) => this.#answer(response), options.failed);
  }

  #answer(response: HttpResponse): void {
    if (this.#over) {
      dispose(response.body);
      return;
    }
    const call = this.#call as Call;
    // A call that is cancelled already is answered by a problem that says so.
    if (!call.cancelled) call.onCancel((reason) => this.#abort(reason));
    try {
      if (response.status === 101) this.#change(response);
      else this.#write(response);
    } catch (thrown) {
      this.#abort(toFlotillaError(thrown));
    }
  }

  /** From here on bytes go both ways; both ends of the connection have a part in when it is over. */
  #change({ headers, body }: HttpResponse): void {
    const { output } = this.#connection;
    const head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n';
    output.text(`${head}${headers.toLines()}\r\n`);
    output.flush();
    this.#tunnelled = true;
    this.#tunnel?.send(body as AsyncIterable<Uint8Array>);
  }

  #write({ status, headers, body }: HttpResponse): void {
    const { output, options, closing, socket, crowded } = this.#connection;
    // The client closed its direction: that this one closes, too, and with it the exchange, is under way.
    if (!socket.writable) {
      dispose(body);
      return;
    }
    const { version, keepAlive } = this.#head.fields;
    // While an answer streams, its handler may still read the request.
    const streamed = body !== undefined && !(body instanceof Uint8Array);
    const keep = streamed || (this.#body?.settle() ?? true);
    const ends = !keep || this.#tunnel !== undefined || closing;
    const unsized = streamed && !headers.has('content-length');
    const chunked = unsized && version === '1.1';
    this.#closes = ends || !keepAlive || (unsized && !chunked);
    this.#headSent = true;
    if (crowded) output.gatherTurn();
    const connection = ends ? 'end' : this.#closes ? 'close' : 'keep';
    const head = options.heads.write(status, headers, { connection, chunked });
    if (body instanceof Uint8Array && body.length > 0 && body.length <= oneWriteBytes) output.textAndBytes(head, body);
    else output.text(head);
    if (streamed || (body !== undefined && body.length > oneWriteBytes)) this.#stream(body, headers, chunked);
    else this.#written();
  }

  /** No stream of Node's in between: joining two of them costs more than the whole rest of an exchange. */
  #stream(body: Uint8Array | AsyncIterable<Uint8Array>, headers: HttpHeaders, chunked: boolean): void {
    const { output } = this.#connection;
    const target: PumpTarget = {
      push: (bytes) => (chunked ? output.chunk(bytes) : output.bytes(bytes)),
      end: () => {
        if (chunked) output.endChunks();
        output.flush();
        this.#written();
      },
      fail: (thrown) => this.#abort(toFlotillaError(thrown)),
    };
    const pump = new Pump(new CheckedBody(body, headers), target, turnsNowAndThen());
    this.#pump = pump;
    pump.start();
  }

  /** The head is out: only a break tells the client that the rest will not come. */
  #abort(reason: FlotillaError): void {
    if (this.#flushed && !this.#tunnelled) return;
    // First, so that nothing that waits in line is started. Nothing waits behind a tunnel, which ends by a reset.
    if (!this.#tunnelled) this.#connection.socket.destroy();
    this.#end(reason);
  }

  #written(): void {
    this.#connection.output.whenClear(() => this.#finished());
  }

  #finished(): void {
    this.#flushed = true;
    this.#call?.end();
    // Of a tunnel the parser has let go: there is no next request.
    const leaves = this.#tunnel !== undefined || (this.receiving && (this.#closes || this.#body?.answered() === false));
    if (leaves) this.#connection.leave();
    if (this.receiving) this.#receivingSince = this.#connection.options.clock.now();
    else this.#end(undefined);
  }

  #endIfOver(): void {
    if (this.#flushed && !this.receiving) this.#end(undefined);
  }

  #end(outcome: FlotillaError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    if (outcome) this.#call?.cancel(outcome);
    this.#pump?.stop(); // nothing, when the body has ended
    this.#body?.close(outcome);
    if (outcome) this.#tunnel?.abort(outcome);
    this.#call?.end(outcome);
    this.#connection.exchangeOver(this);
  }
}

/** Lets the event loop turn now and then: what else there is to do, a client that has left among it, waits for it. */
function turnsNowAndThen(): Gate {
  let chunks = 0;
  return () => (++chunks % chunksPerTurn === 0 ? nextTurn() : undefined);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
