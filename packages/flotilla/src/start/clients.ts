import type { Clusters } from '@flotilla/balance';
import { type Component, formatHostPort } from '@flotilla/core';
import type { AppParts } from '../app.ts';
import type { ClientRuntime } from '../client.ts';
import type { Copy } from '../copies.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { ServiceConfig } from '../platform-settings.ts';
import type { ServiceRuntime } from './service-runtime.ts';

/** What clients need of the process around them, besides whom to find. */
export function clientNeeds(
  zone: string | undefined,
  clusters: Clusters,
  runtime: Omit<ServiceRuntime, 'bindOf'>,
): Omit<ClientRuntime, 'resolver'> & Pick<ServiceRuntime, 'local'> {
  const caller = runtime.management && formatHostPort(runtime.management);
  return { ...runtime, zone, clusters, caller };
}

/** Connects the clients that the application declared; at the stop their calls in hand end first. */
export function clientsComponent<S>(
  parts: AppParts<S>,
  copy: Copy,
  now: () => ServiceConfig<S>,
  needs: Omit<ClientRuntime, 'resolver'> & Pick<ServiceRuntime, 'local'>,
  { resolver }: Discovery,
): Component {
  const { copies } = parts;
  const clients = [...parts.clients, parts.fetching];
  return {
    name: 'clients',
    async start() {
      copies.add(copy);
      const fast = needs.local ?? (now().transport === 'http' ? undefined : needs.fast);
      for (const client of clients) client.connect({ ...needs, fast, resolver }, copy);
    },
    async stop() {
      await Promise.all(clients.map((client) => client.close(copy)));
      copies.delete(copy);
    },
  };
}
