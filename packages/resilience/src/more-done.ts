import { toFlotillaError } from '@flotilla/core';

const certainty = { no: 0, unknown: 1, yes: 2 } as const;

/**
 * Of two failures of one request the one that admits more work done, the first if they are even: that an attempt was certainly not
 * executed says nothing of another one, and whoever is told so may repeat what must not be done twice.
 */
export function moreDone(one: unknown, other: unknown): unknown {
  if (one === undefined) return other;
  if (other === undefined) return one;
  return certainty[toFlotillaError(other).executed] > certainty[toFlotillaError(one).executed] ? other : one;
}
