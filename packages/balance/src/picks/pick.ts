import type { Random } from '@flotilla/core';
import type { Candidate, Picker } from './candidate.ts';
import { consistentHash } from './consistent-hash.ts';
import { leastInFlight } from './least-in-flight.ts';
import { randomPick } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { StickyMemory, sticky } from './sticky.ts';
import { leastLoaded, leastUtilised, peakEwma } from './two-choices.ts';

/** How an instance is chosen; `docs/balancing.md` shows when which. */
export type PickPolicy =
  | 'random'
  | 'round-robin'
  | 'least-in-flight'
  | 'least-loaded'
  | 'peak-ewma'
  | 'least-utilised'
  | 'hash'
  | 'sticky';

export const pickPolicies: readonly PickPolicy[] = Object.freeze([
  'random',
  'round-robin',
  'least-in-flight',
  'least-loaded',
  'peak-ewma',
  'least-utilised',
  'hash',
  'sticky',
]);

/** What some picks need besides candidates. */
export interface PickOptions {
  /** The share of each candidate, in their order. Default: their own weights. */
  readonly weights?: readonly number[] | undefined;
  /** For `hash`: see {@link consistentHash}. Default 1.25. */
  readonly maxLoad?: number | undefined;
  /** For `hash`: calls in flight of all candidates. Default: adds them up at each pick. */
  readonly inFlight?: (() => number) | undefined;
  /** For `sticky`: what it remembers. Default: a memory of its own for 10,000 keys. */
  readonly memory?: StickyMemory | undefined;
}

/**
 * Builds a picker for candidates that stay the same: when they change, a new one is built. Candidates without weight
 * are left out, unless none has any: then all count alike.
 */
export function createPicker<C extends Candidate>(
  policy: PickPolicy,
  candidates: readonly C[],
  random: Random,
  options: PickOptions = {},
): Picker<C> {
  const given = options.weights ?? candidates.map(({ weight }) => weight);
  const anyWeight = given.some((weight) => weight > 0);
  const pool = anyWeight ? candidates.filter((_, index) => (given[index] as number) > 0) : candidates;
  const weights = anyWeight ? given.filter((weight) => weight > 0).map(bounded) : given.map(() => 1);
  const [first] = pool;
  if (pool.length <= 1) return { next: () => first };
  return build(policy, pool, weights, random, options);
}

/** Weights come from whoever registers: sums of them must stay numbers, and no share may vanish. */
function bounded(weight: number): number {
  return Math.min(Math.max(weight, 1e-9), 1e9);
}

function build<C extends Candidate>(
  policy: PickPolicy,
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
  { maxLoad = 1.25, inFlight = () => sumOfLoads(pool), memory = new StickyMemory(10_000) }: PickOptions,
): Picker<C> {
  switch (policy) {
    case 'random':
      return randomPick(pool, weights, random);
    case 'round-robin':
      return roundRobin(pool, weights, random);
    case 'least-in-flight':
      return leastInFlight(pool, weights, random);
    case 'least-loaded':
      return leastLoaded(pool, weights, random);
    case 'peak-ewma':
      return peakEwma(pool, weights, random);
    case 'least-utilised':
      return leastUtilised(pool, weights, random);
    case 'hash':
      return consistentHash(pool, weights, random, maxLoad, inFlight);
    case 'sticky':
      return sticky(pool, peakEwma(pool, weights, random), memory);
  }
}

function sumOfLoads(pool: readonly Candidate[]): number {
  let sum = 0;
  for (const { load } of pool) sum += load;
  return sum;
}
