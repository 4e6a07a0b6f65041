import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '@flotilla/core';
import type { HttpHandler, HttpListener, Peer } from '@flotilla/http';
import { listenerDefaults } from '@flotilla/http/node';
import { type HttpServingOptions, httpResponder, RSocketConnection, rsocketServingOf } from '@flotilla/rpc/rsocket';
import { PortChannel } from './port-channel.ts';

/** What listening in a thread takes. */
export interface ThreadListenerOptions extends Pick<HttpServingOptions, 'handler' | 'makeCall'> {
  /** The name of the service stands for its address. */
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** Of the operation that takes the most: each has its own limit below it. */
  readonly maxBodyBytes: number;
}

/** Whoever is in the same process. */
const peer: Peer = Object.freeze({ address: '127.0.0.1', port: 0, encrypted: false });

/** A listener to which connections come over ports: calls over RSocket, and requests of HTTP beside them. */
export class ThreadListener implements HttpListener {
  readonly host: string;
  readonly port: number;
  readonly #clock: Clock;
  readonly #handler: HttpHandler;
  readonly #http: HttpServingOptions;
  readonly #connections = new Set<RSocketConnection>();
  #draining: PromiseWithResolvers<void> | undefined;

  constructor({ host, port, clock, handler, makeCall, maxBodyBytes }: ThreadListenerOptions) {
    this.host = host;
    this.port = port;
    this.#clock = clock;
    this.#handler = handler;
    this.#http = { handler, makeCall, clock, limits: { ...listenerDefaults, maxBodyBytes } };
  }

  get connections(): number {
    return this.#connections.size;
  }

  get inFlight(): number {
    let sum = 0;
    for (const { inFlight } of this.#connections) sum += inFlight;
    return sum;
  }

  /** One connection of the process. It is closed at once where nothing is served, or no more. */
  serve(port: MessagePort): void {
    const answer = this.#draining ? undefined : rsocketServingOf(this.#handler);
    if (!answer) {
      port.close();
      return;
    }
    const { events, ...answering } = answer(peer, httpResponder(this.#http, peer));
    const connection = RSocketConnection.server({
      channel: new PortChannel(port),
      clock: this.#clock,
      ...answering,
      events: {
        ...events,
        closed: (reason) => {
          this.#connections.delete(connection);
          events?.closed?.(reason);
          this.#endIfEmpty();
        },
      },
    });
    this.#connections.add(connection);
  }

  /** Connections end when their calls have; those that are left then are broken. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#draining) return this.#draining.promise;
    const draining = Promise.withResolvers<void>();
    this.#draining = draining;
    const timer = this.#clock.setTimer(deadlineMs, () => {
      for (const connection of [...this.#connections]) connection.close();
      draining.resolve();
    });
    for (const connection of [...this.#connections]) connection.drain();
    this.#endIfEmpty();
    await draining.promise;
    timer.cancel();
  }

  #endIfEmpty(): void {
    if (this.#connections.size === 0) this.#draining?.resolve();
  }
}
