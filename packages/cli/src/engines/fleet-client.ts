import { nullLogger, nullMeter, nullTracer, systemClock, systemRandom } from '@flotilla/core';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import {
  connectDiscovery,
  fastNetwork,
  type GenericClient,
  genericClient,
  plainTransport,
  textsOf,
  textsOfInstances,
} from 'flotilla';

/** A client of a whole fleet. */
export interface FleetClient {
  readonly client: GenericClient;
  close(): Promise<void>;
}

/**
 * Finds services through a registry, as the fleet's own processes do.
 * @param registry one URL, or several with commas
 * @throws FlotillaError CONFIG_INVALID
 */
export async function fleetClient(registry: string): Promise<FleetClient> {
  const ground = { clock: systemClock, random: systemRandom, logger: nullLogger };
  const { network, connector } = fastNetwork(ground);
  const plain = plainTransport({ ...ground, network });
  const urls = registry.split(',').map((url) => url.trim());
  const discovery = await connectDiscovery(urls, { ...ground, network });
  const client = genericClient({
    ...ground,
    network,
    fast: process.env['FLOTILLA_TRANSPORT'] === 'http' ? undefined : rsocketTransport(connector, plain, ground),
    resolver: discovery.resolver,
    meter: nullMeter,
    tracer: nullTracer,
    texts: [textsOf(discovery), textsOfInstances({ ...ground, network })],
  });
  return {
    client,
    async close() {
      await client.close();
      await discovery.close();
    },
  };
}
