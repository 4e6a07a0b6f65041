import type { Address, Logger } from '@flotilla/core';

/** Every line that an app which joined can write. */
export interface JoinLog {
  joined(facts: { instance: string; address: string; reason: string; management: string; note?: string }): void;
  waiting(facts: { reason: string; next: string }): void;
  up(facts: { before: string; at: Pick<Address, 'host' | 'port'> }): void;
  down(facts: { reason: string; next: string }): void;
  draining(facts: { instance: string | undefined; reason: string }): void;
  unseen(): void;
  appStopFailed(cause: unknown): void;
  cutOff(lost: string): void;
  secondSignal(facts: { signal: string; lost: string }): void;
  handlerFailed(facts: { signal: string; cause: unknown }): void;
}

export function joinLog(logger: Logger): JoinLog {
  return {
    joined: (facts) => logger.info('joined the fleet', facts),
    waiting: (facts) => logger.warn('the app is not up yet; nobody is sent to it', facts),
    up: (facts) => logger.info('the app is up', facts),
    down: (facts) => logger.warn('the app is down; nobody is sent to it', facts),
    draining: (facts) => logger.info('draining', facts),
    unseen: () =>
      logger.warn('join was given no server and no onStop: requests in hand that no middleware saw are not waited for'),
    appStopFailed: (cause) => logger.error('the app did not stop cleanly', { cause }),
    cutOff: (lost) => logger.warn('drainMs is over: what is left is broken off', { lost }),
    secondSignal: (facts) => logger.warn('second signal: ending at once', facts),
    handlerFailed: (facts) => logger.error("the app's own signal handler failed", facts),
  };
}
