import { type Call, FlotillaError, sleep } from '@flotilla/core';
import type { Exchange } from './exchange.ts';

/** How the way to a target fails: it refuses and breaks connections at once, or swallows everything without a word. */
export type Fault = 'refused' | 'silent';

/** As long as a socket engine waits for a connection. */
const connectTimeoutMs = 1_000;

/** The way to one `host:port`, with its faults. */
export class Link {
  readonly target: string;
  latencyMs = 0;
  #fault: Fault | undefined;
  #healed: { promise: Promise<void>; resolve: () => void } | undefined;
  readonly #exchanges = new Set<Exchange>();

  constructor(target: string) {
    this.target = target;
  }

  get refuses(): boolean {
    return this.#fault === 'refused';
  }

  break(fault: Fault): void {
    this.#fault = fault;
    if (fault === 'silent') this.#healed ??= Promise.withResolvers<void>();
    else for (const exchange of [...this.#exchanges]) exchange.lose(`the connection to ${this.target} was reset`);
  }

  heal(): void {
    this.#fault = undefined;
    this.#healed?.resolve();
    this.#healed = undefined;
  }

  /** What whatever travels here waits for; undefined while the way is free. */
  readonly passable = (): Promise<void> | undefined => this.#healed?.promise;

  /** Waits as long as a connection takes. @throws FlotillaError CONNECT_FAILED */
  async open(call: Call): Promise<void> {
    if (this.latencyMs > 0) await sleep(this.latencyMs, call);
    if (this.#fault !== 'silent') return;
    await sleep(connectTimeoutMs, call);
    if (this.#fault === 'silent') {
      throw new FlotillaError(
        'CONNECT_FAILED',
        `${this.target} did not take a connection within ${connectTimeoutMs} ms`,
      );
    }
  }

  carry(exchange: Exchange): void {
    this.#exchanges.add(exchange);
    exchange.onEnd(() => this.#exchanges.delete(exchange));
  }
}
