import type { Random } from '@flotilla/core';

/**
 * The order in which servers are tried: those of the caller's own zone, then the others, each in an order of chance, so
 * that a fleet spreads over them (`ZoneAffinityClusterResolver`).
 */
export function tryOrder<Server extends { readonly zone?: string }>(
  servers: readonly Server[],
  zone: string | undefined,
  random: Random,
): Server[] {
  const own = servers.filter((server) => zone !== undefined && server.zone?.toLowerCase() === zone.toLowerCase());
  const others = servers.filter((server) => !own.includes(server));
  return [...shuffled(own, random), ...shuffled(others, random)];
}

/**
 * Servers that are tried now. Who failed is in quarantine, until two thirds of all servers are: then nobody is, since the
 * fault is more likely here (`RetryableEurekaHttpClient`, 66 %).
 */
export function outOfQuarantine<Server>(
  order: readonly Server[],
  quarantine: ReadonlySet<Server>,
): { readonly candidates: readonly Server[]; readonly cleared: boolean } {
  const held = order.filter((server) => quarantine.has(server)).length;
  if (held === 0) return { candidates: order, cleared: false };
  if (held >= Math.floor(order.length * quarantineShare)) return { candidates: order, cleared: true };
  return { candidates: order.filter((server) => !quarantine.has(server)), cleared: false };
}

const quarantineShare = 0.66;

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
