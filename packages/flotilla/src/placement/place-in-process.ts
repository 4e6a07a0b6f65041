import { type Component, FlotillaError, type Running, startAll } from '@flotilla/core';
import type { HttpListener, HttpNetwork } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import { type Binding, httpCalls, type RpcTransport } from '@flotilla/rpc';
import {
  type Caller,
  CallServer,
  type CallServerOptions,
  callServerOf,
  type DirectCalls,
  directCalls,
} from '@flotilla/rpc/rsocket';
import type { App } from '../app.ts';
import type { ServiceConfig } from '../platform-settings.ts';
import { policiesOf } from '../process-policies.ts';
import { serviceParts } from '../start/service-parts.ts';
import type { ServiceRuntime } from '../start/service-runtime.ts';
import type { LocalPlaces } from './local-places.ts';
import type { PlaceWays } from './local-transport.ts';
import type { PlacedConfig } from './placed-config.ts';

/** A service that is placed here. */
export interface PlacedService {
  readonly name: string;
  /** Starts it; stops it when its callers here have gone. */
  readonly component: Component;
  readonly ways: PlaceWays;
}

/** What placing a service takes. */
export interface PlaceNeeds {
  /** Of the process that it is placed in. */
  readonly runtime: Omit<ServiceRuntime, 'discovery' | 'fast' | 'bindOf' | 'advertise'>;
  readonly places: LocalPlaces;
  /** How it calls others, the ones that are placed here among them. */
  readonly transport: RpcTransport;
  /** Whether payloads are copied. */
  readonly copies: boolean;
}

/**
 * Places a service in this process: it is started with all that it has, listens nowhere, and is registered nowhere but here.
 * Calls reach its handlers without any wire.
 * @param openConfig reads its configuration, at its start
 */
export function placeInProcess(app: App, openConfig: () => Promise<PlacedConfig>, needs: PlaceNeeds): PlacedService {
  const { name } = app;
  const { places, transport, copies } = needs;
  const { runtime } = needs;
  let calls: DirectCalls | undefined;
  let http: PlaceWays['http'] | undefined;
  let running: Running | undefined;
  let config: PlacedConfig | undefined;
  const { clock, random, logger } = runtime;
  const memory = memoryNetwork({ clock, random });
  const network: HttpNetwork = {
    connect: (target) => runtime.network.connect(target),
    async listen(bind, handler) {
      const server = callServerOf(handler);
      if (!server) throw new FlotillaError('START_FAILED', `service "${name}" serves no calls that could be placed`);
      const listener = await memory.listen(bind, handler);
      http = () => memory.connect({ protocol: 'http', host: listener.host, port: listener.port });
      calls = directCalls(server, { copies, bytes: httpCalls(http(), { authority: name, random }) });
      return drained(listener, calls, runtime.clock);
    },
  };
  return {
    name,
    component: {
      name: `service "${name}"`,
      async start() {
        config = await openConfig();
        try {
          const policies = policiesOf(config.now, runtime); // its own
          const parts = serviceParts(app, served(config.now), {
            ...runtime,
            policies,
            network,
            fast: transport,
            bindOf: () => ({ host: name, port: 80 }),
            advertise: () => ({ host: name, reason: 'it is placed in this process' }),
            discovery: { resolver: places.resolver, registrar: places.registrar(name), close: async () => {} },
          });
          running = await startAll(parts.components, logger);
          config.follow(policies, (now) => parts.refresh(served(now)));
        } catch (thrown) {
          await config.close();
          throw thrown;
        }
        logger.info('placed in this process', { service: name });
      },
      async stop(reason) {
        await config?.close();
        await running?.stop(reason);
      },
    },
    ways: {
      calls(serves) {
        if (!calls) throw notUp(name);
        return calls.by(serves && directCaller(serves, runtime, copies));
      },
      http() {
        if (!http) throw notUp(name);
        return http();
      },
    },
  };
}

/** Without RSocket nobody would serve what is called directly. */
function served(config: ServiceConfig<unknown>): ServiceConfig<unknown> {
  return { ...config, transport: 'auto' };
}

function notUp(name: string): FlotillaError {
  return new FlotillaError('UNAVAILABLE', `service "${name}" is not up in this process`);
}

/** A client in this process that serves contracts to whom it calls. */
function directCaller(serves: readonly Binding[], serving: CallServerOptions, copies: boolean): Caller {
  const calls = directCalls(new CallServer(serves, serving), { copies });
  return { calls: () => calls.by(undefined) };
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
