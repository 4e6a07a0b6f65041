import { keptRegistrar, type Registrar, type Resolver } from '@flotilla/core';
import { EurekaPlace } from './eureka-place.ts';
import { Feed } from './feed.ts';
import { eurekaClientLog } from './log.ts';
import { type EurekaClientOptions, resolveEurekaOptions } from './options.ts';
import { EurekaServers } from './servers.ts';

/** A connection to Eureka servers: who else is there, and that we are. */
export interface EurekaClient {
  readonly resolver: Resolver;
  readonly registrar: Registrar;
  /**
   * Ends every watch, stops renewing what was not deregistered (those leases lapse), and closes the connections. Later
   * calls share the first one's promise.
   */
  close(): Promise<void>;
}

/**
 * Speaks to any Eureka server of version 2: Netflix's, Spring's, ours. Opens nothing before it is used; a server that
 * cannot be reached is no error but a line in the log, and is tried again until it answers.
 *
 * ```ts
 * const client = eurekaClient({ urls: ['http://127.0.0.1:8761/eureka'], network, clock, random });
 * client.resolver.watch({ service: 'order-service' }, ({ instances }) => use(instances));
 * ```
 *
 * @throws FlotillaError CONFIG_INVALID for urls that are none
 */
export function eurekaClient(options: EurekaClientOptions): EurekaClient {
  const resolved = resolveEurekaOptions(options);
  const log = eurekaClientLog(resolved.logger);
  const servers = new EurekaServers(resolved, log);
  const feed = new Feed({ servers, options: resolved, log });
  const { clock, random, deregisterTimeoutMs } = resolved;
  const kept = keptRegistrar((instance) => new EurekaPlace(instance, servers, clock.now()), {
    clock,
    random,
    log,
    times: { leaveTimeoutMs: deregisterTimeoutMs },
  });
  let closing: Promise<void> | undefined;
  const resolver: Resolver = {
    watch: (target, update) => ({ close: closing ? () => {} : feed.listen(target, update) }),
  };
  const close = async (): Promise<void> => {
    feed.close();
    kept.close();
    await servers.close();
  };
  return {
    resolver,
    registrar: kept.registrar,
    close() {
      closing ??= close();
      return closing;
    },
  };
}
