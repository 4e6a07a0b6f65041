import { contract, query } from 'flotilla/contract';
import { z } from 'zod';

/** The small service that is called while one of its instances is spoilt. */
export const work = contract(
  { name: 'work', version: 1 },
  { one: query({ in: z.object({ number: z.int() }), out: z.object({ number: z.int() }) }) },
);

/** How long one call takes while all is well. */
export const usualMs = 5;

/**
 * How an instance behaves from now on.
 *
 * | mood | each call |
 * |---|---|
 * | `well` | is answered after {@link usualMs} |
 * | `slow` | is answered after a hundred times as long |
 * | `broken` | fails as a handler with a mistake in it does: INTERNAL |
 * | `unavailable` | is refused, and surely not executed: UNAVAILABLE |
 * | `deaf` | is taken and never answered; the connection is well |
 * | `flapping` | is answered in one second and refused in the next |
 */
export type Mood = 'well' | 'slow' | 'broken' | 'unavailable' | 'deaf' | 'flapping';

/** What an instance is told. */
export type Order = { readonly mood: Mood } | { readonly blockMs: number };
