import type { KeeperLog, Logger } from '@flotilla/core';

/**
 * Every line that a source of instances can write, under the field `source`. States are said when they change, not each
 * time that something is tried.
 */
export interface SourceLog extends KeeperLog {
  unreachable(facts: { reason: string; cause: unknown }): void;
  reachable(): void;
  refused(facts: { reason: string }): void;
  unusable(facts: { reason: string }): void;
  usable(): void;
  restarted(facts: { target: string; reason: string }): void;
  leftOut(facts: { target: string; count: number; examples: readonly string[] }): void;
  listenerFailed(facts: { target: string; cause: unknown }): void;
  targetRefused(facts: { target: string; reason: string }): void;
  noContracts(facts: { contract: string }): void;
  notRegistered(facts: { service: string; instanceId: string; reason: string }): void;
}

export function sourceLog(logger: Logger, source: string): SourceLog {
  const own = logger.child({ source });
  return {
    unreachable: (facts) =>
      own.warn('the source of instances cannot be reached; going on with what is known, and trying again', facts),
    reachable: () => own.info('the source of instances is reached again'),
    refused: (facts) => own.error('the source of instances refuses us', facts),
    unusable: (facts) => own.warn('what the source says cannot be used; going on with what is known', facts),
    usable: () => own.info('what the source says can be used again'),
    restarted: (facts) => own.info('the source is read anew', facts),
    leftOut: (facts) => own.warn('instances from the source are left out: they cannot be used', facts),
    listenerFailed: (facts) => own.error('a listener for instances failed', facts),
    targetRefused: (facts) => own.error('a target cannot be looked for', facts),
    noContracts: (facts) =>
      own.warn('this source does not know who serves a contract; name a service in the client: { service: … }', facts),
    registered: (facts) => own.info('registered', facts),
    forgotten: (facts) => own.info('the registration is gone; registering again', facts),
    registrationRefused: (facts) => own.error('the registration is refused', facts),
    statusSet: (facts) => own.info('status set', facts),
    deregistered: (facts) => own.info('deregistered', facts),
    leftUnheard: (facts) => own.warn('left without the registry hearing of it; the registration will lapse', facts),
    notRegistered: (facts) => own.info('nothing is registered here', facts),
  };
}
