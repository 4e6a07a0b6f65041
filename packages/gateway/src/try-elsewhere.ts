import { type Call, type Endpoint, type EndpointStatus, toFlotillaError } from '@flotilla/core';
import type { HttpBody, HttpRequest, HttpResponse } from '@flotilla/http';
import type { RetryBudget } from '@flotilla/resilience';

/** Instances that one request may be sent to, if each of them before took no connection. */
export const maxConnects = 3;

/**
 * A cluster whose registry may name instances that are not there. A request that could not be sent because nobody took the
 * connection goes to the next instance at once, whatever its method: nothing of it has left. That is bounded twice, by
 * {@link maxConnects} for a request and by a budget for all of them, so that a service that is gone is no storm.
 *
 * It needs no marked attempt, as a retry does: no callee ever hears of the tries before.
 */
export class TryElsewhere implements Endpoint<HttpRequest, HttpResponse> {
  readonly #cluster: Endpoint<HttpRequest, HttpResponse>;
  readonly #budget: RetryBudget;

  /** @param cluster leaves a call that was not sent for lack of a connection to whoever made it, not ended */
  constructor(cluster: Endpoint<HttpRequest, HttpResponse>, budget: RetryBudget) {
    this.#cluster = cluster;
    this.#budget = budget;
  }

  get status(): EndpointStatus {
    return this.#cluster.status;
  }

  get load(): number {
    return this.#cluster.load;
  }

  readonly handle = async (given: HttpRequest, call: Call): Promise<HttpResponse> => {
    this.#budget.deposit(call.clock.now());
    const request = isStream(given.body) ? { ...given, body: new UntouchedBody(given.body) } : given;
    for (let connects = 1; ; connects++) {
      try {
        return await this.#cluster.handle(request, call);
      } catch (thrown) {
        const error = toFlotillaError(thrown);
        const again =
          isUnsent(error.code, error.executed) &&
          !call.ended &&
          !call.cancelled &&
          connects < maxConnects &&
          this.#budget.withdraw(call.clock.now());
        if (again) continue;
        call.end(error);
        throw thrown;
      }
    }
  };

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

/** Is it certain that nobody took the connection? */
export function isUnsent(code: string, executed: string): boolean {
  return code === 'CONNECT_FAILED' && executed === 'no';
}

/** A body that survives being put aside unread; once it is read it is a body like any other. */
class UntouchedBody implements AsyncIterable<Uint8Array> {
  readonly #body: AsyncIterable<Uint8Array>;
  #chunks: AsyncIterator<Uint8Array> | undefined;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#body = body;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        this.#chunks ??= this.#body[Symbol.asyncIterator]();
        const { done, value } = await this.#chunks.next();
        return done ? { done: true, value: undefined } : { done: false, value };
      },
      return: async () => {
        await this.#chunks?.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}

function isStream(body: HttpBody): body is AsyncIterable<Uint8Array> {
  return body !== undefined && !(body instanceof Uint8Array);
}
