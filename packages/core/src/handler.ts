import type { Call } from './call.ts';

/**
 * Whatever answers a request: a user's function, a connection, a pool, a whole cluster behind a balancer, a route.
 * It resolves with the response or rejects with a {@link FlotillaError}.
 */
export type Handler<Req, Res> = (request: Req, call: Call) => Promise<Res>;

/**
 * Whatever adds behaviour to a handler. The outer function runs once, when the chain is built: state that is kept
 * between requests lives there. The inner one runs per request.
 */
export type Filter<Req, Res> = (next: Handler<Req, Res>) => Handler<Req, Res>;

/**
 * What an {@link Endpoint} can do with the next request.
 *
 * | status | permits | exits |
 * |---|---|---|
 * | `open` | requests | `busy`, `closed` |
 * | `busy` | nothing now: refuses without having started the work | `open`, `closed` |
 * | `closed` | nothing ever again | none |
 */
export type EndpointStatus = 'open' | 'busy' | 'closed';

/** A handler with a status, a load and an end: a connection, a pool of them, or a balanced cluster. */
export interface Endpoint<Req, Res> {
  readonly handle: Handler<Req, Res>;
  readonly status: EndpointStatus;
  /** Calls in flight, counted until the last byte of the answer. The number that a pick compares. */
  readonly load: number;
  /** Takes no more requests, lets those in flight end, releases what it holds. Later calls share the first one's promise. */
  close(): Promise<void>;
}

/**
 * What a handler answers. One that throws at once has failed like any other: a filter that is no `async` function starts the
 * next handler with it.
 */
export function begin<Req, Res>(next: Handler<Req, Res>, request: Req, call: Call): Promise<Res> {
  try {
    return next(request, call);
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

/**
 * Wraps a handler in filters. The first one listed meets the request first.
 *
 * ```ts
 * const handler = compose([metrics, retry, timeout], connection.handle);
 * ```
 */
export function compose<Req, Res>(
  filters: readonly Filter<Req, Res>[],
  innermost: Handler<Req, Res>,
): Handler<Req, Res> {
  return filters.reduceRight((next, filter) => filter(next), innermost);
}

/** An endpoint behind filters: its own status, load and end; requests meet the filters first. */
export function composeEndpoint<Req, Res>(
  filters: readonly Filter<Req, Res>[],
  endpoint: Endpoint<Req, Res>,
): Endpoint<Req, Res> {
  return {
    handle: compose(filters, endpoint.handle),
    get status() {
      return endpoint.status;
    },
    get load() {
      return endpoint.load;
    },
    close: () => endpoint.close(),
  };
}
