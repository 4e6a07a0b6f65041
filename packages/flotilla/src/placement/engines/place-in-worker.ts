import { extname } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import {
  type Component,
  type Endpoint,
  type EndpointStatus,
  FlotillaError,
  jittered,
  type Timer,
} from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';
import { type Binding, httpCalls, type OperationRequest, type OperationResponse } from '@flotilla/rpc';
import {
  callbacks,
  httpOverRSocket,
  RSocketConnection,
  type RSocketLinks,
  rsocketCalls,
  withBytesOver,
} from '@flotilla/rpc/rsocket';
import type { PlaceWays } from '../local-transport.ts';
import type { PlacedService, PlaceNeeds } from '../place-in-process.ts';
import { PortChannel } from './port-channel.ts';
import type { FromWorker, ToWorker, WorkerOrders } from './worker-messages.ts';

/** When the thread of a service that has died is started anew. */
export const workerDefaults: Readonly<
  Record<'startTimeoutMs' | 'leastBackoffMs' | 'longestBackoffMs' | 'steadyMs', number>
> = Object.freeze({
  startTimeoutMs: 30_000,
  leastBackoffMs: 500, // twice as long after each further death
  longestBackoffMs: 30_000,
  steadyMs: 60_000, // who has lived that long begins with the least again
});

/** What placing a service in a thread takes. */
export interface WorkerNeeds extends Pick<PlaceNeeds, 'runtime' | 'places'> {
  /** Called when something of its configuration waits for the next start of the process. */
  readonly outdated: () => void;
}

/**
 * Places a service in a thread of this process. Calls go to it as to another process, over RSocket, with a port between
 * threads in place of a socket. When the thread dies, calls in hand fail with CONNECTION_LOST, `executed: unknown`, later ones
 * are refused, and it is started anew after a pause.
 */
export function placeInWorker(
  orders: WorkerOrders,
  needs: WorkerNeeds,
  times: Partial<typeof workerDefaults> = {},
): PlacedService & { /** For a test that plays a crash. */ readonly thread: () => Worker | undefined } {
  const thread = new ServiceThread(orders, needs, { ...workerDefaults, ...times });
  const component: Component = {
    name: `service "${orders.name}"`,
    start: () => thread.start(),
    stop: (reason) => thread.stop(reason),
  };
  return { name: orders.name, component, ways: thread, thread: () => thread.worker };
}

class ServiceThread implements PlaceWays {
  readonly #orders: WorkerOrders;
  readonly #needs: WorkerNeeds;
  readonly #times: typeof workerDefaults;
  #worker: Worker | undefined;
  /** By what their clients serve. */
  readonly #connections = new Map<readonly Binding[] | undefined, RSocketConnection>();
  #upAt = 0;
  #deaths = 0;
  #again: Timer | undefined;
  #stopping: Promise<void> | undefined;

  constructor(orders: WorkerOrders, needs: WorkerNeeds, times: typeof workerDefaults) {
    this.#orders = orders;
    this.#needs = needs;
    this.#times = times;
  }

  get worker(): Worker | undefined {
    return this.#worker;
  }

  /** @throws FlotillaError what the service could not start for; START_FAILED when it says nothing in time */
  async start(): Promise<void> {
    const { clock, logger } = this.#needs.runtime;
    const { name } = this.#orders;
    // Beside this file, whether it is a source or was built.
    const main = new URL(`./worker-main${extname(import.meta.filename)}`, import.meta.url);
    const worker = new Worker(main, { workerData: this.#orders, name: `service ${name}` });
    this.#worker = worker;
    const up = Promise.withResolvers<void>();
    const timer = clock.setTimer(this.#times.startTimeoutMs, () => {
      up.reject(startFailed(name, `it said nothing for ${this.#times.startTimeoutMs} ms`));
    });
    let cause: unknown;
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'up') up.resolve();
      else if (message.kind === 'failed') up.reject(new FlotillaError(message.code, message.detail));
      else if (message.kind === 'outdated') this.#needs.outdated();
      else this.#needs.places.set(name, message.instance);
    });
    worker.on('error', (thrown) => {
      cause = thrown;
    });
    worker.on('exit', (code) => {
      up.reject(startFailed(name, `its thread ended with code ${code}`, cause));
      if (this.#worker === worker) this.#died(code, cause);
    });
    try {
      await up.promise;
      this.#upAt = clock.now();
      logger.info('placed in a thread of this process', { service: name });
    } catch (thrown) {
      this.#worker = undefined; // its end is no death of a service that was up
      await worker.terminate();
      throw thrown;
    } finally {
      timer.cancel();
    }
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  /** Operations with bytes go as requests of HTTP, on the same connection. */
  calls(serves: readonly Binding[] | undefined): Endpoint<OperationRequest, OperationResponse> {
    const { random } = this.#needs.runtime;
    const authority = this.#orders.name;
    return withBytesOver(() => httpCalls(this.http(), { authority, random }), rsocketCalls(this.#links(serves)));
  }

  http(): Endpoint<HttpRequest, HttpResponse> {
    return httpOverRSocket(this.#links(undefined));
  }

  async #stop(reason: string): Promise<void> {
    this.#again?.cancel();
    const worker = this.#worker;
    if (!worker) return;
    this.#worker = undefined;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    const { clock } = this.#needs.runtime;
    const patienceMs = this.#orders.shared.drainMs + 5_000;
    const timer = clock.setTimer(patienceMs, () => void worker.terminate());
    tell(worker, { kind: 'stop', reason });
    await ended;
    timer.cancel();
    this.#needs.places.set(this.#orders.name, undefined);
  }

  #died(code: number, cause: unknown): void {
    const { clock, random, logger } = this.#needs.runtime;
    const { leastBackoffMs, longestBackoffMs, steadyMs } = this.#times;
    this.#worker = undefined;
    this.#needs.places.set(this.#orders.name, undefined);
    if (clock.now() - this.#upAt >= steadyMs) this.#deaths = 0;
    const delayMs = jittered(Math.min(leastBackoffMs * 2 ** this.#deaths++, longestBackoffMs), random);
    logger.error('the thread of a service died; it is started anew', {
      service: this.#orders.name,
      code,
      delayMs,
      cause,
    });
    this.#again = clock.setTimer(delayMs, () => this.#startAgain());
  }

  #startAgain(): void {
    this.start().catch((thrown: unknown) => {
      if (!this.#stopping) this.#died(1, thrown);
    });
  }

  /**
   * One connection for all clients that serve nothing, one for those that serve the same; another one after the thread was
   * started anew.
   */
  #links(serves: readonly Binding[] | undefined): RSocketLinks {
    const current = (): RSocketConnection | undefined => {
      const connection = this.#connections.get(serves);
      return connection?.takesRequests ? connection : undefined;
    };
    const { name } = this.#orders;
    return {
      target: name,
      get status(): EndpointStatus {
        return 'open';
      },
      outstanding: 0,
      current,
      connect: async () => {
        const connection = current() ?? this.#open(serves);
        if (connection) return connection;
        throw new FlotillaError('CONNECT_FAILED', `the thread of service "${name}" is not up`, { executed: 'no' });
      },
      close: async () => {},
    };
  }

  #open(serves: readonly Binding[] | undefined): RSocketConnection | undefined {
    const worker = this.#worker;
    if (!worker) return undefined;
    const { runtime } = this.#needs;
    const { port1, port2 } = new MessageChannel();
    tell(worker, { kind: 'connection', port: port2 }, [port2]);
    const connection = RSocketConnection.client({
      channel: new PortChannel(port1),
      clock: runtime.clock,
      responder: serves && callbacks(serves, runtime),
    });
    this.#connections.set(serves, connection);
    return connection;
  }
}

function tell(worker: Worker, message: ToWorker, transfer: Parameters<Worker['postMessage']>[1] = []): void {
  worker.postMessage(message, transfer);
}

function startFailed(name: string, why: string, cause?: unknown): FlotillaError {
  const said = cause instanceof Error ? `: ${cause.message}` : '';
  return new FlotillaError('START_FAILED', `service "${name}" could not be placed in a thread: ${why}${said}`, {
    cause,
  });
}
