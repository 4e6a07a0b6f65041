import type { Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import { encodeApplications } from '../applications.ts';
import type { EurekaInstance } from '../document.ts';
import { encodeInstance } from '../instance.ts';

/**
 * An instance as Eureka's readers see it, with what the registry knows of its lease. Our own revision stays here: it
 * would be a note in everybody's metadata.
 */
export function listed({ instance, registeredAt, renewedAt, changedAt, upAt }: Lease): EurekaInstance {
  const startedAt = instance.startedAt ?? (upAt > 0 ? upAt : undefined);
  const shown = { ...instance, revision: 0, ...(startedAt === undefined ? undefined : { startedAt }) };
  return encodeInstance(shown, {
    lastUpdatedTimestamp: changedAt,
    actionType: changedAt > registeredAt ? 'MODIFIED' : 'ADDED',
    isCoordinatingDiscoveryServer: false,
    registrationTimestamp: registeredAt,
    lastRenewalTimestamp: renewedAt,
    evictionTimestamp: 0,
  });
}

/**
 * The whole registry as `{"applications": …}`, written once for everybody who asks between two changes. Renewals are no
 * change, as with a Java server's cache: `lastRenewalTimestamp` may be that old.
 */
export class FullListing {
  readonly #registry: Registry;
  #revision = -1;
  #text = '';

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  text(): string {
    const { revision } = this.#registry.cursor;
    if (revision !== this.#revision) {
      this.#text = JSON.stringify(encodeApplications(Array.from(this.#registry.list(), listed)));
      this.#revision = revision;
    }
    return this.#text;
  }
}
