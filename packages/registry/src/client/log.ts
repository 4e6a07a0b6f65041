import type { KeeperLog, Logger } from '@flotilla/core';
import type { Way } from './following.ts';

/** Every line that a registry client can write. States are said when they change, not each time that something is tried. */
export interface ClientLog extends KeeperLog {
  unreachable(facts: { registries: readonly string[]; cause: unknown }): void;
  reachable(registry: string): void;
  switched(facts: { from: string; to: string }): void;
  credentialsRefused(facts: { registry: string; reason: string }): void;
  contractUntold(facts: { service: string; contract: string; cause: unknown }): void;
  unheard(facts: { service: string; instanceId: string; silent: readonly string[] }): void;
  notReached(facts: { service: string; instanceId: string; reason: string; hint: string }): void;
  addressDiffers(facts: { advertised: readonly string[]; seen: string }): void;
  mode(facts: { target: string; mode: Way; reason: string }): void;
  watchRefused(facts: { target: string; status: number; reason: string }): void;
  leftOut(facts: { target: string; count: number; examples: readonly string[] }): void;
  listenerFailed(facts: { target: string; cause: unknown }): void;
}

export function clientLog(logger: Logger): ClientLog {
  return {
    unreachable: (facts) =>
      logger.warn('no registry can be reached; going on with what is known, and trying again', facts),
    reachable: (registry) => logger.info('the registry is reached again', { registry }),
    switched: (facts) => logger.info('another registry answers', facts),
    credentialsRefused: ({ registry, reason }) =>
      logger.error('a registry refuses our credentials', { registry, reason }),
    registered: ({ by, ...facts }) => logger.info('registered', { ...facts, registry: by }),
    forgotten: (facts) => logger.info('the registry knows no lease of ours; registering again', facts),
    registrationRefused: (facts) => logger.error('the registry refuses the registration', facts),
    raised: (facts) => logger.info('incarnation raised: the registry knows a later one', facts),
    statusSet: (facts) => logger.info('status set', facts),
    contractUntold: (facts) => logger.warn('the registry does not take the text of a contract', facts),
    unheard: (facts) =>
      logger.info('nobody can say when all callers know that this instance leaves: some do not acknowledge', facts),
    deregistered: (facts) => logger.info('deregistered', facts),
    leftUnheard: (facts) => logger.warn('left without the registry hearing of it; the lease will lapse', facts),
    notReached: (facts) =>
      logger.warn('the registry cannot connect to this instance, and does not list it as up until it can', facts),
    addressDiffers: (facts) =>
      logger.warn(
        'the registry sees another address than the advertised one; callers may not reach it. Set "advertise"',
        facts,
      ),
    mode: (facts) => logger.info('following the registry', facts),
    watchRefused: (facts) => logger.error('the registry refuses the watch', facts),
    leftOut: (facts) => logger.warn('instances from the registry are left out: they cannot be used', facts),
    listenerFailed: (facts) => logger.error('a listener for instances failed', facts),
  };
}
