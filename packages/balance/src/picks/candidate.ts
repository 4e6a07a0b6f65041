import type { EndpointStatus } from '@flotilla/core';

/** What a pick looks at. */
export interface Candidate {
  /** The same for every caller: a consistent hash finds its place by it. */
  readonly id: string;
  readonly status: EndpointStatus;
  /** Calls in flight. */
  readonly load: number;
  /** Share of the calls relative to the others, from 0 on. */
  readonly weight: number;
  /** What an answer takes, in milliseconds, as far as it can be told at `now`; 0: nothing is known. */
  latencyAt(now: number): number;
  /** How busy its event loop is, above 0 to 1; 0: nothing is known. */
  utilisationAt(now: number): number;
}

/**
 * Chooses one candidate per call, without allocating. A candidate that takes nothing now is chosen only when all do so: it
 * refuses without having started the work.
 */
export interface Picker<C> {
  /**
   * @param now on the clock by which latencies were measured.
   * @param key what a hash or a sticky pick goes by; others don't look at it.
   * @returns undefined when there are no candidates.
   */
  next(now: number, key?: string): C | undefined;
  /** The load of a candidate is another one. Absent: this pick keeps no order that depends on it. */
  changed?(candidate: C): void;
}

/** `one` if it is open, else the next open candidate after it, else `one`: rare, so it may look at all of them. */
export function openOr<C extends Pick<Candidate, 'status'>>(one: C, pool: readonly C[], index: number): C {
  for (let step = 0; step < pool.length; step++) {
    const candidate = pool[(index + step) % pool.length] as C;
    if (candidate.status === 'open') return candidate;
  }
  return one;
}
