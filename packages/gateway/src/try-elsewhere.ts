import {
  type Call,
  type Endpoint,
  type EndpointStatus,
  FlotillaError,
  idempotentAttribute,
  toFlotillaError,
} from '@flotilla/core';
import type { HttpBody, HttpRequest, HttpResponse } from '@flotilla/http';
import type { RetryBudget } from '@flotilla/resilience';

/** Instances that one request may be sent to, if none before it began an answer. */
export const maxConnects = 3;

/**
 * A cluster whose registry may name instances that are not there. A request that could not be sent because nobody took the
 * connection goes to the next instance at once, whatever its method: nothing of it has left. That is bounded twice, by
 * {@link maxConnects} for a request and by a budget for all of them, so that a service that is gone is no storm. What
 * goes on is in {@link maySendElsewhere}.
 *
 * It needs no marked attempt, as a retry does: no callee ever hears of the tries before, or nobody repeats further out.
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
    /** Of an earlier try that may have begun with the work: a later one that certainly did not says too much. */
    let unknown: FlotillaError | undefined;
    for (let connects = 1; ; connects++) {
      try {
        return await this.#cluster.handle(request, call);
      } catch (thrown) {
        const error = toFlotillaError(thrown);
        const again =
          maySendElsewhere(error, call) &&
          !call.ended &&
          !call.cancelled &&
          connects < maxConnects &&
          this.#budget.withdraw(call.clock.now());
        if (again) {
          if (error.executed === 'unknown') unknown = error;
          continue;
        }
        const told = error.executed === 'no' ? (unknown ?? error) : error;
        call.end(told);
        throw told;
      }
    }
  };

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

/** A server's 503 that says nothing: it is going, and may be listed for a moment yet. */
export class Leaving extends FlotillaError {
  constructor(name: string) {
    super('UNAVAILABLE', `"${name}" answered 503 without a word: it may be shutting down`, {
      fromPeer: true,
      executed: 'unknown',
    });
  }
}

/** An application would have something to say, and who sheds load says when to come back. */
export function isLeaving({ status, headers, body }: HttpResponse): boolean {
  const isEmpty = body === undefined || (body instanceof Uint8Array && body.length === 0);
  return status === 503 && isEmpty && !headers.has('retry-after') && !headers.has('content-type');
}

/**
 * Whether a request that got no answer may go to another instance.
 *
 * | failure | goes on |
 * |---|---|
 * | nobody took the connection, or the server refused the request unread: it drains, or has all that it takes | any request |
 * | the connection broke before the answer began, the server is {@link Leaving} | an idempotent one without a body, unless its caller repeats it |
 *
 * A Java server that shuts down gracefully closes its port, and ends kept connections with the next request on each, unread
 * (Tomcat 10.1, measured) or by an empty 503 (its `Http11Processor`; Jetty), while it is listed for as long as word of it takes.
 */
export function maySendElsewhere(error: FlotillaError, call: Call): boolean {
  if ((error.code === 'CONNECT_FAILED' || error.code === 'UNAVAILABLE') && error.executed === 'no') return true;
  const isOpen = (error.code === 'CONNECTION_LOST' && !error.fromPeer) || error instanceof Leaving;
  return isOpen && call.attempt === undefined && call.get(idempotentAttribute) === true;
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
