import type { ProcessLoad } from './load-source.ts';
import { ranks } from './places.ts';
import type { SheddingSettings } from './server-policies.ts';

/** How busy a process is: nobody is shed, `bulk` and `probe` are, everything but `critical` is. */
export type SheddingLevel = 'calm' | 'busy' | 'stalled';

/** What the numbers of a process mean. */
export function levelOf({ loopDelayMs, heapFraction }: ProcessLoad, settings: SheddingSettings): SheddingLevel {
  if (loopDelayMs > settings.stalledLoopDelayMs || heapFraction > settings.fullHeapFraction) return 'stalled';
  if (loopDelayMs > settings.busyLoopDelayMs || heapFraction > settings.busyHeapFraction) return 'busy';
  return 'calm';
}

/** Is a call of this rank refused at this level? */
export function isShed(rank: number, level: SheddingLevel): boolean {
  if (level === 'calm') return false;
  return level === 'stalled' ? rank > ranks.critical : rank > ranks.default;
}

/**
 * How many calls may be in flight for one of this rank to be let in: low priority meets its limit first, so it is the
 * first to be refused when places get scarce.
 */
export function shareOf(rank: number, limit: number, settings: SheddingSettings): number {
  if (!settings.enabled || rank === ranks.default) return limit;
  if (rank === ranks.critical) return limit * (1 + settings.criticalExtraFraction);
  return (
    limit * (rank === ranks.bulk ? settings.bulkFraction : Math.min(settings.bulkFraction, settings.probeFraction))
  );
}
