import type { Random } from '../clock.ts';
import type { Instance } from '../instance.ts';
import { type BackoffBounds, backoffAfterMs, jittered } from './backoff.ts';

/**
 * What a keeper knows of its instance; the functions here are all that may become of it. Time and chance are arguments.
 *
 * | state | next | exits |
 * |---|---|---|
 * | `kept` differs from `instance` | put, now or after failures with backoff | kept → the same; stale → a later incarnation, at once |
 * | `kept` is `instance` | renew, every `renewEveryMs` ± 20 % | unknown → differs, at once; the owner says something else → differs |
 */
export interface Keeping {
  /** What the owner said last. */
  readonly instance: Instance;
  /** What the place has, by our knowledge. */
  readonly kept: Instance | undefined;
  /** When the next request is due. `Infinity` while one is under way: its answer says when. */
  readonly dueAt: number;
  /** As the instance's lease says, until the place says something else. */
  readonly renewEveryMs: number;
  /** In a row. */
  readonly failures: number;
  /** How often in a row the place knew a later life. */
  readonly raises: number;
}

/** The two clocks, as they are when something happens. */
export interface Instants {
  readonly now: number;
  readonly wallNow: number;
}

/** A place that keeps raising what we raised is not ours to argue with before a pause. */
export const mostRaises = 3;

export function begin(instance: Instance, renewEveryMs: number, now: number): Keeping {
  return { instance, kept: undefined, dueAt: now, renewEveryMs, failures: 0, raises: 0 };
}

export function nextOf({ instance, kept }: Keeping): 'put' | 'renew' {
  return kept === instance ? 'renew' : 'put';
}

/** The next request is due at `at`, if it was not due before. */
export function due(keeping: Keeping, at: number): Keeping {
  return { ...keeping, dueAt: Math.min(keeping.dueAt, at) };
}

export function asked(keeping: Keeping): Keeping {
  return { ...keeping, dueAt: Infinity };
}

/** What the owner says from now on, as a later life than before, also when the wall clock went back. */
export function changed(instance: Instance, change: Partial<Instance>, wallNow: number): Instance {
  return { ...instance, ...change, incarnation: laterThan(instance.incarnation, wallNow) };
}

/** @param sent what the place has from now on; the instance may say something else by now. */
export function keptAs(
  keeping: Keeping,
  sent: Instance,
  renewEveryMs: number | undefined,
  now: number,
  random: Random,
): Keeping {
  const periodMs = renewEveryMs ?? keeping.renewEveryMs;
  const rested = { ...keeping, kept: sent, renewEveryMs: periodMs, failures: 0, raises: 0 };
  return due(rested, now + jittered(periodMs, random));
}

/** The place does not know the instance: it is put at once. */
export function forgotten(keeping: Keeping, above: number | undefined, { now, wallNow }: Instants): Keeping {
  return due({ ...keeping, kept: undefined, instance: raisedAbove(keeping.instance, above, wallNow) }, now);
}

/** The place knows a later life: a clock went back, or somebody took us out. We are alive, so ours is later. */
export function outdone(keeping: Keeping, above: number, { now, wallNow }: Instants): Keeping {
  return due({ ...keeping, raises: keeping.raises + 1, instance: raisedAbove(keeping.instance, above, wallNow) }, now);
}

export function failed(keeping: Keeping, cause: unknown, bounds: BackoffBounds, now: number, random: Random): Keeping {
  const failures = keeping.failures + 1;
  return due({ ...keeping, failures, raises: 0 }, now + backoffAfterMs(failures, bounds, random, cause));
}

function raisedAbove(instance: Instance, above: number | undefined, wallNow: number): Instance {
  if (above === undefined || instance.incarnation > above) return instance;
  return { ...instance, incarnation: laterThan(above, wallNow) };
}

function laterThan(incarnation: number, wallNow: number): number {
  return Math.max(incarnation + 1, Math.floor(wallNow));
}
