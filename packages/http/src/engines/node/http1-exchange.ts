import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { HttpRequest, HttpResponse, Peer } from '../../exchange.ts';
import { HttpHeaders } from '../../headers.ts';
import type { RequestPath } from '../../path.ts';
import { answer, answeredNow } from '../answer.ts';
import { CheckedBody } from '../checked-body.ts';
import { dispose, Pump } from '../pump.ts';
import type { Http1Options } from './http1-options.ts';
import { IncomingBody } from './incoming-body.ts';
import type { RequestHead } from './request-head.ts';
import { SocketTunnel } from './socket-tunnel.ts';
import { WriteWatch } from './write-watch.ts';

/** Bodies up to this size go out in one write; longer ones in slices, so that progress can be seen. */
const oneWriteBytes = 65_536;

/** Bodies up to this size become one text with their head: one piece to write, where two cost a list of pieces. */
const oneTextBytes = 4_096;

/** What an exchange needs of its connection. */
export interface ExchangeHost {
  readonly socket: Socket;
  readonly options: Http1Options;
  readonly peer: Peer;
  /** An answer to the request that is first in line is the last one on this connection. */
  readonly closing: boolean;
  /** The first one in line is done: its answer is flushed and its body is read or thrown away. */
  exchangeOver(exchange: Http1Exchange): void;
  /** Half-closes after the last words; what still comes is thrown away for `lingerMs`. */
  leave(): void;
}

/** One request of a connection and its answer, from its head to its last byte. */
export class Http1Exchange {
  readonly #connection: ExchangeHost;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #head: RequestHead;
  readonly #body: IncomingBody | undefined;
  /** Made by the first sweep: most exchanges are over before one comes. */
  #writes: WriteWatch | undefined;
  /** For a request that asks for a WebSocket: the connection is no longer the parser's, whatever the answer is. */
  readonly #tunnel: SocketTunnel | undefined;
  #tunnelled = false;
  #call: Call | undefined;
  /** Writes the body of an answer that is not there at once. */
  #pump: Pump | undefined;
  #flushed = false;
  #receivingSince = 0;
  #over = false;

  /** @param behind bytes that came behind the head of a request that asks for a WebSocket */
  constructor(
    connection: ExchangeHost,
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
    behind?: Uint8Array,
  ) {
    this.#connection = connection;
    this.#request = request;
    this.#response = response;
    this.#head = head;
    const { limits } = connection.options;
    if (behind) this.#tunnel = this.#openTunnel(behind);
    if (head.length === 0) return;
    this.#body = new IncomingBody(request, response, head, limits, {
      failed: (error) => this.#call?.cancel(error),
      whole: () => this.#endIfOver(),
    });
  }

  /** True while bytes of the request are still to come. */
  get receiving(): boolean {
    return !this.#request.complete;
  }

  /** True when the connection has left HTTP. */
  get tunnelled(): boolean {
    return this.#tunnelled;
  }

  /** True when its answer is out; only the rest of a body that nobody wants may be missing. */
  get answered(): boolean {
    return this.#flushed;
  }

  /** It is first in line. */
  start(): void {
    this.#response.on('error', nothing); // a write to a connection that just ended: `close` tells us
    this.#response.on('finish', () => this.#finished()); // comes once; `once` would wrap it for each request
    // A short body comes together with its head, but the parser hands it over a moment later.
    if (this.#body) queueMicrotask(() => this.#begin());
    else this.#begin();
  }

  #begin(): void {
    if (this.#over) return; // the connection ended meanwhile
    const { path } = this.#head;
    if (!path) {
      this.#write({ status: 204, headers: new HttpHeaders(), body: undefined });
      return;
    }
    const request = this.#asked(path);
    if (this.#answersNow(request)) return;
    this.#run(request).catch((thrown: unknown) => this.#abort(toFlotillaError(thrown)));
  }

  sweep(now: number): void {
    const { socket, options } = this.#connection;
    if (this.#flushed && !this.#tunnelled) {
      // Only the rest of a body that nobody wants is missing.
      if (now - this.#receivingSince >= options.limits.lingerMs) socket.destroy();
      return;
    }
    this.#body?.sweep(now);
    this.#writes ??= new WriteWatch(socket, options.limits, now);
    if (this.#writes.stalled(now)) socket.resetAndDestroy();
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

  #asked(path: RequestPath): HttpRequest {
    const { query, authority, fields } = this.#head;
    const { method = '' } = this.#request;
    const headers = fields.headers.copy();
    const { peer } = this.#connection;
    const body = this.#body?.takeWhole() ?? this.#body?.chunks;
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

  async #run(request: HttpRequest): Promise<void> {
    const { options } = this.#connection;
    const call = options.makeCall(request);
    this.#call = call;
    if (this.#connection.socket.destroyed) return this.#end(new FlotillaError('CANCELLED', 'the client went away'));
    const response = await answer(options.handler, request, call, options.failed);
    if (this.#over) return dispose(response.body);
    // A call that is cancelled already is answered by a problem that says so.
    if (!call.cancelled) call.onCancel((reason) => this.#abort(reason));
    if (response.status === 101) this.#change(response);
    else this.#write(response);
  }

  /** From here on bytes go both ways; both ends of the connection have a part in when it is over. */
  #change({ headers, body }: HttpResponse): void {
    const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', 'upgrade: websocket'];
    for (const [name, value] of headers) lines.push(`${name}: ${value}`);
    this.#connection.socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    this.#tunnelled = true;
    this.#tunnel?.send(body as AsyncIterable<Uint8Array>);
  }

  #openTunnel(behind: Uint8Array): SocketTunnel {
    const { socket } = this.#connection;
    const gone = (): FlotillaError => new FlotillaError('CANCELLED', 'the client went away');
    // Who closes a direction before it was answered has left: there is nobody to upgrade for.
    socket.once('end', () => {
      if (!this.#tunnelled && !this.#response.headersSent) this.#abort(gone());
    });
    return new SocketTunnel(socket, behind, gone, (outcome) => {
      if (this.#tunnelled || outcome) this.#end(outcome);
    });
  }

  #write({ status, headers, body }: HttpResponse): void {
    const response = this.#response;
    const flat = headers.toFlat();
    // While an answer streams, its handler may still read the request.
    const streamed = body !== undefined && !(body instanceof Uint8Array);
    const keep = streamed || (this.#body?.settle() ?? true);
    if (!keep || this.#tunnel || this.#connection.closing) flat.push('connection', 'close');
    response.writeHead(status, flat);
    if (body === undefined) response.end();
    else if (!streamed && body.length <= oneTextBytes) response.end(latin1(body), 'latin1');
    else if (!streamed && body.length <= oneWriteBytes) response.end(body);
    else this.#stream(body, headers);
  }

  /** No stream of Node's in between: joining two of them costs more than the whole rest of an exchange. */
  #stream(body: Uint8Array | AsyncIterable<Uint8Array>, headers: HttpHeaders): void {
    const response = this.#response;
    response.flushHeaders(); // the first chunk may be long in coming
    const pump = new Pump(new CheckedBody(body, headers), {
      push: (chunk) => response.write(chunk),
      end: () => response.end(),
      fail: (thrown) => this.#abort(toFlotillaError(thrown)),
    });
    this.#pump = pump;
    response.on('drain', () => pump.resume());
    pump.start();
  }

  /** The head is out: only a break tells the client that the rest will not come. */
  #abort(reason: FlotillaError): void {
    if (this.#flushed && !this.#tunnelled) return;
    // First, so that nothing that waits in line is started. Nothing waits behind a tunnel, which ends by a reset.
    if (!this.#tunnelled) this.#connection.socket.destroy();
    this.#end(reason);
  }

  #finished(): void {
    this.#flushed = true;
    this.#call?.end();
    if (this.#tunnel) this.#connection.leave(); // the parser has let go of it: there is no next request
    if (this.receiving && this.#body?.answered() === false) this.#connection.leave();
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

/** A text whose characters are the bytes. */
function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}

function nothing(): void {}
