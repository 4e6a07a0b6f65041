import type { Logger } from '@flotilla/core';

/** Every line that is written about peers. */
export interface PeersLog {
  synced(facts: { peer: string; instances: number; skipped: number }): void;
  notSynced(facts: { waitedMs: number; cause: unknown }): void;
  reachable(facts: { peer: string; kind: string }): void;
  unreachable(facts: { peer: string; cause: unknown }): void;
  refused(facts: { peer: string; status: number; tasks: number; detail: string }): void;
  taskRefused(facts: { peer: string; action: string; service: string; id: string; status: number }): void;
  withholds(facts: { peer: string; service: string; id: string }): void;
  passesOn(facts: { peer: string }): void;
  differed(facts: { peer: string; pulled: number; pushed: number }): void;
  isOurselves(facts: { peer: string }): void;
  compareFailed(facts: { peer: string; cause: unknown }): void;
}

export function peersLog(logger: Logger): PeersLog {
  return {
    synced: (facts) => logger.info('took over what a peer lists', facts),
    notSynced: (facts) =>
      logger.warn('no peer told what it lists; starting with what is known here, and asking on', facts),
    reachable: (facts) => logger.info('a peer answers', facts),
    unreachable: (facts) => logger.warn('a peer does not answer; what it has to know waits', facts),
    refused: (facts) => logger.warn('a peer refuses what it is told', facts),
    taskRefused: (facts) => logger.debug('a peer did not do one task', facts),
    withholds: (facts) =>
      logger.warn(
        'a peer hears renewals that do not come here, so leases end here: list this registry in its ' +
          'eureka.client.service-url.defaultZone, where users are set with one of the role peer, and restart it',
        facts,
      ),
    passesOn: (facts) => logger.info('renewals that a peer hears come here', facts),
    differed: (facts) => logger.info('a peer listed something else; the newer word counts', facts),
    isOurselves: (facts) => logger.info('one of the peers is this registry itself: left out', facts),
    compareFailed: (facts) => logger.debug('could not compare with a peer', facts),
  };
}
