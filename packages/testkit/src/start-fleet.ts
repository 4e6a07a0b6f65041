import type { Fleet } from './fleet.ts';
import { type FleetOptions, resolveOptions } from './options.ts';
import { RunningFleet } from './running-fleet.ts';

/**
 * Starts a whole fleet in this process: a real registry, real services, a real gateway, and a network that fails as
 * ordered. All of it starts, or nothing.
 *
 * ```ts
 * await using fleet = await startFleet({ services: [catalog, { app: web, copies: 2 }], gateway: { routes }, clock });
 * fleet.network.between('web', 'catalog').drop();
 * const answer = await fleet.gateway.fetch('/api/home');
 * ```
 *
 * @throws RangeError, TypeError for an option that does not fit; whatever keeps a party from starting.
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = new RunningFleet(resolveOptions(options));
  await fleet.start();
  return fleet;
}
