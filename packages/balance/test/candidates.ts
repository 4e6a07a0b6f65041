import type { EndpointStatus } from '@flotilla/core';
import type { Candidate } from '../src/picks/candidate.ts';

/** A candidate whose numbers a test sets. */
export interface Numbered extends Candidate {
  readonly index: number;
  status: EndpointStatus;
  load: number;
  latencyMs: number;
  utilisation: number;
}

export function candidates(weights: readonly number[]): Numbered[] {
  return weights.map((weight, index) => ({
    index,
    id: `i${index}`,
    weight,
    load: 0,
    status: 'open',
    latencyMs: 0,
    utilisation: 0,
    latencyAt() {
      return this.latencyMs;
    },
    utilisationAt() {
      return this.utilisation;
    },
  }));
}

/** So many that are alike. */
export function alike(count: number): Numbered[] {
  return candidates(Array.from({ length: count }, () => 1));
}
