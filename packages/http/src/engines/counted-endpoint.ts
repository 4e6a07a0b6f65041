import { type Call, type Endpoint, type EndpointStatus, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '../exchange.ts';

/** What an engine does for its {@link CountedEndpoint}. */
export interface Sender {
  /** Host and port, for messages. */
  readonly target: string;
  /** Requests that may be in hand at once, in connections or waiting for one. */
  readonly maxLoad: number;
  /** Sends a request. It, or whoever it hands the call to, ends the call; a rejection ends it here. */
  send(request: HttpRequest, call: Call): Promise<HttpResponse>;
  /** Closes what is open; no request is in hand. */
  release(): Promise<void>;
}

/** The part of an endpoint that all engines share: its load, its bound and its end. */
export class CountedEndpoint implements Endpoint<HttpRequest, HttpResponse> {
  readonly #sender: Sender;
  #load = 0;
  /** Of these, connections that were given to another protocol: no request waits for them, so they fill no bound. */
  #tunnels = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(sender: Sender) {
    this.#sender = sender;
  }

  get status(): EndpointStatus {
    if (this.#closed) return 'closed';
    return this.#load - this.#tunnels < this.#sender.maxLoad ? 'open' : 'busy';
  }

  get load(): number {
    return this.#load;
  }

  readonly handle = async (request: HttpRequest, call: Call): Promise<HttpResponse> => {
    try {
      this.#admit();
      call.throwIfCancelled();
      this.#load++;
      call.onEnd(() => this.#leave());
      const response = await this.#sender.send(request, call);
      if (response.status === 101) this.#countTunnel(call);
      return response;
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      call.end(error);
      throw error;
    }
  };

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #admit(): void {
    const { target, maxLoad } = this.#sender;
    if (this.#closed) throw new FlotillaError('UNAVAILABLE', `the endpoint of ${target} is closed`);
    if (this.#load - this.#tunnels >= maxLoad) {
      throw new FlotillaError(
        'UNAVAILABLE',
        `${target} has ${this.#load - this.#tunnels} calls in hand, as many as it may`,
      );
    }
  }

  #countTunnel(call: Call): void {
    this.#tunnels++;
    call.onEnd(() => this.#tunnels--);
  }

  #leave(): void {
    this.#load--;
    if (this.#load === 0) this.#idle?.resolve();
  }

  async #close(): Promise<void> {
    if (this.#load > 0) {
      this.#idle = Promise.withResolvers<void>();
      await this.#idle.promise;
    }
    await this.#sender.release();
  }
}
