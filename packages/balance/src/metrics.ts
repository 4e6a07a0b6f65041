import { type Counter, formatTarget, type Gauge, type Meter, type Target } from '@flotilla/core';
import { type RuleName, ruleNames } from './rules/rule.ts';

/** The series of one cluster. */
export interface BalanceMetrics {
  /** Instances that receive calls. */
  readonly picked: Gauge;
  /** Instances that are up and get none for now. */
  readonly ejected: Gauge;
  readonly ejections: Counter;
  /** Instances that are up and left out, by the rule. */
  readonly leftOut: ReadonlyMap<RuleName, Gauge>;
}

export function balanceMetrics(meter: Meter, target: Target): BalanceMetrics {
  const name = formatTarget(target);
  const instances = meter.gauge({
    name: 'flotilla_cluster_instances',
    help: 'Instances of a target that are up, by whether calls go to them.',
    labels: ['target', 'state'],
  });
  const leftOut = meter.gauge({
    name: 'flotilla_cluster_left_out_instances',
    help: 'Instances of a target that are up and get no calls of this process, by the rule that leaves them out.',
    labels: ['target', 'rule'],
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
    leftOut: new Map(
      ruleNames
        .filter((rule) => rulesAfterUp.includes(rule))
        .map((rule) => [rule, leftOut.with({ target: name, rule })]),
    ),
  };
}

const rulesAfterUp: readonly RuleName[] = ['subset', 'outlier', 'zone', 'weight'];
