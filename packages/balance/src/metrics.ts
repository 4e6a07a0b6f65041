import { type Counter, formatTarget, type Gauge, type Meter, type Target } from '@flotilla/core';
import type { Division } from './rules/chain.ts';
import type { RuleName } from './rules/rule.ts';

/** The series of one cluster. */
export interface BalanceMetrics {
  readonly ejections: Counter;
  /** Whom calls go to, and who is up and left out. */
  show(division: Division<unknown>): void;
}

/** The rules that leave out who is up, whatever the call. */
const shownRules: ReadonlySet<RuleName> = new Set(['subset', 'outlier', 'zone', 'weight'] as const);

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
  const picked = instances.with({ target: name, state: 'picked' });
  const ejected = instances.with({ target: name, state: 'ejected' });
  /** Opened when a rule leaves somebody out for the first time: most never do. */
  const byRule = new Map<RuleName, Gauge>();
  return {
    ejections: ejections.with({ target: name }),
    show(division) {
      picked.set(countPicked(division));
      ejected.set(division.ejected);
      const counts = new Map<RuleName, number>();
      for (const rule of division.leftOut.values()) counts.set(rule, (counts.get(rule) ?? 0) + 1);
      for (const rule of counts.keys()) {
        if (shownRules.has(rule) && !byRule.has(rule)) byRule.set(rule, leftOut.with({ target: name, rule }));
      }
      for (const [rule, gauge] of byRule) gauge.set(counts.get(rule) ?? 0);
    },
  };
}

/** Who is in several lanes counts once: all are in the base where all are labelled. */
function countPicked({ base, labelled }: Division<unknown>): number {
  if (labelled.size === 0) return base.candidates.length;
  return new Set([base, ...labelled.values()].flatMap(({ candidates }) => candidates)).size;
}
