/** What the share of the own zone depends on. */
export interface ZoneCapacity {
  /** Weight of the own zone's instances that can serve. */
  readonly own: number;
  /** Weight of the other zones' instances that can serve. */
  readonly others: number;
  /** Weight of all instances, whether they can serve or not. */
  readonly total: number;
  /** How many zones there are, those that instances without a zone are in counting as one. */
  readonly zones: number;
}

/**
 * The share of the calls that stay in the own zone, 0 to 1. Callers are taken to be spread evenly over the zones, so a
 * zone is due `total / zones` of the capacity. What it has that can serve, times `overprovision`, over what it is due, is
 * what it can carry: with 3 zones of 4, and 1.4, a zone that has 3 healthy ones keeps all calls (1.05), with 2 it keeps
 * 70 %, and the rest goes to the others.
 */
export function ownZoneShare({ own, others, total, zones }: ZoneCapacity, overprovision: number): number {
  if (own === 0) return 0;
  if (others === 0) return 1;
  return Math.min(1, (overprovision * own * zones) / total);
}

/** By what each weight is multiplied, so that the own zone gets `share` of the calls and the others the rest. */
export function zoneFactors(
  share: number,
  ownWeight: number,
  othersWeight: number,
): { readonly own: number; readonly others: number } {
  return {
    own: ownWeight === 0 ? 0 : share / ownWeight,
    others: othersWeight === 0 ? 0 : (1 - share) / othersWeight,
  };
}
