import type { Instance } from '@flotilla/core';
import type { Health } from '../outlier.ts';

/**
 * Who leaves an instance out before the pick, in the order in which they are asked. The first one that does is named.
 *
 * | rule | leaves out |
 * |---|---|
 * | `contract` | who serves another contract, or another version of it |
 * | `protocol` | who speaks no protocol that this caller does |
 * | `status` | who is not up, as it or an operator says |
 * | `address` | who was at an address before the one that is there now: it has ended |
 * | `lane` | who is labelled for other calls |
 * | `subset` | who is not in this caller's part of a large service |
 * | `outlier` | who fails unlike its peers, unless too few would be left |
 * | `zone` | who is in another zone, as far as the own one can carry the calls |
 * | `weight` | who has weight 0, unless all have |
 */
export type RuleName =
  | 'contract'
  | 'protocol'
  | 'status'
  | 'address'
  | 'lane'
  | 'subset'
  | 'outlier'
  | 'zone'
  | 'weight';

export const ruleNames: readonly RuleName[] = Object.freeze([
  'contract',
  'protocol',
  'status',
  'address',
  'lane',
  'subset',
  'outlier',
  'zone',
  'weight',
]);

/** What a rule looks at. */
export interface Ruled {
  readonly instance: Instance;
  readonly health: Health;
  /** What the registry says, from 0 on. */
  readonly weight: number;
  /** When this caller first heard of it, on its own clock. */
  readonly seenAt: number;
  /** Until when it counts as failing without being ejected, because there was no room for it. */
  readonly suspectUntil: number;
}

/** Who may go on, and who may not. */
export interface Kept<M> {
  readonly kept: readonly M[];
  readonly leftOut: readonly M[];
}
