import { formatIdentity } from '@flotilla/core';
import type { InstanceKey, Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';

/** The lease that a path `apps/{app}/{id}` means. */
export function leaseAt(registry: Registry, params: ReadonlyMap<string, string>): Lease | undefined {
  return registry.find(params.get('app') ?? '', params.get('id') ?? '');
}

/** How the registry names it. */
export function keyOf({ instance: { identity, id } }: Lease): InstanceKey {
  return { service: formatIdentity(identity), id };
}
