import type { LiveSetCache } from '@flotilla/balance';
import type { Instance, InstanceSet, Logger, Resolver, Target } from '@flotilla/core';

/** Which contract a caller needs. */
export interface NeededContract {
  readonly name: string;
  readonly version: number;
}

/** More ids than these are counted, not told. */
const mostNamed = 5;

/**
 * A resolver that names only instances which say that they serve a contract, in its version. A service's name is no
 * promise: two applications may bear one name, and during a roll-out some copies do not serve the contract yet.
 * Instances that say nothing of contracts, as Java services, are taken at their service's word. Who is passed over is
 * logged when it changes.
 */
export function servingOnly(needed: NeededContract, resolver: Resolver, logger: Logger): Resolver {
  return {
    watch(target, update) {
      let said = '';
      return resolver.watch(target, (set) => {
        const others = set.instances.filter((instance) => !serves(instance, needed));
        const words = others.map(({ id }) => id).join('\n');
        if (words !== said && others.length > 0) {
          logger.warn('instances are passed over: they do not serve the contract that is needed', {
            contract: `${needed.name} v${needed.version}`,
            instances: others.slice(0, mostNamed).map(described),
            count: others.length,
          });
        }
        said = words;
        update(others.length === 0 ? set : keeping(set, needed));
      });
    },
  };
}

/** What a cache holds of a target may have been saved for another version of the contract. */
export function servingFromCache(needed: NeededContract, cache: LiveSetCache): LiveSetCache {
  return {
    async load(target: Target) {
      const kept = await cache.load(target);
      return kept && { ...kept, instances: kept.instances.filter((instance) => serves(instance, needed)) };
    },
    save: (target, set) => cache.save(target, set),
  };
}

function serves({ contracts }: Instance, { name, version }: NeededContract): boolean {
  return contracts.length === 0 || contracts.some((contract) => contract.name === name && contract.version === version);
}

function keeping(set: InstanceSet, needed: NeededContract): InstanceSet {
  return Object.freeze({ ...set, instances: Object.freeze(set.instances.filter((one) => serves(one, needed))) });
}

function described({ id, identity, contracts }: Instance): string {
  const names = contracts.slice(0, mostNamed).map(({ name, version }) => `${name} v${version}`);
  return `${id} of ${identity.service} serves ${names.join(', ')}`;
}
