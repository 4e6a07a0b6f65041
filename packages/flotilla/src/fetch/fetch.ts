import { type Cluster, judgeByStatus } from '@flotilla/balance';
import {
  type Attribute,
  attribute,
  Call,
  compose,
  composeEndpoint,
  currentCall,
  type Filter,
  FlotillaError,
  type Handler,
  idempotentAttribute,
  speaksRSocket,
  toFlotillaError,
} from '@flotilla/core';
import { answerFailure, askUtilisation, type HttpRequest, type HttpResponse, leaveBody, mountAt } from '@flotilla/http';
import {
  attemptTimeout,
  type ClientGuard,
  type GuardedOperation,
  Policies,
  type PolicyEvents,
  resilienceDefaults,
} from '@flotilla/resilience';
import { type ClientRuntime, callFilters, clusterFor } from '../client.ts';
import { type Copy, onlyCopy, PerCopy } from '../copies.ts';
import { isRedirect, mostRedirects, redirected, refuseRedirect } from './redirect.ts';
import { type FetchInit, isIdempotent, isReplayable, messageOf, type PreparedRequest, prepare } from './request.ts';
import { responseOf } from './response.ts';
import { type FetchTarget, targetOf } from './target.ts';
import { wholeErrors } from './whole-errors.ts';

/**
 * `fetch` for services of the fleet: `http://orders/7` goes to an instance of the service `orders`. As the platform's own
 * fetch, an answer of any status is an answer. What keeps a request from being answered rejects with a FlotillaError, an
 * aborted one with the reason of its signal.
 */
export type FleetFetch = (input: string | URL | Request, init?: FetchInit) => Promise<Response>;

/** A fetch that was declared before anything was started. */
export interface LazyFetch {
  readonly fetch: FleetFetch;
  /** For one copy of the application; default: it has one. */
  connect(runtime: ClientRuntime, copy?: Copy): void;
  /** Lets that copy's calls in hand end, then gives up its connections. */
  close(copy?: Copy): Promise<void>;
}

/** Services that are followed at a time; beyond it, the one that was called longest ago is forgotten. */
const mostServices = 256;

/** Services that are being called at a time; beyond it, a call of another one is refused. */
const mostBusyServices = 1_024;

/** What one call is told besides its request. */
interface Terms {
  readonly attemptTimeoutMs: number;
  readonly repeatable: boolean;
}

const termsAttribute: Attribute<Terms> = attribute('terms of a fetch');

/** Declares a fetch. Calls made before {@link LazyFetch.connect} are refused. */
export function createLazyFetch(): LazyFetch {
  const live = new PerCopy<Fetching>();
  let when = 'before its service was started; call it after run()';
  return {
    async fetch(input, init = {}) {
      const fetching = live.current;
      if (fetching) return fetching.fetch(input, init);
      throw new FlotillaError('UNAVAILABLE', `fetch was used ${when}`);
    },
    connect: (runtime, copy = onlyCopy) => live.set(copy, new Fetching(runtime)),
    async close(copy = onlyCopy) {
      await live.get(copy)?.close();
      live.delete(copy);
      when = 'after its service was stopped';
    },
  };
}

/** What follows one service. */
interface Upstream {
  readonly cluster: Cluster<HttpRequest, HttpResponse>;
  readonly guard: ClientGuard;
  readonly handle: Handler<HttpRequest, HttpResponse>;
  /** Calls to it that have not ended, those that still wait for an instance included. */
  inHand: number;
}

class Fetching {
  readonly #runtime: ClientRuntime;
  readonly #policies: Policies;
  /** In the order of use, the latest last. */
  readonly #upstreams = new Map<string, Upstream>();
  readonly #closing = new Set<Promise<void>>();
  #closed = false;

  constructor(runtime: ClientRuntime) {
    this.#runtime = runtime;
    this.#policies = runtime.policies ?? new Policies(runtime);
  }

  async fetch(input: string | URL | Request, init: FetchInit): Promise<Response> {
    let request = await prepare(input, init);
    const { signal } = request;
    const deadline = this.#runtime.clock.now() + timeoutOf(init);
    for (let hops = 0; ; hops++) {
      signal?.throwIfAborted();
      const answer = await this.#send(request, init, deadline);
      if (!isRedirect(answer) || request.redirect === 'manual') {
        return responseOf(answer, { url: request.url.href, redirected: hops > 0, signal });
      }
      leaveBody(answer.body);
      if (request.redirect === 'error') refuseRedirect(request, answer, 'the caller wants none');
      if (hops === mostRedirects) refuseRedirect(request, answer, `it is number ${hops + 1} in a row`);
      request = redirected(request, answer);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const [name, upstream] of this.#upstreams) this.#forget(name, upstream);
    await Promise.all(this.#closing);
  }

  async #send(request: PreparedRequest, init: FetchInit, deadline: number): Promise<HttpResponse> {
    const target = targetOf(request.url, init.service);
    const message = messageOf(request);
    const upstream = this.#upstream(target);
    const call = this.#call(request, init, deadline);
    const { signal } = request;
    const abort = (): void => call.cancel(new FlotillaError('CANCELLED', 'the caller aborted the fetch'));
    signal?.addEventListener('abort', abort, { once: true });
    upstream.inHand++;
    call.onEnd(() => {
      upstream.inHand--;
      signal?.removeEventListener('abort', abort);
    });
    try {
      return await upstream.handle(message, call);
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      call.end(error);
      throw signal?.aborted ? signal.reason : error;
    }
  }

  #call(request: PreparedRequest, init: FetchInit, deadline: number): Call {
    const { clock, random } = this.#runtime;
    const key = request.headers.get('idempotency-key');
    const idempotency = key === null ? {} : { idempotencyKey: key };
    const remainingMs = Math.max(deadline - clock.now(), Number.MIN_VALUE);
    const parent = init.call ?? currentCall();
    const call = parent
      ? parent.child({ ...idempotency, timeoutMs: remainingMs })
      : new Call({ clock, random, ...idempotency, deadline });
    call.set(idempotentAttribute, isIdempotent(request));
    call.set(termsAttribute, {
      // As with typed clients, three attempts fit into a call, and no short call gives up on an attempt early.
      attemptTimeoutMs: Math.max(resilienceDefaults.attemptTimeoutMs, timeoutOf(init) / 3),
      repeatable: init.retry !== false && isReplayable(request),
    });
    return call;
  }

  #upstream(target: FetchTarget): Upstream {
    if (this.#closed) throw new FlotillaError('UNAVAILABLE', 'fetch was used after its service was stopped');
    const name = `${target.protocols.at(0)}:${target.service}`;
    const upstream = this.#upstreams.get(name) ?? this.#openAnother(target);
    this.#upstreams.delete(name);
    this.#upstreams.set(name, upstream);
    return upstream;
  }

  #openAnother(target: FetchTarget): Upstream {
    this.#trim();
    if (this.#upstreams.size >= mostBusyServices) {
      throw new FlotillaError(
        'UNAVAILABLE',
        `${mostBusyServices} services are being called, as many as may be at once`,
      );
    }
    return this.#open(target);
  }

  #open({ service, protocols }: FetchTarget): Upstream {
    const target = { service };
    // Each call has its own deadline, and its own patience with an attempt.
    const guard = this.#policies.client(service, { timeoutMs: Infinity, attemptTimeoutMs: Infinity });
    const operationOf = byMethod(service);
    const { network, fast } = this.#runtime;
    const cluster = clusterFor<HttpRequest, HttpResponse>(
      {
        target,
        protocols,
        judge: judgeByStatus,
        renewed: () => guard.renew(),
        filters: (name) => guard.instanceFilters(name, { operationOf }),
        connect: (address, instance, report) => {
          const { protocol, host, port } = address;
          const rsocket = fast !== undefined && speaksRSocket(instance, address);
          const scheme = protocol === 'https' ? 'https' : 'http';
          const endpoint = mountAt(instance, network.connect({ protocol: scheme, host, port, rsocket }));
          return composeEndpoint([askUtilisation(report)], endpoint);
        },
      },
      {},
      this.#runtime,
    );
    cluster.start();
    const around = callFilters<HttpRequest, HttpResponse>(
      target,
      guard,
      this.#runtime,
      {
        operationOf,
        prompt: true, // as `filters` above has it
        repeatable: (_, call) => call.get(termsAttribute)?.repeatable === true,
        failure: answerFailure,
        discard: ({ body }) => leaveBody(body),
      },
      ({ operation }) => `${operation} ${service}`,
    );
    const handle = compose(
      [
        ...around.map(({ filter }) => filter),
        whenKnown(cluster),
        attemptTimeouts(service, this.#policies.events),
        wholeErrors,
      ],
      cluster.handle,
    );
    return { cluster, guard, handle, inHand: 0 };
  }

  /** Makes room for one more. Calls in hand are never cut off: a service that is being called is not forgotten. */
  #trim(): void {
    for (const [name, upstream] of this.#upstreams) {
      if (this.#upstreams.size < mostServices) return;
      if (upstream.inHand === 0) this.#forget(name, upstream);
    }
  }

  #forget(name: string, { cluster, guard }: Upstream): void {
    this.#upstreams.delete(name);
    this.#policies.release(guard);
    const closing = cluster.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

/** An attempt is timed from when somebody is known who could answer it. */
function whenKnown(cluster: Cluster<HttpRequest, HttpResponse>): Filter<HttpRequest, HttpResponse> {
  return (next) => async (request, call) => {
    try {
      if (!cluster.known) await cluster.whenKnown(call);
    } catch (thrown) {
      call.end(toFlotillaError(thrown));
      throw thrown;
    }
    return next(request, call);
  };
}

/** As long as the call's own terms say. */
function attemptTimeouts(target: string, events: PolicyEvents): Filter<HttpRequest, HttpResponse> {
  return attemptTimeout({
    target,
    events,
    operationOf: ({ method }) => method,
    attemptTimeoutMs: (_request, call) =>
      call.get(termsAttribute)?.attemptTimeoutMs ?? resilienceDefaults.attemptTimeoutMs,
  });
}

/** A fetch knows no operations: the method stands for one. Platforms allow few methods. */
function byMethod(service: string): (request: HttpRequest) => GuardedOperation {
  const operations = new Map<string, GuardedOperation>();
  return ({ method }) => {
    let operation = operations.get(method);
    if (!operation) {
      operation = { contract: service, operation: method, streamed: false };
      if (operations.size < 100) operations.set(method, operation);
    }
    return operation;
  };
}

function timeoutOf({ timeoutMs = resilienceDefaults.timeoutMs }: FetchInit): number {
  if (timeoutMs > 0) return timeoutMs;
  throw new FlotillaError('INVALID_INPUT', `timeoutMs must be greater than 0, got ${timeoutMs}`);
}
