import type { Counter, Family, Gauge, Meter } from '@flotilla/core';

/** What a registry counts. Names and labels are listed in `docs/metrics.md`. */
export interface RegistryMetrics {
  readonly instances: Gauge;
  readonly watchers: Gauge;
  readonly preservedServices: Gauge;
  /** `outcome`: registered, kept, stale. */
  readonly registrations: Family<Counter>;
  /** `outcome`: known, unknown. */
  readonly renewals: Family<Counter>;
  readonly evictions: Counter;
  readonly collapses: Counter;
  /** 1: what changes is saved; 0: saving fails. */
  readonly saving: Family<Gauge>;
  readonly saveFailures: Counter;
  /** Contracts and services on which instances do not agree. */
  readonly conflicts: Gauge;
  /** Providers that do not keep what a caller relies on. */
  readonly brokenContracts: Gauge;
  /** 1: the shared engine is reached; 0: the last known state is served. */
  readonly engineTogether: Family<Gauge>;
  readonly engineUnsynced: Family<Gauge>;
  /** `outcome`: written, conflict, failed, unknown. */
  readonly engineWrites: Family<Counter>;
  readonly engineListings: Counter;
}

export function registryMetrics(meter: Meter): RegistryMetrics {
  return {
    instances: meter.gauge({ name: 'flotilla_registry_instances', help: 'Instances listed' }).with({}),
    watchers: meter.gauge({ name: 'flotilla_registry_watchers', help: 'Watchers connected' }).with({}),
    preservedServices: meter
      .gauge({ name: 'flotilla_registry_preserved_services', help: 'Services whose eviction is paused' })
      .with({}),
    registrations: meter.counter({
      name: 'flotilla_registry_registrations_total',
      help: 'Registrations by outcome',
      labels: ['outcome'],
    }),
    renewals: meter.counter({
      name: 'flotilla_registry_renewals_total',
      help: 'Renewals by outcome',
      labels: ['outcome'],
    }),
    evictions: meter
      .counter({ name: 'flotilla_registry_evictions_total', help: 'Instances evicted because their lease lapsed' })
      .with({}),
    saving: meter.gauge({
      name: 'flotilla_registry_saving',
      help: '1 while changes are saved, 0 while saving fails',
    }),
    saveFailures: meter
      .counter({ name: 'flotilla_registry_save_failures_total', help: 'Saves of the state that failed' })
      .with({}),
    conflicts: meter
      .gauge({
        name: 'flotilla_registry_contract_conflicts',
        help: 'Contracts and services on which instances do not agree',
      })
      .with({}),
    brokenContracts: meter
      .gauge({
        name: 'flotilla_registry_broken_contracts',
        help: 'Pairs of a provider and a caller that do not fit together',
      })
      .with({}),
    engineTogether: meter.gauge({
      name: 'flotilla_registry_engine_together',
      help: '1 while the shared engine is reached, 0 while the last known state is served',
    }),
    engineUnsynced: meter.gauge({
      name: 'flotilla_registry_engine_unsynced',
      help: 'Instances of which the shared engine does not have the latest yet',
    }),
    engineWrites: meter.counter({
      name: 'flotilla_registry_engine_writes_total',
      help: 'Writes to the shared engine by outcome',
      labels: ['outcome'],
    }),
    engineListings: meter
      .counter({ name: 'flotilla_registry_engine_listings_total', help: 'Times that the shared engine was read whole' })
      .with({}),
    collapses: meter
      .counter({
        name: 'flotilla_registry_watch_collapses_total',
        help: 'Times that a slow watcher got a snapshot instead of its changes',
      })
      .with({}),
  };
}
