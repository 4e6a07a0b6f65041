import http from 'node:http';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type Clock, FlotillaError } from '@flotilla/core';

/** Certificates for an etcd that is reached by https. Names and chains are always verified. */
export interface EtcdTls {
  /** PEM of the authorities that are trusted; default: those of Node.js. */
  readonly ca?: string | Buffer | undefined;
  /** PEM of a client's certificate and key. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
}

/** What one request is sent with. */
export interface Sent {
  readonly path: string;
  readonly body: string;
  readonly token: string | undefined;
}

/** A stream of lines that the server keeps open. */
export interface LineStream {
  close(): void;
}

/** Who hears a {@link LineStream}; exactly one `ended` comes last, unless it was closed. */
export interface LineListener {
  line(text: string): void;
  ended(reason: FlotillaError): void;
}

/** Connections at a time to one endpoint, besides streams. */
const maxSockets = 64;
const maxAnswerBytes = 64 * 1_024 * 1_024;
/** Longest message of a stream. etcd catches a watch up in messages of at most 1,000 revisions. */
const maxLineBytes = 64 * 1_024 * 1_024;
const connectMs = 2_000;
const tcpKeepAliveMs = 10_000;

/** One endpoint's gRPC gateway over HTTP/1.1: requests on connections that are kept, streams on one of their own. */
export class Gateway {
  readonly url: URL;
  readonly #clock: Clock;
  readonly #agent: http.Agent;
  readonly #streams: http.Agent;

  constructor(url: URL, tls: EtcdTls | undefined, clock: Clock) {
    this.url = url;
    this.#clock = clock;
    const tlsOptions = { ca: tls?.ca, cert: tls?.cert, key: tls?.key, minVersion: 'TLSv1.2' as const };
    const kept = { keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, maxSockets };
    const own = { keepAlive: false, keepAliveMsecs: tcpKeepAliveMs };
    const secure = url.protocol === 'https:';
    this.#agent = secure ? new https.Agent({ ...kept, ...tlsOptions }) : new http.Agent(kept);
    this.#streams = secure ? new https.Agent({ ...own, ...tlsOptions }) : new http.Agent(own);
  }

  /** @throws FlotillaError CONNECT_FAILED, CONNECTION_LOST, DEADLINE_EXCEEDED, BODY_TOO_LARGE */
  post(sent: Sent, timeoutMs: number): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const request = this.#request(sent, this.#agent, reject, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxAnswerBytes) request.destroy(this.#tooLong(sent, maxAnswerBytes));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          timer.cancel();
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
        response.on('close', () => reject(this.#lost(sent, 'the answer ended early')));
      });
      const timer = this.#clock.setTimer(timeoutMs, () => request.destroy(this.#late(sent, timeoutMs)));
      request.on('close', () => timer.cancel());
      request.end(sent.body);
    });
  }

  stream(sent: Sent, listener: LineListener): LineStream {
    let closed = false;
    const end = (reason: FlotillaError): void => {
      if (closed) return;
      closed = true;
      listener.ended(reason);
    };
    const request = this.#request(sent, this.#streams, end, (response) => {
      const lines = new Lines(
        (text) => closed || listener.line(text),
        () => request.destroy(this.#tooLong(sent, maxLineBytes)),
      );
      response.on('data', (chunk: Buffer) => lines.push(chunk));
      response.on('close', () => end(this.#lost(sent, 'the server ended the stream')));
    });
    request.on('socket', (socket) => socket.setKeepAlive(true, tcpKeepAliveMs));
    request.end(sent.body);
    const close = (): void => {
      closed = true;
      request.destroy();
    };
    return { close };
  }

  close(): void {
    this.#agent.destroy();
    this.#streams.destroy();
  }

  #request(
    { path, body, token }: Sent,
    agent: http.Agent,
    failed: (error: FlotillaError) => void,
    answered: (response: http.IncomingMessage) => void,
  ): http.ClientRequest {
    const headers: http.OutgoingHttpHeaders = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      // A member that lost its leader ends the stream or refuses, instead of going on without news (etcd's WithRequireLeader).
      'grpc-metadata-hasleader': 'true',
      ...(token === undefined ? undefined : { authorization: token }),
    };
    const { request: open } = this.url.protocol === 'https:' ? https : http;
    const request = open(new URL(path, this.url), { method: 'POST', agent, headers });
    let connected = false;
    request.on('socket', (socket) => {
      const done = (): void => {
        connected = true;
        connecting.cancel();
      };
      const late = new Error(`no connection within ${connectMs} ms`);
      const connecting = this.#clock.setTimer(connectMs, () => request.destroy(late), { background: true });
      request.on('close', () => connecting.cancel());
      if (!socket.connecting) done();
      else (socket as TLSSocket).once(this.url.protocol === 'https:' ? 'secureConnect' : 'connect', done);
    });
    request.on('response', (response) => {
      response.on('error', () => {}); // `close` follows and says it
      answered(response);
    });
    request.on('error', (cause) => {
      if (cause instanceof FlotillaError) failed(cause);
      else failed(connected ? this.#lost({ path, body, token }, cause.message, cause) : this.#unreached(cause));
    });
    return request;
  }

  #unreached(cause: Error): FlotillaError {
    return new FlotillaError('CONNECT_FAILED', `no connection to etcd at ${this.url.origin}: ${cause.message}`, {
      cause,
    });
  }

  #lost({ path }: Sent, why: string, cause?: Error): FlotillaError {
    const detail = `the connection to etcd at ${this.url.origin} broke during ${path}: ${why}`;
    return new FlotillaError('CONNECTION_LOST', detail, { cause });
  }

  #late({ path }: Sent, timeoutMs: number): FlotillaError {
    const detail = `etcd at ${this.url.origin} did not answer ${path} within ${Math.round(timeoutMs)} ms`;
    return new FlotillaError('DEADLINE_EXCEEDED', detail);
  }

  #tooLong({ path }: Sent, limit: number): FlotillaError {
    const detail = `etcd at ${this.url.origin} answered ${path} with more than ${limit} bytes at once`;
    return new FlotillaError('BAD_RESPONSE', detail);
  }
}

/** Cuts bytes into lines, whatever pieces they come in. */
class Lines {
  readonly #line: (text: string) => void;
  readonly #tooLong: () => void;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(line: (text: string) => void, tooLong: () => void) {
    this.#line = line;
    this.#tooLong = tooLong;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(10, from); at >= 0; at = chunk.indexOf(10, from)) {
      this.#pieces.push(chunk.subarray(from, at));
      const text = Buffer.concat(this.#pieces).toString();
      this.#pieces = [];
      this.#size = 0;
      from = at + 1;
      if (text !== '') this.#line(text);
    }
    if (from < chunk.length) this.#pieces.push(chunk.subarray(from));
    this.#size += chunk.length - from;
    if (this.#size > maxLineBytes) this.#tooLong();
  }
}
