import type { Ruled } from './rule.ts';

/** What a young instance gets of its weight at least: with nothing it would never get warm. */
const leastShare = 0.1;

/**
 * How much of its weight an instance has: it grows with its age, from a tenth to all of it at `warmUpMs`. The age counts
 * from `startedAt`, which its own clock says; when that clock is ahead of ours it counts from when we first saw it. Who
 * does not say when it came up is warm.
 */
export function warmth({ instance, seenAt }: Ruled, warmUpMs: number, now: number, wallNow: number): number {
  if (instance.startedAt === undefined || warmUpMs === 0) return 1;
  const ageMs = Math.max(wallNow - instance.startedAt, now - seenAt);
  return Math.min(1, Math.max(leastShare, ageMs / warmUpMs));
}
