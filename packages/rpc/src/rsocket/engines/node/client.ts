import {
  type Call,
  type Clock,
  type EndpointStatus,
  FlotillaError,
  formatHostPort,
  type Random,
  type Timer,
  within,
} from '@flotilla/core';
import type { HttpTarget } from '@flotilla/http';
import type { TlsFiles } from '@flotilla/http/node';
import { RSocketConnection } from '../../connection.ts';
import type { ConnectionEvents, SetupOptions } from '../../connection-options.ts';
import { type RSocketLimits, resolveRSocketLimits } from '../../limits.ts';
import type { RSocketResponder } from '../../responder-port.ts';
import { dial } from './dial.ts';
import type { SocketChannel } from './socket-channel.ts';

/** What an {@link RSocketClient} needs. */
export interface RSocketClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** For targets of `https`. Default: Node's authorities. */
  readonly tls?: TlsFiles | undefined;
  readonly setup?: SetupOptions | undefined;
  /** Answers requests of the server. Default: refuses them. */
  readonly responder?: RSocketResponder | undefined;
  /** Hears of every connection. */
  readonly events?: ConnectionEvents | undefined;
  /** Overrides of {@link rsocketDefaults}. */
  readonly limits?: Partial<RSocketLimits> | undefined;
  /** Overrides of {@link clientDefaults}. */
  readonly pool?: Partial<RSocketClientLimits> | undefined;
}

/** How many connections there are to one target, and when. */
export interface RSocketClientLimits {
  readonly connectTimeoutMs: number;
  /** Connections at one time. */
  readonly maxConnections: number;
  /** With more open requests than this, or more {@link crowdedBytes}, on each connection, another one is opened. */
  readonly crowdedRequests: number;
  /** Bytes that wait on a connection. */
  readonly crowdedBytes: number;
  /** Without need for it for this long, a further connection is closed again. */
  readonly extraIdleMs: number;
  /** Calls that wait for a connection. More: refused. */
  readonly maxWaiting: number;
  /** After a failure, no other attempt for this long; twice as long after each further one, ± a half by chance. */
  readonly leastBackoffMs: number;
  readonly longestBackoffMs: number;
}

export const rsocketClientDefaults: RSocketClientLimits = Object.freeze({
  connectTimeoutMs: 1_000,
  maxConnections: 4,
  crowdedRequests: 1_024,
  crowdedBytes: 1_048_576,
  extraIdleMs: 30_000,
  maxWaiting: 16_384,
  leastBackoffMs: 50,
  longestBackoffMs: 5_000,
});

/** A connection that was lost before, and on which nothing came, was none. */
const lastedMs = 1_000;

/**
 * Connections to one target: one, more under load. The first is opened by the first call, and again by the next one
 * after it was lost. In between, attempts back off; a call that comes meanwhile fails at once.
 */
export class RSocketClient {
  readonly target: string;
  readonly #target: HttpTarget;
  readonly #options: RSocketClientOptions;
  readonly #limits: RSocketLimits;
  readonly #pool: RSocketClientLimits;
  readonly #connections: RSocketConnection[] = [];
  #opening: Promise<RSocketConnection> | undefined;
  #waiting = 0;
  #failures = 0;
  #notBefore = -Infinity;
  #lastFailure: FlotillaError | undefined;
  #extrasTimer: Timer | undefined;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(target: HttpTarget, options: RSocketClientOptions) {
    this.#target = target;
    this.target = formatHostPort(target);
    this.#options = options;
    this.#limits = resolveRSocketLimits(options.limits);
    this.#pool = Object.freeze({ ...rsocketClientDefaults, ...withoutUndefined(options.pool) });
  }

  /** `busy` while calls would be refused at once. */
  get status(): EndpointStatus {
    if (this.#closing) return 'closed';
    if (this.#connections.some((connection) => connection.takesRequests)) return 'open';
    return this.#options.clock.now() < this.#notBefore || this.#waiting >= this.#pool.maxWaiting ? 'busy' : 'open';
  }

  /** Requests without an end, and calls that wait for a connection. */
  get outstanding(): number {
    let sum = this.#waiting;
    for (const connection of this.#connections) sum += connection.outstanding;
    return sum;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections.length;
  }

  /** A connection that takes a request now; undefined when there is none: then {@link connect}. */
  current(): RSocketConnection | undefined {
    const [first] = this.#connections;
    if (first?.takesRequests && !this.#isCrowded(first)) return first;
    return this.#leastLoaded();
  }

  /**
   * Waits for a connection, no longer than the call lasts.
   * @returns rejects with CONNECT_FAILED or UNAVAILABLE, `executed: no`, or with what ended the call
   */
  connect(call: Call): Promise<RSocketConnection> {
    if (this.#closing)
      return Promise.reject(new FlotillaError('UNAVAILABLE', `the client of ${this.target} is closed`));
    const current = this.current();
    if (current) return Promise.resolve(current);
    const usable = this.#connections.filter(({ draining }) => !draining).length;
    if (usable >= this.#pool.maxConnections) {
      const detail = `all ${usable} connections to ${this.target} are congested (maxConnections)`;
      return Promise.reject(new FlotillaError('UNAVAILABLE', detail));
    }
    const backoffMs = this.#notBefore - this.#options.clock.now();
    if (!this.#opening && backoffMs > 0) return Promise.reject(this.#backingOff(backoffMs));
    if (this.#waiting >= this.#pool.maxWaiting) {
      const detail = `${this.#waiting} calls wait for a connection to ${this.target} (maxWaiting)`;
      return Promise.reject(new FlotillaError('UNAVAILABLE', detail));
    }
    this.#waiting++;
    const ended = (): void => {
      this.#waiting--;
    };
    const connection = within(call, this.#open());
    connection.then(ended, ended);
    return connection;
  }

  /** Somebody is said to have come to this address: the next call may try at once, whatever failed before. */
  renew(): void {
    this.#failures = 0;
    this.#notBefore = -Infinity;
  }

  /** Takes no more requests; lets those in hand end, then closes. Later calls share the first one's promise. */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = Promise.withResolvers<void>();
      this.#extrasTimer?.cancel();
      for (const connection of [...this.#connections]) connection.drain();
      this.#endIfClosed();
    }
    return this.#closing.promise;
  }

  /** Closes now: what is in hand ends with `reason`. */
  destroy(reason: FlotillaError): void {
    void this.close();
    for (const connection of [...this.#connections]) connection.close(reason);
  }

  #isCrowded(connection: RSocketConnection): boolean {
    const { crowdedRequests, crowdedBytes } = this.#pool;
    return connection.outstanding >= crowdedRequests || connection.queuedBytes >= crowdedBytes;
  }

  /** The one with the fewest requests. If all have many, one more is on its way then. */
  #leastLoaded(): RSocketConnection | undefined {
    let best: RSocketConnection | undefined;
    for (const connection of this.#connections) {
      if (connection.takesRequests && (!best || connection.outstanding < best.outstanding)) best = connection;
    }
    if (best && this.#isCrowded(best)) this.#openAnother();
    return best;
  }

  /** Looks again and again, for as long as there is more than one, whether one would do. */
  #watchExtras(): void {
    this.#extrasTimer ??= this.#options.clock.setTimer(
      this.#pool.extraIdleMs,
      () => {
        this.#extrasTimer = undefined;
        if (this.#connections.length < 2 || this.#closing) return;
        if (this.outstanding * 2 < this.#pool.crowdedRequests) this.#connections.at(-1)?.drain();
        this.#watchExtras();
      },
      { background: true },
    );
  }

  #openAnother(): void {
    if (this.#opening || this.#closing || this.#connections.length >= this.#pool.maxConnections) return;
    if (this.#options.clock.now() < this.#notBefore) return;
    this.#open().then(() => this.#watchExtras(), nothing); // nobody waits for it
  }

  #open(): Promise<RSocketConnection> {
    this.#opening ??= this.#dial().finally(() => {
      this.#opening = undefined;
      this.#endIfClosed();
    });
    return this.#opening;
  }

  async #dial(): Promise<RSocketConnection> {
    const { clock, tls } = this.#options;
    try {
      const timeoutMs = this.#pool.connectTimeoutMs;
      const connection = this.#begin(await dial({ target: this.#target, clock, timeoutMs, tls }));
      if (this.#closing) connection.close();
      return connection;
    } catch (thrown) {
      this.#failed(thrown as FlotillaError);
      throw thrown;
    }
  }

  #begin(channel: SocketChannel): RSocketConnection {
    const { clock, setup, responder, events } = this.#options;
    const beganAt = clock.now();
    const connection = RSocketConnection.client({
      channel,
      clock,
      limits: this.#limits,
      setup,
      responder,
      events: {
        ...events,
        closed: (reason) => {
          const mute = !connection.heard && clock.now() - beganAt < lastedMs;
          if (reason.code === 'CONNECT_FAILED' || (reason.code === 'CONNECTION_LOST' && mute)) this.#failed(reason);
          else this.#failures = 0;
          this.#forget(connection);
          events?.closed?.(reason);
        },
      },
    });
    this.#connections.push(connection);
    return connection;
  }

  #forget(connection: RSocketConnection): void {
    const at = this.#connections.indexOf(connection);
    if (at >= 0) this.#connections.splice(at, 1);
    this.#endIfClosed();
  }

  #failed(error: FlotillaError): void {
    const { clock, random } = this.#options;
    const { leastBackoffMs, longestBackoffMs } = this.#pool;
    const backoffMs = Math.min(longestBackoffMs, leastBackoffMs * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    this.#lastFailure = error;
    this.#notBefore = clock.now() + backoffMs * (0.5 + random());
  }

  #backingOff(restMs: number): FlotillaError {
    const retryAfterMs = Math.ceil(restMs);
    const why = this.#lastFailure?.detail ?? 'the last attempt failed';
    const detail = `${why}; the next attempt is in ${retryAfterMs} ms, after ${this.#failures} failures`;
    return new FlotillaError('CONNECT_FAILED', detail, { retryAfterMs, cause: this.#lastFailure });
  }

  #endIfClosed(): void {
    if (this.#closing && this.#connections.length === 0 && !this.#opening) this.#closing.resolve();
  }
}

function withoutUndefined<T extends object>(given: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function nothing(): void {}
