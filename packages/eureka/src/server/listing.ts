import type { Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import type { EurekaAction, EurekaInstance } from '../document.ts';
import { encodeInstance } from '../instance.ts';

/**
 * An instance as Eureka's readers see it, with what the registry knows of its lease. Our own revision stays here: it
 * would be a note in everybody's metadata.
 */
export function listed(lease: Lease, actionType: EurekaAction = actionOf(lease)): EurekaInstance {
  return documentOf(lease, actionType, lease.changedAt, 0);
}

/** What is not listed any more, as Java servers write it: with its last status, and when it went. */
export function ended(lease: Lease, endedAt: number): EurekaInstance {
  return documentOf(lease, 'DELETED', endedAt, endedAt);
}

/**
 * The leases that Eureka's readers see: an application's instances are told apart by id alone, so of two services that
 * share a name (in other namespaces, groups or versions) the first one's instance stands for an id that both have.
 */
export function* visible(registry: Registry): Generator<Lease, undefined> {
  for (const lease of registry.list()) {
    const { identity, id } = lease.instance;
    const alone = registry.find(identity.service, id) === lease;
    if (alone) yield lease;
  }
}

function actionOf({ changedAt, registeredAt }: Lease): EurekaAction {
  return changedAt > registeredAt ? 'MODIFIED' : 'ADDED';
}

function documentOf(
  { instance, registeredAt, renewedAt, upAt }: Lease,
  actionType: EurekaAction,
  lastUpdatedTimestamp: number,
  evictionTimestamp: number,
): EurekaInstance {
  const startedAt = instance.startedAt ?? (upAt > 0 ? upAt : undefined);
  const shown = { ...instance, revision: 0, ...(startedAt === undefined ? undefined : { startedAt }) };
  return encodeInstance(shown, {
    lastUpdatedTimestamp,
    actionType,
    isCoordinatingDiscoveryServer: false,
    registrationTimestamp: registeredAt,
    lastRenewalTimestamp: renewedAt,
    evictionTimestamp,
  });
}
