import {
  type Address,
  type Call,
  type Clock,
  type EndpointStatus,
  FlotillaError,
  formatHostPort,
} from '@flotilla/core';
import type { HttpHandler, Peer } from '@flotilla/http';
import { type LinkTarget, type RSocketConnector, type RSocketLinks, sharedConnector } from '../../calls/links.ts';
import { rsocketServingOf } from '../../calls/serving.ts';
import { RSocketConnection } from '../../connection.ts';
import type { RSocketResponder } from '../../responder-port.ts';
import { BytePair } from './byte-pair.ts';

/** A listener without a socket, for RSocket alone. */
export interface MemoryRSocketListener {
  readonly inFlight: number;
  readonly connections: number;
  /** Takes no more connections, lets calls in hand end until `deadlineMs` is over, then breaks the rest. */
  drain(deadlineMs: number): Promise<void>;
}

/**
 * RSocket in one process, on a clock that a test moves: bytes travel between listeners and those who connect to them.
 */
export class MemoryRSocket {
  readonly #listeners = new Map<string, Listening>();

  /**
   * Serves what {@link rsocketServingOf} says of `handler`.
   * @param clock of the process that listens
   * @param http answers requests that hold the head of an HTTP request. Default: they are refused
   */
  listen(
    at: Pick<Address, 'host' | 'port'>,
    handler: HttpHandler,
    clock: Clock,
    http?: (peer: Peer) => RSocketResponder,
  ): MemoryRSocketListener {
    const address = formatHostPort(at);
    const listening = new Listening(handler, clock, http, () => {
      if (this.#listeners.get(address) === listening) this.#listeners.delete(address);
    });
    this.#listeners.set(address, listening);
    return listening;
  }

  /** Connections to whoever listens here. @param clock of the process that connects */
  connector(clock: Clock): RSocketConnector {
    return sharedConnector({
      connect: (target) => new MemoryLinks(target, clock, () => this.#listeners.get(formatHostPort(target))),
    });
  }
}

/** A request takes a turn of the event loop, so that whoever calls without end leaves others theirs. */
const laterTurn = (run: () => void): void => void setImmediate(run);

const peer: Peer = Object.freeze({ address: '127.0.0.1', port: 0, encrypted: false });

class Listening implements MemoryRSocketListener {
  readonly #handler: HttpHandler;
  readonly #clock: Clock;
  readonly #http: ((peer: Peer) => RSocketResponder) | undefined;
  readonly #leave: () => void;
  readonly #connections = new Set<RSocketConnection>();
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(
    handler: HttpHandler,
    clock: Clock,
    http: ((peer: Peer) => RSocketResponder) | undefined,
    leave: () => void,
  ) {
    this.#http = http;
    this.#handler = handler;
    this.#clock = clock;
    this.#leave = leave;
  }

  get inFlight(): number {
    let sum = 0;
    for (const connection of this.#connections) sum += connection.inFlight;
    return sum;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** @returns undefined: nobody serves it here */
  accept(pair: BytePair): RSocketConnection | undefined {
    const served = rsocketServingOf(this.#handler)?.(peer, this.#http?.(peer));
    if (!served || this.#drained) return undefined;
    const connection: RSocketConnection = RSocketConnection.server({
      ...served,
      channel: pair.server,
      clock: this.#clock,
      events: {
        ...served.events,
        closed: (reason) => {
          this.#connections.delete(connection);
          served.events?.closed?.(reason);
          this.#endIfEmpty();
        },
      },
    });
    this.#connections.add(connection);
    return connection;
  }

  drain(deadlineMs: number): Promise<void> {
    if (this.#drained) return this.#drained.promise;
    this.#leave();
    const drained = Promise.withResolvers<void>();
    this.#drained = drained;
    const timer = this.#clock.setTimer(deadlineMs, () => {
      const reason = new FlotillaError('UNAVAILABLE', `the drain deadline of ${deadlineMs} ms is over`);
      for (const connection of [...this.#connections]) connection.close(reason);
    });
    void drained.promise.then(() => timer.cancel());
    for (const connection of [...this.#connections]) leave(connection, deadlineMs > 0);
    this.#endIfEmpty();
    return drained.promise;
  }

  #endIfEmpty(): void {
    if (this.#connections.size === 0) this.#drained?.resolve();
  }
}

/** One connection to one address, opened by the first call, and again after it was lost. */
class MemoryLinks implements RSocketLinks {
  readonly target: string;
  readonly #clock: Clock;
  readonly #find: () => Listening | undefined;
  readonly #responder: LinkTarget['responder'];
  readonly #pushed: LinkTarget['pushed'];
  #connection: RSocketConnection | undefined;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(target: LinkTarget, clock: Clock, find: () => Listening | undefined) {
    this.target = formatHostPort(target);
    this.#responder = target.responder;
    this.#pushed = target.pushed;
    this.#clock = clock;
    this.#find = find;
  }

  get status(): EndpointStatus {
    return this.#closing ? 'closed' : 'open';
  }

  get outstanding(): number {
    return this.#connection?.outstanding ?? 0;
  }

  current(): RSocketConnection | undefined {
    return this.#connection?.takesRequests && !this.#closing ? this.#connection : undefined;
  }

  async connect(call: Call): Promise<RSocketConnection> {
    if (this.#closing) throw new FlotillaError('UNAVAILABLE', `the client of ${this.target} is closed`);
    call.throwIfCancelled();
    const pair = new BytePair(queueMicrotask, laterTurn);
    if (!this.#find()?.accept(pair)) {
      throw new FlotillaError('CONNECT_FAILED', `nobody serves RSocket at ${this.target}`);
    }
    const connection: RSocketConnection = RSocketConnection.client({
      channel: pair.client,
      clock: this.#clock,
      responder: this.#responder,
      events: {
        ...(this.#pushed && { metadataPush: this.#pushed }),
        closed: () => {
          if (this.#connection !== connection) return;
          this.#connection = undefined;
          this.#closing?.resolve();
        },
      },
    });
    this.#connection = connection;
    return connection;
  }

  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>();
    if (this.#connection) leave(this.#connection, true);
    else this.#closing.resolve();
    return this.#closing.promise;
  }
}

/** Work in hand may end, by the clock; without any there is nothing to wait for: nothing is on its way here. */
function leave(connection: RSocketConnection, mayEnd: boolean): void {
  const isIdle = connection.outstanding === 0 && connection.inFlight === 0;
  if (mayEnd && !isIdle) connection.drain();
  else connection.close(new FlotillaError('UNAVAILABLE', 'the connection was closed'));
}
