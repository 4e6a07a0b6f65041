import { type Clock, FlotillaError, formatHostPort } from '@flotilla/core';
import type { HttpHandler } from '../../exchange.ts';
import type { HttpListener } from '../../network.ts';
import type { Exchange } from './exchange.ts';

/** A listener without a socket. */
export class MemoryListener implements HttpListener {
  readonly host: string;
  readonly port: number;
  readonly handler: HttpHandler;
  readonly #clock: Clock;
  readonly #leave: () => void;
  readonly #exchanges = new Set<Exchange>();
  #drained: PromiseWithResolvers<void> | undefined;

  /** @param leave takes it off the network, so that nobody finds it any more. */
  constructor(address: { host: string; port: number }, handler: HttpHandler, clock: Clock, leave: () => void) {
    this.host = address.host;
    this.port = address.port;
    this.handler = handler;
    this.#clock = clock;
    this.#leave = leave;
  }

  get connections(): number {
    return this.#exchanges.size;
  }

  get inFlight(): number {
    return this.#exchanges.size;
  }

  take(exchange: Exchange): void {
    this.#exchanges.add(exchange);
    exchange.onEnd(() => {
      this.#exchanges.delete(exchange);
      if (this.#exchanges.size === 0) this.#drained?.resolve();
    });
  }

  drain(deadlineMs: number): Promise<void> {
    if (this.#drained) return this.#drained.promise;
    const drained = Promise.withResolvers<void>();
    this.#drained = drained;
    this.#leave();
    if (this.#exchanges.size === 0) drained.resolve();
    const timer = this.#clock.setTimer(deadlineMs, () => this.#break(deadlineMs));
    void drained.promise.then(() => timer.cancel());
    return drained.promise;
  }

  #break(deadlineMs: number): void {
    const why = `the listener on ${formatHostPort(this)} closed: its drain deadline of ${deadlineMs} ms is over`;
    for (const exchange of [...this.#exchanges]) exchange.lose(why, new FlotillaError('UNAVAILABLE', why));
  }
}
