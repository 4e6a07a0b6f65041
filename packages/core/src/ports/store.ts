import type { Call } from '../call.ts';

/** What {@link Store.compareAndSet} is told. */
export interface StoreChange {
  /** What has to be there now; undefined: nothing may be. */
  readonly expected: string | undefined;
  /** What is there afterwards; undefined: nothing. */
  readonly value: string | undefined;
  /** Milliseconds until the new value is gone again. */
  readonly ttlMs: number;
}

/** What became of a {@link StoreChange}. `found`: what was there instead of what was expected. */
export type StoreSwap = { readonly swapped: true } | { readonly swapped: false; readonly found: string | undefined };

/** What {@link Store.increment} is told. */
export interface StoreStep {
  /** A whole number from 1 on. Default 1. */
  readonly by?: number;
  /** Nothing is added if the counter would be above it. Default: `Infinity`. */
  readonly max?: number;
  /** Milliseconds from the counter's beginning until it is gone. A counter that exists keeps the time that it has. */
  readonly ttlMs: number;
}

/** A counter after a {@link StoreStep}. */
export interface StoreCount {
  readonly value: number;
  /** False: {@link StoreStep.max} did not allow it. */
  readonly added: boolean;
  /** Milliseconds until the counter is gone and the next step begins a new one; 0 when there is none. */
  readonly remainingMs: number;
}

/**
 * Port for short-lived state that the instances of a service share: shared limits, idempotency keys, locks, sessions.
 * `@flotilla/store` has the engines. Values and counters are apart: a key may name one of each. Nothing is kept for ever:
 * everything has a time to live, measured by the engine's own clock.
 *
 * A `call` bounds the wait: it rejects with the reason when the call is cancelled. What was sent may be done all the same.
 *
 * Errors: UNAVAILABLE, `executed: 'no'` when nothing was sent, `'unknown'` when no answer came.
 * @throws RangeError at once for a key, value, number or time that is out of bounds
 */
export interface Store {
  /** Names the engine in messages: `memory`, `redis at 10.0.0.7:6379`. */
  readonly name: string;
  /** The largest value, in bytes of UTF-8. */
  readonly maxValueBytes: number;
  /** The value; undefined when there is none (any more). */
  get(key: string, call?: Call): Promise<string | undefined>;
  /** Writes the value, whatever is there. */
  put(key: string, value: string, ttlMs: number, call?: Call): Promise<void>;
  /** Writes or deletes the value if it is the expected one, in one step that nothing comes between. */
  compareAndSet(key: string, change: StoreChange, call?: Call): Promise<StoreSwap>;
  /** Adds to the counter, in one step that nothing comes between. */
  increment(key: string, step: StoreStep, call?: Call): Promise<StoreCount>;
  /** The counter as it stands; undefined when there is none (any more). Changes nothing. */
  count(key: string, call?: Call): Promise<number | undefined>;
  /** Deletes value and counter. */
  delete(key: string, call?: Call): Promise<void>;
  /** Gives up what the engine holds. Later calls share the first one's promise. */
  close(): Promise<void>;
}
