import { jittered, type Random } from '@flotilla/core';

/** How a registry is followed: a stream of events, an answer that waits for news, lists. */
export type Way = 'push' | 'long-poll' | 'polling';

/**
 * How a try ended.
 *
 * - `worked`: it brought news, or lived for a while.
 * - `failed`: nobody answered, or the connection broke.
 * - `broken`: somebody answered and this way does not come through: an old registry has none, a proxy holds events back.
 */
export type End = 'worked' | 'failed' | 'broken';

/**
 * Which way is tried next.
 *
 * | way | exits |
 * |---|---|
 * | push | broken, or failed three times in a row → long poll |
 * | long poll | broken, or failed three times in a row → polling; works and its time is over → push |
 * | polling | a list was fetched, or not → push, before the next one |
 */
export interface Following {
  readonly way: Way;
  /** In a row. */
  readonly failures: number;
  /** How often in a row push was given up for a long poll that worked. */
  readonly breaks: number;
  /** When push is tried again; undefined until a long poll worked. */
  readonly pushAgainAt: number | undefined;
}

/** What is done before the next try: a wait after failures, the time between two lists, or nothing. */
export type Pause = 'backoff' | 'period' | 'none';

export const atFirst: Following = Object.freeze({ way: 'push', failures: 0, breaks: 0, pushAgainAt: undefined });

const mostFailures = 3;
/** Push that never comes through is tried every eight minutes with the customary 30 s between lists. */
const mostDoublings = 4;

/** @param periodMs between two lists; push is first tried again after so long. */
export function afterTry(
  following: Following,
  end: End,
  { now, periodMs, random }: { now: number; periodMs: number; random: Random },
): { readonly next: Following; readonly pause: Pause } {
  const { way, breaks } = following;
  const failures = end === 'failed' ? following.failures + 1 : following.failures;
  const goesOn = end === 'failed' && failures < mostFailures;
  if (way === 'polling') {
    return { next: { ...following, way: 'push', failures }, pause: end === 'worked' ? 'period' : 'backoff' };
  }
  if (goesOn) return { next: { ...following, failures }, pause: 'backoff' };
  if (way === 'push') {
    if (end === 'worked') return { next: atFirst, pause: 'backoff' };
    return { next: { ...following, way: 'long-poll', failures, pushAgainAt: undefined }, pause: 'none' };
  }
  if (end !== 'worked') return { next: { ...following, way: 'polling', failures }, pause: 'none' };
  const { pushAgainAt } = following;
  if (pushAgainAt === undefined) {
    const againMs = jittered(periodMs * 2 ** Math.min(breaks, mostDoublings), random);
    return { next: { way, failures: 0, breaks: breaks + 1, pushAgainAt: now + againMs }, pause: 'none' };
  }
  return { next: { ...following, way: now < pushAgainAt ? way : 'push', failures: 0 }, pause: 'none' };
}
