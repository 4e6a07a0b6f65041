import { createFileCache } from '@flotilla/balance';
import { settings } from '@flotilla/config';
import { type Clock, FlotillaError, formatHostPort } from '@flotilla/core';
import {
  createGateway,
  createLastGoodFile,
  outsideCalls,
  refusalPage,
  upstreamPolicies,
  watchRoutes,
} from '@flotilla/gateway';
import { type HttpListener, isLoopback } from '@flotilla/http';
import type { NodeNetworkOptions } from '@flotilla/http/node';
import { connectDiscovery, lastKnownHealth, type ProcessSources, runProcess } from 'flotilla';
import { gatewaySettings } from './gateway-settings.ts';

/** Browsers send more header fields than services do; and nothing that a stranger says decides about a call. */
const network = (needs: Needs): Partial<NodeNetworkOptions> => ({
  // A route has its own limit for bodies, and decides itself about an encoded slash.
  limits: { maxHeaderFields: 100, maxBodyBytes: Infinity },
  encodedSlash: 'keep',
  refusalPage,
  makeCall: outsideCalls(needs),
});

/** Before the end of a drain: the time in which both ends of a WebSocket can answer a last word. */
const lastWordMs = 1_500;

type Needs = Parameters<typeof outsideCalls>[0];

/** The gateway process. */
export function runGateway(sources: ProcessSources): Promise<void> {
  return runProcess(
    {
      name: 'gateway',
      schema: settings(gatewaySettings),
      section: ['gateway'],
      network,
      policies: ({ clients }) => ({ clients: upstreamPolicies(clients) }),
      async build(config, runtime) {
        if (config.developerErrors && !isLoopback(config.bind)) {
          const detail = `developerErrors shows what is inside and needs a loopback "bind", got "${config.bind}"`;
          throw new FlotillaError('CONFIG_INVALID', detail);
        }
        const discovery = await connectDiscovery(config.registry, runtime);
        const cache = createFileCache({ directory: config.stateDir, logger: runtime.logger });
        runtime.health.register(lastKnownHealth(cache, runtime.clock));
        const gateway = createGateway({
          ...runtime,
          resolver: discovery.resolver,
          cache,
          // A loopback address means this machine only where the registry stands on it too.
          allowLoopbackInstances: config.registry.every((url) => isLoopback(new URL(url).hostname)),
          transport: config.transport,
          developerErrors: config.developerErrors,
          webSocketDrainMs: config.webSocketDrainMs,
          zone: config.zone,
          clients: config.clients,
          ownPorts: [runtime.management.port],
        });
        const bind = runtime.bindOf(config.bind, config.port);
        let { drainMs, drainNoticeMs } = config;
        let listener: HttpListener | undefined;
        let routes: Awaited<ReturnType<typeof watchRoutes>> | undefined;
        return {
          components: [
            { name: 'discovery', start: async () => {}, stop: () => discovery.close() },
            { name: 'upstreams', start: async () => {}, stop: () => gateway.close() },
            {
              name: 'routes',
              async start() {
                const lastGood = createLastGoodFile(`${config.stateDir}/gateway-routes.yaml`);
                routes = await watchRoutes(config.routes, gateway, { ...runtime, lastGood });
              },
              stop: async () => routes?.close(),
            },
            {
              name: 'listener',
              async start() {
                listener = await runtime.network.listen(bind, gateway.handler);
              },
              async stop() {
                // A socket that was handed over refuses nobody: who comes waits for the successor, so it had better be soon.
                if (listener && !('fd' in bind)) await passing(drainNoticeMs, runtime.clock);
                // Both ends of a WebSocket are told before their connections are cut.
                const told = gateway.drainWebSockets(
                  Math.max(0, Math.min(config.webSocketDrainMs, drainMs - lastWordMs)),
                );
                await listener?.drain(drainMs);
                await told;
              },
            },
          ],
          refresh(now) {
            ({ drainMs, drainNoticeMs } = now);
            gateway.configure(now.clients);
          },
          why: (service) => gateway.why(service),
          info: () => ({ routes: gateway.routes() }),
          url: () =>
            `${bind.tls ? 'https' : 'http'}://${formatHostPort(listener ?? { host: config.bind, port: config.port })}`,
          inHand: () => (listener && listener.inFlight > 0 ? `${listener.inFlight} requests` : ''),
        };
      },
    },
    sources,
  );
}

function passing(delayMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(delayMs, resolve));
}
