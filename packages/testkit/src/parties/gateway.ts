import { createGateway, type Gateway, type GatewayOptions, type RouteDocument } from '@flotilla/gateway';
import { registryClient } from '@flotilla/registry/client';
import type { PartyRuntime, Up } from './party.ts';

/** A gateway that listens. */
export interface RunningGateway {
  readonly gateway: Gateway;
  readonly host: string;
  readonly port: number;
}

/** What of a gateway is no route. */
export type GatewayNeeds = Pick<GatewayOptions, 'authenticate' | 'challenge' | 'accessLog'>;

/** The door, as `flotilla gateway start` has it. */
export async function beginGateway(
  runtime: PartyRuntime,
  at: { readonly host: string; readonly port: number },
  registry: string,
  document: RouteDocument,
  needs: GatewayNeeds,
): Promise<Up<RunningGateway>> {
  const discovery = registryClient({ urls: [registry], ...runtime });
  const gateway = createGateway({ ...runtime, ...needs, resolver: discovery.resolver });
  const leave = async (): Promise<void> => {
    await gateway.close();
    await discovery.close();
  };
  try {
    gateway.apply(document);
    const listener = await runtime.network.listen(at, gateway.handler);
    return {
      value: { gateway, host: listener.host, port: listener.port },
      async stop() {
        await listener.drain(drainMs);
        await leave();
      },
    };
  } catch (thrown) {
    await leave();
    throw thrown;
  }
}

/** What `flotilla gateway start` allows by default. */
const drainMs = 30_000;
