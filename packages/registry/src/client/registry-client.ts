import {
  type Call,
  type ContractRef,
  formatTarget,
  type InstanceSet,
  keptRegistrar,
  type Registrar,
  type Resolver,
  type Target,
  type Watch,
} from '@flotilla/core';
import { clientLog } from './log.ts';
import { type RegistryClientOptions, resolveClientOptions } from './options.ts';
import { RegistryPlace, refusalOf } from './registry-place.ts';
import { RegistryServers } from './servers.ts';
import { Subscription } from './subscription.ts';

/** A connection to a registry: who else is there, and that we are. */
export interface RegistryClient {
  readonly resolver: Resolver;
  readonly registrar: Registrar;
  /**
   * The text of a contract, for a caller that does not have it; undefined where the registry does not know it.
   * @throws FlotillaError what the registry refuses with, or the failure to reach one
   */
  contractText(contract: ContractRef, call?: Call): Promise<string | undefined>;
  /**
   * Ends every watch, stops renewing what was not deregistered (those leases lapse), and closes the connections. Later
   * calls share the first one's promise.
   */
  close(): Promise<void>;
}

/**
 * Speaks to a registry, or to the first of several that answers. Opens nothing before it is used; a registry that
 * cannot be reached is no error but a line in the log, and is tried again until it answers.
 *
 * ```ts
 * const client = registryClient({ urls: ['http://127.0.0.1:8761'], network, clock, random });
 * const registration = client.registrar.register(instance);
 * client.resolver.watch({ service: 'orders' }, ({ instances }) => use(instances));
 * ```
 *
 * @throws FlotillaError CONFIG_INVALID for urls that are none
 */
export function registryClient(options: RegistryClientOptions): RegistryClient {
  const resolved = resolveClientOptions(options);
  const log = clientLog(resolved.logger);
  const servers = new RegistryServers(resolved, log);
  const subscriptions = new Map<string, Subscription>();
  const farewells = new Set<Promise<void>>();
  let closing: Promise<void> | undefined;
  const kept = keptRegistrar((_, documents) => new RegistryPlace({ servers, options: resolved, log, documents }), {
    clock: resolved.clock,
    random: resolved.random,
    log,
    times: { leaveTimeoutMs: resolved.deregisterTimeoutMs },
  });
  servers.onSwitch(() => kept.renewNow());

  const follow = (target: Target): Subscription => {
    const name = formatTarget(target);
    const shared = subscriptions.get(name);
    if (shared) return shared;
    const subscription = new Subscription({ target, servers, options: resolved, log });
    subscriptions.set(name, subscription);
    return subscription;
  };

  const resolver: Resolver = {
    watch(target: Target, update: (set: InstanceSet) => void): Watch {
      if (closing) return { close() {} };
      const subscription = follow(target);
      const leave = subscription.listen(update);
      return {
        close() {
          leave();
          const name = formatTarget(target);
          if (!subscription.unwatched || subscriptions.get(name) !== subscription) return;
          subscriptions.delete(name);
          const farewell = subscription.close().finally(() => farewells.delete(farewell));
          farewells.add(farewell);
        },
      };
    },
  };

  const close = async (): Promise<void> => {
    for (const subscription of subscriptions.values()) farewells.add(subscription.close());
    subscriptions.clear();
    kept.close();
    await Promise.all(farewells);
    await servers.close();
  };

  return {
    resolver,
    registrar: kept.registrar,
    async contractText({ name, version, hash }, call) {
      const segments = ['contracts', name, 'versions', `${version}`, 'texts', hash];
      const answer = await servers.send({ method: 'GET', segments }, call);
      if (answer.status === 404) return undefined;
      if (answer.status >= 300) throw refusalOf(answer);
      return new TextDecoder().decode(answer.body);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}
