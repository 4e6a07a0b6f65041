import type { KeeperLog, Logger } from '@flotilla/core';

/** Every line that a Eureka client can write. States are said when they change, not each time that something is tried. */
export interface EurekaClientLog extends KeeperLog {
  unreachable(facts: { servers: readonly string[]; cause: unknown }): void;
  reachable(server: string): void;
  switched(facts: { from: string; to: string }): void;
  refusedRedirect(facts: { server: string; location: string }): void;
  credentialsRefused(facts: { server: string; reason: string }): void;
  fetched(facts: { server: string; instances: number; hashCode: string }): void;
  mismatch(facts: { server: string; theirs: string; ours: string }): void;
  shrunk(facts: { server: string; known: number; listed: number; keptForMs: number }): void;
  unreadable(facts: { server: string; cause: unknown }): void;
  leftOut(facts: { count: number; examples: readonly string[] }): void;
  listenerFailed(facts: { target: string; cause: unknown }): void;
}

export function eurekaClientLog(logger: Logger): EurekaClientLog {
  return {
    unreachable: (facts) =>
      logger.warn('no Eureka server can be reached; going on with what is known, and trying again', facts),
    reachable: (server) => logger.info('a Eureka server is reached again', { server }),
    switched: (facts) => logger.info('another Eureka server answers', facts),
    refusedRedirect: (facts) =>
      logger.error('a Eureka server sends us to a place that is not in "registry"; not going there', facts),
    credentialsRefused: (facts) => logger.error('a Eureka server refuses our credentials', facts),
    registered: ({ by, ...facts }) => logger.info('registered with Eureka', { ...facts, server: by }),
    forgotten: (facts) => logger.info('the Eureka server knows no lease of ours; registering again', facts),
    registrationRefused: (facts) => logger.error('the Eureka server refuses the registration', facts),
    statusSet: (facts) => logger.info('status set', facts),
    deregistered: (facts) => logger.info('deregistered from Eureka', facts),
    leftUnheard: (facts) => logger.warn('left without Eureka hearing of it; the lease will lapse', facts),
    fetched: (facts) => logger.info('the whole list was fetched from Eureka', facts),
    mismatch: (facts) => logger.info('by its hash code the server has another list than we; fetching all of it', facts),
    shrunk: (facts) =>
      logger.warn(
        'the Eureka server names less than half of who was known, or nobody; the others are kept for a while',
        facts,
      ),
    unreadable: (facts) => logger.error('the answer of a Eureka server cannot be read; the last list stays', facts),
    leftOut: (facts) => logger.warn('instances from Eureka are left out: they cannot be used', facts),
    listenerFailed: (facts) => logger.error('a listener for instances failed', facts),
  };
}
