import { createFileCache } from '@flotilla/balance';
import { chooseAdvertisedHost } from '@flotilla/registry/client';
import { describeContracts, openApiMediaType } from '@flotilla/rpc';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import { type App, appParts } from '../app.ts';
import { largestBodyBytes } from '../body-limit.ts';
import { plainTransport } from '../client.ts';
import { connectDiscovery } from '../discovery/connect.ts';
import { lastKnownHealth } from '../last-known-health.ts';
import { describeApp, warnOfGaps } from '../openapi.ts';
import { assertPlacement } from '../placement/assert-placement.ts';
import { sourcesByService, splitSources } from '../placement/placed-sources.ts';
import type { ServiceConfig } from '../platform-settings.ts';
import { serviceParts } from '../start/service-parts.ts';
import { configSchemaOf } from '../start/start-service.ts';
import { eventLoopShare } from './event-loop.ts';
import { runProcess } from './process/process.ts';
import { type ProcessSources, usualFiles } from './process/process-config.ts';
import { isDevelopment } from './process/supervised.ts';

/**
 * Runs a service until a signal ends it: reads the configuration, opens the port, registers, serves, drains, leaves.
 * Its part of `flotilla.yaml` is `services.<name>`.
 *
 * ```ts
 * if (import.meta.main) await run(app);
 * ```
 */
export function run<S>(app: App<S>, sources: ProcessSources = {}): Promise<void> {
  const { args = process.argv.slice(2), env = process.env } = sources;
  const { own: ownSources, placed: given } = splitSources({ args, env });
  const parts = appParts(app);
  const { name, bindings } = parts;
  return runProcess<ServiceConfig<S>>(
    {
      name,
      schema: configSchemaOf(app),
      section: ['services', name],
      policies: ({ clients, server }) => ({ clients, server }),
      check({ placement }) {
        assertPlacement(placement, name);
        sourcesByService(given, placement);
      },
      contracts: describeContracts(bindings.map(({ contract }) => contract)),
      openapi: (url) => ({ document: describeApp(parts, url).document, mediaType: openApiMediaType }),
      // An operation that takes more than the listener's own limit would never be asked.
      network: (_, { maxBodyBytes }) => ({ limits: { maxBodyBytes: largestBodyBytes(bindings, maxBodyBytes) } }),
      async build(config, runtime) {
        warnOfGaps(describeApp(parts), runtime.logger);
        const discovery = await connectDiscovery(config.registry, {
          ...runtime,
          bindHost: config.bind,
          zone: config.zone,
        });
        const cache = createFileCache({ directory: config.stateDir, logger: runtime.logger });
        runtime.health.register(lastKnownHealth(cache, runtime.clock));
        const advertise = (bind: string, explicit: string | undefined) =>
          chooseAdvertisedHost({ bindHost: bind, advertise: explicit, interfaces: runtime.interfaces });
        const plain = plainTransport(runtime);
        const fast = rsocketTransport(runtime.connector, plain, runtime);
        const utilisation = eventLoopShare();
        const own = { ...runtime, cache, advertise, fast, utilisation };
        if (Object.keys(config.placement).length === 0) return serviceParts(app, config, { ...own, discovery });
        const { placeServices } = await import('../placement/engines/place-services.ts');
        const placed = await placeServices(config.placement, {
          runtime: own,
          discovery,
          transport: config.transport === 'http' ? plain : fast,
          files: sources.files ?? usualFiles(),
          shared: { registry: config.registry, zone: config.zone, stateDir: config.stateDir, drainMs: config.drainMs },
          given,
          log: config.log,
          copies: isDevelopment(),
        });
        const found = { ...discovery, resolver: placed.resolver };
        const service = serviceParts(app, config, {
          ...own,
          discovery: found,
          network: placed.network,
          local: placed.transport,
        });
        return { ...service, components: [...placed.components, ...service.components] };
      },
    },
    { ...sources, ...ownSources },
  );
}
