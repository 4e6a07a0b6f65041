import { type Call, type Component, compose, FlotillaError, type ReadyHandler, type Store } from '@flotilla/core';
import { type HttpHandler, type HttpListener, tellUtilisation } from '@flotilla/http';
import { contractHandler } from '@flotilla/rpc';
import { CallServer, serveDirectly, servingCalls, speakRSocket } from '@flotilla/rpc/rsocket';
import type { AppParts } from '../app.ts';
import { commandMemory } from '../command-memory.ts';
import { type Copy, runInCopy } from '../copies.ts';
import { openApiRoute } from '../openapi.ts';
import type { ServiceConfig } from '../platform-settings.ts';
import { leasesOf, protectedRoute, protectWith } from '../process-policies.ts';
import type { ProtectedRuntime, ServiceRuntime } from './service-runtime.ts';

/** Where the application takes calls: over HTTP, and over RSocket on the same port. At the stop it drains for `drainMs`. */
export function listenerOf<S>(
  parts: AppParts<S>,
  copy: Copy,
  now: () => ServiceConfig<S>,
  runtime: ProtectedRuntime,
  store: () => Store,
): { readonly component: Component; readonly listener: () => HttpListener } {
  const { network, bindOf } = runtime;
  let open: HttpListener | undefined;
  const listener = (): HttpListener => {
    if (!open) throw new FlotillaError('UNAVAILABLE', `service "${parts.name}" does not listen yet`);
    return open;
  };
  const component: Component = {
    name: 'listener',
    async start() {
      const config = now();
      open = await network.listen(bindOf(config.bind, config.port), handlerOf(parts, copy, config, runtime, store()));
    },
    stop: async () => open?.drain(now().drainMs),
  };
  return { component, listener };
}

/** All that the application serves as one handler of HTTP, marked as one that serves calls over RSocket unless that is off. */
function handlerOf<S>(
  parts: AppParts<S>,
  copy: Copy,
  config: ServiceConfig<S>,
  { logger, meter, tracer, clock, random, fast, policies, utilisation }: ProtectedRuntime,
  store: Store,
): HttpHandler {
  const settings = () => policies.server.policies.idempotency;
  const serving = {
    maxBodyBytes: config.maxBodyBytes,
    protect: protectWith(policies),
    remember: commandMemory({ store, settings, events: policies.events }),
    clock,
    logger,
    meter,
    tracer,
  };
  const routes = config.openapi ? [...parts.routes, openApiRoute(parts)] : parts.routes;
  const extraRoutes = routes.map((route) => protectedRoute(policies, route));
  const filtered = compose(
    [...(utilisation ? [tellUtilisation(utilisation)] : []), ...parts.filters.map((make) => make(config.settings))],
    contractHandler(parts.bindings, { ...serving, extraRoutes }),
  );
  // A process of its own has one copy and pays nothing for others.
  const within = <T>(work: () => T): T => (parts.copies.size > 1 ? runInCopy(copy, work) : work());
  const inThisCopy = <Req, Res>(serve: ReadyHandler<Req, Res>, asked: Req, call: Call): Res | Promise<Res> =>
    runInCopy(copy, () => serve(asked, call));
  const inCopy: HttpHandler = (request, call) => within(() => filtered(request, call));
  if (!fast || config.transport === 'http') return inCopy;
  const calls = new CallServer(parts.bindings, {
    ...serving,
    random,
    utilisation,
    around: (serve) => (asked, call) => (parts.copies.size > 1 ? inThisCopy(serve, asked, call) : serve(asked, call)),
    through: parts.filters.length > 0 ? inCopy : undefined,
  });
  return speakRSocket(serveDirectly(inCopy, calls), servingCalls(calls, leasesOf(policies)));
}

/** What its own listener speaks; RSocket beside it is encrypted as HTTP is. */
export function protocolOf<S>({ bind, port }: ServiceConfig<S>, { bindOf }: ServiceRuntime): 'http' | 'https' {
  return bindOf(bind, port).tls === true ? 'https' : 'http';
}
