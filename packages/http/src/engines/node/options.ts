import type { Clock, Logger, Random } from '@flotilla/core';
import type { CallMaker, HttpHandler } from '../../exchange.ts';
import type { Bind } from '../../network.ts';
import type { PathOptions } from '../../path.ts';
import type { FailureListener } from '../answer.ts';
import type { RefusalPage } from './refusal.ts';
import type { TlsFiles } from './tls/tls-files.ts';
import type { Tongue } from './tongue.ts';

/** What a listener allows. Sizes are bytes; `Infinity` lifts a limit. */
export interface ListenerLimits {
  /** Method, target and version. More: 414, close. */
  readonly maxRequestLineBytes: number;
  /** All header fields together. More: 431, close. */
  readonly maxHeaderBytes: number;
  /** Header fields, counted before any of them is used. More: 431, close. A gateway sets 100. */
  readonly maxHeaderFields: number;
  /** Name and value of one field. More: 431, close. */
  readonly maxFieldBytes: number;
  /** A body, declared or counted. More: 413, close. Whoever reads a body sets its own, tighter limit. */
  readonly maxBodyBytes: number;
  /** From accept, or from the first byte of a later request, to the end of its head. Longer: 408, close. */
  readonly headTimeoutMs: number;
  /** Without a byte of the body while somebody waits for it. Longer: 408, close. */
  readonly bodyIdleMs: number;
  /** Slower than this over {@link bodyWindowMs} while somebody waits: 408, close. 0 allows any pace. */
  readonly minBodyBytesPerSecond: number;
  readonly bodyWindowMs: number;
  /** A connection without a request. Longer: close. */
  readonly keepAliveIdleMs: number;
  /** Each idle time is longer or shorter by up to this fraction, so that connections do not end together. */
  readonly keepAliveJitter: number;
  /** The last one is answered with `connection: close`. */
  readonly maxRequestsPerConnection: number;
  /** Requests that wait behind the one in hand. More: those are answered, then the connection closes. */
  readonly maxPipelined: number;
  /** The client takes no byte of an answer. Longer: reset. */
  readonly writeStallMs: number;
  /** More: 503, close. A registry raises it. */
  readonly maxConnections: number;
  /** More from one address: 503, close. */
  readonly maxConnectionsPerAddress: number;
  /** A body that nobody read is read over up to this size to keep the connection; a longer one costs it. */
  readonly maxDiscardBytes: number;
  /** After the last answer, how long a client that still sends may take to read it before the connection is cut. */
  readonly lingerMs: number;
  /**
   * While draining, a connection without a request is closed when it has been quiet for this long. A client that is
   * about to send on it thus gets an answer, with `connection: close`, instead of a connection that breaks under its
   * request. 0 closes such connections at once.
   */
  readonly drainQuietMs: number;
  /** How often times are looked at: each may be exceeded by this much. */
  readonly sweepMs: number;
}

export const listenerDefaults: ListenerLimits = Object.freeze({
  maxRequestLineBytes: 8_192,
  maxHeaderBytes: 16_384,
  maxHeaderFields: 64,
  maxFieldBytes: 8_192,
  maxBodyBytes: 10_485_760,
  headTimeoutMs: 10_000,
  bodyIdleMs: 30_000,
  minBodyBytesPerSecond: 1_024,
  bodyWindowMs: 30_000,
  keepAliveIdleMs: 60_000,
  keepAliveJitter: 0.2,
  maxRequestsPerConnection: 10_000,
  maxPipelined: 10,
  writeStallMs: 30_000,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 1_000,
  maxDiscardBytes: 65_536,
  lingerMs: 2_000,
  drainQuietMs: 100, // longer than busy clients pause; nobody waits for it who has other work in hand
  sweepMs: 1_000,
});

/** What a pool of connections to one address allows. */
export interface PoolLimits {
  /** Connections at once, each with one request. */
  readonly maxConnections: number;
  /** Calls that wait for a connection. More: the endpoint is `busy` and refuses. */
  readonly maxWaiting: number;
  readonly connectTimeoutMs: number;
  /** An idle connection is closed after it: sooner than any server's own limit, which would race with a request. */
  readonly keepAliveIdleMs: number;
  /** All header fields of an answer. More: BAD_RESPONSE. */
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
  /** Answers of class 1xx before the real one. More: BAD_RESPONSE. */
  readonly maxInterim: number;
}

export const poolDefaults: PoolLimits = Object.freeze({
  maxConnections: 128,
  maxWaiting: 1_024,
  connectTimeoutMs: 1_000,
  keepAliveIdleMs: 4_000,
  maxHeaderBytes: 65_536,
  maxHeaderFields: 100,
  maxInterim: 16,
});

/** What {@link nodeNetwork} needs. */
export interface NodeNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Handlers that failed at `error`, a full listener at `warn`, refused requests at `debug`. Default: says nothing. */
  readonly logger?: Logger;
  /** Overrides of {@link listenerDefaults}. */
  readonly limits?: Partial<ListenerLimits>;
  /** For listeners that are told to speak TLS, and for every https target. Default: none listens so; Node's authorities. */
  readonly tls?: TlsFiles | undefined;
  /** Overrides of {@link poolDefaults}. */
  readonly pool?: Partial<PoolLimits>;
  /** Which call a request that comes in gets. Default: the one that its context headers say. */
  readonly makeCall?: CallMaker;
  /**
   * How a request is refused whose head could be read but not be served: for a gateway that shows pages to browsers.
   * Undefined, here or as its answer: a problem document.
   */
  readonly refusalPage?: RefusalPage;
  /**
   * `%2F` in the path of a request that comes in: `refuse` (default) answers 400 before any handler sees it; `keep`
   * leaves the decision to whoever routes: a service that uses decoded segments, a gateway with routes that say so.
   */
  readonly encodedSlash?: 'refuse' | 'keep';
  /** Further protocols on the port of a listener, beside HTTP/1.1: asked once for each. Default: none. */
  readonly tongues?: (handler: HttpHandler, bind: Bind, serving: HttpServing) => readonly Tongue[];
}

/** How a network serves HTTP requests, for protocols that carry them beside HTTP/1.1. */
export interface HttpServing {
  readonly handler: HttpHandler;
  readonly makeCall: CallMaker;
  readonly clock: Clock;
  readonly limits: ListenerLimits;
  readonly pathOptions: PathOptions;
  /** Hears of each request that its handler could not answer. */
  readonly failed: FailureListener;
}

/** @throws RangeError for a number that is no limit: below 0, NaN. */
export function resolveLimits<Limits extends ListenerLimits | PoolLimits>(
  defaults: Limits,
  given: Partial<Limits> = {},
): Limits {
  const resolved: Record<string, number> = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(defaults, name)) throw new RangeError(`"${name}" is not a limit; there are ${names(defaults)}`);
    if (typeof value !== 'number' || !(value >= 0))
      throw new RangeError(`${name} must be a number from 0 on, got ${value}`);
    resolved[name] = value;
  }
  return Object.freeze(resolved) as unknown as Limits;
}

function names(defaults: object): string {
  return Object.keys(defaults).join(', ');
}
