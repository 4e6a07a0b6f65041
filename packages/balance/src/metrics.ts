import { type Counter, formatTarget, type Gauge, type Meter, type Target } from '@flotilla/core';

/** The series of one cluster. */
export interface BalanceMetrics {
  /** Instances that receive calls. */
  readonly picked: Gauge;
  /** Instances that are up and get none for now. */
  readonly ejected: Gauge;
  readonly ejections: Counter;
}

export function balanceMetrics(meter: Meter, target: Target): BalanceMetrics {
  const name = formatTarget(target);
  const instances = meter.gauge({
    name: 'flotilla_cluster_instances',
    help: 'Instances of a target that are up, by whether calls go to them.',
    labels: ['target', 'state'],
  });
  const ejections = meter.counter({
    name: 'flotilla_ejections_total',
    help: 'How often an instance was taken out because it failed unlike its peers.',
    labels: ['target'],
  });
  return {
    picked: instances.with({ target: name, state: 'picked' }),
    ejected: instances.with({ target: name, state: 'ejected' }),
    ejections: ejections.with({ target: name }),
  };
}
