import type { Plan } from './plan.ts';

/** CPU time that one process used while operations were counted. */
export interface ProcessCost {
  /** What it is to the row: `gateway`, `client`, `server`. */
  readonly role: string;
  /** User and system time together. */
  readonly cpuMs: number;
}

/** What one subject did in one round, in fresh processes, after its warm-up. */
export interface Measurement {
  readonly operations: number;
  readonly wallMs: number;
  /** The measured processes; empty where only the time counts. */
  readonly processes: readonly ProcessCost[];
  /** Calls that were counted at each station, for rows that claim the whole stack. */
  readonly counters?: Readonly<Record<string, number>>;
  /** What a row of `figures` shows, by what it is, with its unit. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** One thing that is compared. */
export interface Subject {
  readonly id: string;
  /** With its version, as a table shows it. */
  readonly title: string;
  /** @throws CountError when anything was counted that should not have been, or was not that should. */
  readonly measure: (plan: Plan) => Promise<Measurement>;
}

/**
 * - `throughput`: as many operations as one busy core does; void when no measured process was busy.
 * - `cost`: CPU time of an operation within one process.
 * - `duration`: time from one event to another.
 * - `figures`: several things of each subject, each by its name.
 */
export type RowKind = 'throughput' | 'cost' | 'duration' | 'figures';

/** Subjects that do the same work. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly kind: RowKind;
  /** The subject that the others are divided by. */
  readonly reference: string;
  /** What one operation is: `request`, `call`. */
  readonly operation: string;
  /** The budget, in words. */
  readonly budget: string;
  readonly subjects: readonly Subject[];
  /** Runs that leave it out unless it is named: it takes minutes, and `.ci/long` names it. */
  readonly leftOutOf?: readonly ('quick' | 'full')[];
  /** Our subject, from the bench folder of another checkout. */
  readonly own?: (folder: string) => Subject['measure'];
}

/** A subject counted wrong: its figures mean nothing. */
export class CountError extends Error {}

/** @throws CountError */
export function assertCount(what: string, actual: number, least: number, most = least): void {
  if (actual >= least && actual <= most) return;
  const expected = least === most ? `${least}` : `${least} to ${most}`;
  throw new CountError(`${what}: counted ${actual}, expected ${expected}`);
}
