import { type Instance, identity, nullLogger, nullMeter, nullTracer, systemClock, systemRandom } from '@flotilla/core';
import type { HttpHandler, HttpListener } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { type Binding, contractHandler, contractHash, describeContracts } from '@flotilla/rpc';
import { createHealth, managementHandler, prometheusMeter } from '@flotilla/telemetry';
import { type GenericClient, genericClient, textsOfInstances } from 'flotilla';

/** A process on sockets that serves, with its management port, and a client that finds it. */
export interface Serving {
  readonly client: GenericClient;
  /** Of its management port. */
  readonly managementUrl: string;
  /** Serves something besides, until the end. @returns its URL */
  listen(handler: HttpHandler): Promise<string>;
  end(): Promise<void>;
}

/** @param openapi the document that the management port shows. */
export async function serving(
  binding: Binding,
  openapi?: () => { readonly document: unknown; readonly mediaType: string; readonly url: undefined },
): Promise<Serving> {
  const ground = { clock: systemClock, random: systemRandom };
  const network = nodeNetwork(ground);
  const listeners: HttpListener[] = [];
  const listen = async (handler: HttpHandler): Promise<number> => {
    const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
    listeners.push(listener);
    return listener.port;
  };
  const { contract } = binding;
  const port = await listen(contractHandler([binding]));
  const managedAt = await listen(
    managementHandler({
      health: createHealth(),
      meter: prometheusMeter({ processMetrics: false }),
      logger: nullLogger,
      config: () => [],
      info: () => ({}),
      contracts: () => describeContracts([contract]),
      ...(openapi && { openapi }),
    }),
  );
  const instance: Instance = {
    id: 'a',
    identity: identity(contract.name),
    incarnation: 1,
    addresses: [{ protocol: 'http', host: '127.0.0.1', port }],
    contracts: [{ name: contract.name, version: contract.version, hash: contractHash(contract) }],
    status: 'up',
    weight: 1,
    revision: 0,
    metadata: { 'management.address': '127.0.0.1', 'management.port': `${managedAt}` },
    bags: {},
  };
  const client = genericClient({
    ...ground,
    network,
    logger: nullLogger,
    meter: nullMeter,
    tracer: nullTracer,
    resolver: {
      watch(_, update) {
        update({ instances: [instance], warming: false });
        return { close() {} };
      },
    },
    texts: [textsOfInstances({ ...ground, network })], // as of a registry that keeps none
  });
  return {
    client,
    managementUrl: `http://127.0.0.1:${managedAt}`,
    listen: async (handler) => `http://127.0.0.1:${await listen(handler)}`,
    async end() {
      await client.close();
      await Promise.all(listeners.map((listener) => listener.drain(1_000)));
    },
  };
}
