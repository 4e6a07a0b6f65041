import type { Counter, Family, Gauge, Meter } from '@flotilla/core';

/** What is counted about peers. Names and labels are listed in `docs/metrics.md`. */
export interface PeersMetrics {
  readonly reachable: Family<Gauge>;
  readonly withholding: Family<Gauge>;
  readonly queued: Family<Gauge>;
  /** `result`: done, refused, dropped. */
  readonly tasks: Family<Counter>;
  readonly differences: Family<Counter>;
}

export function peersMetrics(meter: Meter): PeersMetrics {
  return {
    reachable: meter.gauge({
      name: 'flotilla_registry_peer_reachable',
      help: '1 while a peer answers, 0 while it does not',
      labels: ['peer'],
    }),
    withholding: meter.gauge({
      name: 'flotilla_registry_peer_withholding',
      help: '1 while a peer hears renewals that do not come here, 0 while none is known to be missed',
      labels: ['peer'],
    }),
    queued: meter.gauge({
      name: 'flotilla_registry_peer_queue',
      help: 'Tasks that wait for a peer',
      labels: ['peer'],
    }),
    tasks: meter.counter({
      name: 'flotilla_registry_peer_tasks_total',
      help: 'Tasks for a peer that ended, by result',
      labels: ['peer', 'result'],
    }),
    differences: meter.counter({
      name: 'flotilla_registry_peer_differences_total',
      help: 'Instances in which a peer differed when all was compared',
      labels: ['peer'],
    }),
  };
}
