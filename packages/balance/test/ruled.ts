import type { Instance } from '@flotilla/core';
import { type Health, newHealth } from '../src/outlier.ts';
import type { Ruled } from '../src/rules/rule.ts';
import { instance } from './fleet.ts';

/** An instance as rules see it: healthy, of weight 1, but for what `changes` says. */
export function ruled(
  id: string,
  { health = newHealth(0), weight = 1, seenAt = 0, suspectUntil = 0, ...changes }: Partial<Instance & Ruled> = {},
): Ruled {
  return { instance: instance(id, { ...changes, weight }), health, weight, seenAt, suspectUntil };
}

export const ejected: Health = { state: 'ejected', until: 30_000, timesEjected: 1 };

export function idsOf(members: Iterable<Ruled>): string[] {
  return Array.from(members, ({ instance: { id } }) => id);
}
