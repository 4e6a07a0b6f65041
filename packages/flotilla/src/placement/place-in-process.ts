import { type Component, type Endpoint, FlotillaError, type Running, startAll } from '@flotilla/core';
import type { HttpListener, HttpNetwork } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import { httpCalls, type OperationRequest, type OperationResponse, type RpcTransport } from '@flotilla/rpc';
import { callServerOf, type DirectCalls, directCalls } from '@flotilla/rpc/rsocket';
import type { App } from '../app.ts';
import type { ServiceConfig } from '../platform-settings.ts';
import { serviceParts } from '../start/service-parts.ts';
import type { ServiceRuntime } from '../start/service-runtime.ts';
import type { LocalPlaces } from './local-places.ts';

/** A service that is placed here. */
export interface PlacedService {
  readonly name: string;
  /** Starts it; stops it when its callers here have gone. */
  readonly component: Component;
  /** A way to call it, for one client. */
  connect(): Endpoint<OperationRequest, OperationResponse>;
}

/** What placing a service takes. */
export interface PlaceNeeds {
  /** Of the process that it is placed in. */
  readonly runtime: Omit<ServiceRuntime, 'discovery' | 'fast' | 'network' | 'bindOf' | 'advertise'>;
  readonly places: LocalPlaces;
  /** How it calls others, the ones that are placed here among them. */
  readonly transport: RpcTransport;
  /** Whether payloads are copied. */
  readonly copies: boolean;
}

/**
 * Places a service in this process: it is started with all that it has, listens nowhere, and is registered nowhere but here.
 * Calls reach its handlers without any wire.
 */
export function placeInProcess<S>(app: App<S>, config: ServiceConfig<S>, needs: PlaceNeeds): PlacedService {
  const { name } = app;
  const { places, transport, copies } = needs;
  const { policies: _, ...runtime } = needs.runtime; // its own configuration says which
  let calls: DirectCalls | undefined;
  let running: Running | undefined;
  const { clock, random, logger } = runtime;
  const memory = memoryNetwork({ clock, random });
  const network: HttpNetwork = {
    connect: (target) => memory.connect(target),
    async listen(bind, handler) {
      const server = callServerOf(handler);
      if (!server) throw new FlotillaError('START_FAILED', `service "${name}" serves no calls that could be placed`);
      const listener = await memory.listen(bind, handler);
      const endpoint = memory.connect({ protocol: 'http', host: listener.host, port: listener.port });
      const bytes = httpCalls(endpoint, { authority: name, random });
      calls = directCalls(server, { copies, bytes });
      return drained(listener, calls, runtime.clock);
    },
  };
  return {
    name,
    component: {
      name: `service "${name}"`,
      async start() {
        const parts = serviceParts(
          app,
          { ...config, transport: 'auto' }, // or nobody would serve what is called directly
          {
            ...runtime,
            network,
            fast: transport,
            bindOf: () => ({ host: name, port: 80 }),
            advertise: () => ({ host: name, reason: 'it is placed in this process' }),
            discovery: { resolver: places.resolver, registrar: places.registrar(name), close: async () => {} },
          },
        );
        running = await startAll(parts.components, logger);
        logger.info('placed in this process', { service: name });
      },
      stop: async (reason) => running?.stop(reason),
    },
    connect() {
      if (!calls) throw new FlotillaError('UNAVAILABLE', `service "${name}" is not up in this process`);
      return shared(calls);
    },
  };
}

/** Clients come and go; the calls of others go on. */
function shared(calls: DirectCalls): Endpoint<OperationRequest, OperationResponse> {
  return {
    handle: calls.handle,
    get status() {
      return calls.status;
    },
    get load() {
      return calls.load;
    },
    close: async () => {},
  };
}

/** A listener whose drain waits for the calls that came directly. */
function drained(listener: HttpListener, calls: DirectCalls, clock: ServiceRuntime['clock']): HttpListener {
  let draining: Promise<void> | undefined;
  const drain = async (deadlineMs: number): Promise<void> => {
    const timer = clock.setTimer(deadlineMs, () => calls.breakOff('the service was stopped before the call ended'));
    const closed = calls.close();
    await Promise.all([closed, listener.drain(deadlineMs)]);
    timer.cancel();
  };
  return {
    host: listener.host,
    port: listener.port,
    get connections() {
      return listener.connections;
    },
    get inFlight() {
      return calls.load;
    },
    drain(deadlineMs) {
      draining ??= drain(deadlineMs);
      return draining;
    },
  };
}
