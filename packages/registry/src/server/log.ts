import type { Logger } from '@flotilla/core';
import type { BrokenPromise } from '../catalogue/catalogue.ts';
import type { ContractConflict } from '../contract-census.ts';
import type { Change } from '../lease/change.ts';
import type { PreservedService } from '../lease/service-leases.ts';

/** Every line that a registry can write. */
export interface RegistryLog {
  started(facts: { instances: number; epoch: string; warmingMs: number }): void;
  warmedUp(facts: { instances: number }): void;
  changed(change: Change): void;
  incarnationClamped(facts: { service: string; id: string; declared: number; taken: number }): void;
  evictionPaused(service: string, preservation: PreservedService): void;
  evictionResumed(service: string): void;
  stoodStill(facts: { lateMs: number; leases: number }): void;
  clockJumped(facts: { jumpMs: number; leases: number }): void;
  saveFailed(cause: unknown): void;
  savesAgain(): void;
  conflictBegan(conflict: ContractConflict): void;
  conflictEnded(conflict: ContractConflict): void;
  contractBroken(name: string, promise: BrokenPromise): void;
  contractMended(name: string): void;
  watcherCollapsed(facts: { target: string; droppedChanges: number }): void;
  engineTogether(facts: { engine: string; leases: number; unsynced: number; absent: number; was: string }): void;
  engineAway(facts: { engine: string; unsynced: number }, cause: unknown): void;
  engineWriteFailed(facts: { service: string; id: string }, cause: unknown): void;
  engineRecordUnread(facts: { key: string }, cause: unknown): void;
  engineOverfull(facts: { instance: string }): void;
}

export function registryLog(logger: Logger): RegistryLog {
  return {
    started: (facts) => logger.info('registry started', facts),
    warmedUp: (facts) => logger.info('registry has warmed up: its lists are complete', facts),
    changed: (change) => logger.info(changeMessages[change.reason], factsOf(change)),
    incarnationClamped: (facts) => logger.warn('an incarnation from the future is taken for now', facts),
    evictionPaused: (service, { reason, ...numbers }) =>
      logger.warn('eviction paused: too many instances fell silent', { service, reason, ...numbers }),
    evictionResumed: (service) => logger.info('eviction goes on', { service }),
    stoodStill: (facts) => logger.warn('the registry stood still; every lease is extended by that time', facts),
    clockJumped: (facts) =>
      logger.warn('the wall clock jumped, as after a suspend; every lease has a full term from now on', facts),
    saveFailed: (cause) => logger.error('the registry cannot save its state; it goes on in memory', { cause }),
    savesAgain: () => logger.info('the registry saves its state again'),
    conflictBegan: ({ kind, name, detail }) =>
      logger.warn('instances do not agree on what a name means', { kind, name, detail }),
    conflictEnded: ({ kind, name }) => logger.info('instances agree again on what a name means', { kind, name }),
    contractBroken: (contract, { provider, caller, reasons }) =>
      logger.warn('a provider does not keep what a caller relies on', {
        contract,
        provider: provider.service,
        caller: caller.service,
        detail: reasons[0]?.detail,
        more: reasons.length - 1,
      }),
    contractMended: (contract) => logger.info('providers keep again what callers rely on', { contract }),
    engineTogether: (facts) =>
      logger.info('the registry is together with its engine; every lease has a full term from now on', facts),
    engineAway: (facts, cause) =>
      logger.error('the registry cannot reach its engine: it serves the last known state and evicts nobody', {
        ...facts,
        cause,
      }),
    engineWriteFailed: (facts, cause) =>
      logger.warn('a write to the engine failed; it is tried again', { ...facts, cause }),
    engineRecordUnread: (facts, cause) =>
      logger.warn('a record in the engine is left alone: this program does not understand it', { ...facts, cause }),
    engineOverfull: (facts) =>
      logger.error('the engine holds more instances than this registry may: raise limits.maxInstances', facts),
    watcherCollapsed: (facts) => logger.info('a slow watcher gets a snapshot instead of its changes', facts),
  };
}

const changeMessages = Object.freeze({
  registered: 'instance registered',
  updated: 'instance changed',
  deregistered: 'instance deregistered',
  evicted: 'lease lapsed, instance evicted',
});

function factsOf({ service, id, revision, before, after }: Change): Record<string, unknown> {
  return {
    service,
    instanceId: id,
    revision,
    ...(before ? { statusBefore: before.override ?? before.status } : undefined),
    ...(after ? { status: after.override ?? after.status } : undefined),
  };
}
