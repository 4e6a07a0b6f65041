import { FlotillaError } from '@flotilla/core';
import { type Given, type PolicyField, type PolicyFields, resolveFields } from './policy-fields.ts';

/** Every number of the standard composition; see {@link resilienceDefaults} for why each is what it is. */
export interface ResilienceSettings {
  /** Milliseconds for the whole call, retries and the last byte included. `Infinity`: only the caller's own deadline. */
  readonly timeoutMs: number;
  /** Milliseconds until one attempt must have begun its answer. `Infinity`: no bound of its own. */
  readonly attemptTimeoutMs: number;
  /** A call with less than this left is refused before it starts. 0: never. */
  readonly minRemainingMs: number;
  /** Further tries after the first, 0 to 10. 0 switches retries off. */
  readonly retries: number;
  /** The first wait is a random part of this many milliseconds; each further one may be twice as long. */
  readonly backoffBaseMs: number;
  /** No wait is longer, unless the callee names one. */
  readonly backoffMaxMs: number;
  /** Retries as a share of requests over the budget's window, 0 to 1. */
  readonly retryBudgetFraction: number;
  /** Retries per second that are allowed on top, so that quiet callers may retry as well. */
  readonly retryBudgetPerSecond: number;
  /** How long a request counts towards the budget. */
  readonly retryBudgetWindowMs: number;
  /** Calls in flight to one instance, until their last byte. `Infinity`: no cap. */
  readonly maxConcurrent: number;
}

/** What holds when nothing is configured. */
export const resilienceDefaults: ResilienceSettings = Object.freeze({
  timeoutMs: 30_000, // nobody waits longer at a screen
  attemptTimeoutMs: 10_000, // a third of timeoutMs: all three attempts fit
  minRemainingMs: 5, // less is spent on the way there and back
  retries: 2, // a third repetition hardly ever helps, and multiplies load when everything fails
  backoffBaseMs: 25, // longer than a lost packet on a local network, shorter than a person notices
  backoffMaxMs: 1_000, // waiting longer uses up the deadline for nothing
  retryBudgetFraction: 0.2, // when everything fails, callees see 1.2 times the load, not three times
  retryBudgetPerSecond: 10, // too few to hurt anybody, enough for a caller with little traffic
  retryBudgetWindowMs: 10_000, // remembers a burst, forgets yesterday's calm
  maxConcurrent: 1_000, // far above healthy use; stops a stalled instance from collecting the whole heap
});

/**
 * Fills in the defaults and checks every number. An explicit `undefined` counts as absent.
 * @throws RangeError naming the first field that does not fit.
 */
export function resolveResilience(options: PartialSettings = {}): ResilienceSettings {
  const settings = resolveFields(resilienceFields, resilienceDefaults, options);
  if (settings.backoffMaxMs < settings.backoffBaseMs) {
    throw new RangeError(
      `backoffMaxMs must be at least backoffBaseMs (${settings.backoffBaseMs}), got ${settings.backoffMaxMs}`,
    );
  }
  return settings;
}

/** Settings as a user gives them: any of them, possibly undefined. */
export type PartialSettings = Given<ResilienceSettings>;

/** The refusal of a call that would be over before it began. */
export function tooLate(remainingMs: number, minRemainingMs: number): FlotillaError {
  return new FlotillaError(
    'DEADLINE_EXCEEDED',
    `not started: ${Math.round(remainingMs)} ms are left until the deadline, minRemainingMs is ${minRemainingMs}`,
    { executed: 'no' },
  );
}

const aboveZero = 'greater than 0';
const fromZero = 'a finite number from 0 on';

function field(
  kind: 'integer' | 'number',
  min: number,
  max: number,
  text: string,
  describe: string,
  orInfinity = false,
): PolicyField {
  return { kind, min, max, text, describe, orInfinity };
}

/** A year: more than any wait, so that what code may give is limited by sense alone. */
const longestMs = 31_536_000_000;
const least = 0.001; // above 0, and a number that a person can read

/** What each setting may be, in code and in configuration. */
export const resilienceFields: PolicyFields<ResilienceSettings> = {
  timeoutMs: field('number', least, longestMs, aboveZero, 'for the whole call, retries and last byte included', true),
  attemptTimeoutMs: field('number', least, longestMs, aboveZero, 'until one attempt must have begun its answer', true),
  minRemainingMs: field('number', 0, longestMs, fromZero, 'a call with less than this left is not started'),
  retries: field('integer', 0, 10, 'a whole number from 0 to 10', 'further tries after the first'),
  backoffBaseMs: field('number', 0, longestMs, fromZero, 'bound of the first wait; each further one doubles'),
  backoffMaxMs: field('number', 0, longestMs, fromZero, 'no wait is longer, unless the callee names one'),
  retryBudgetFraction: field('number', 0, 1, 'from 0 to 1', 'retries as a share of requests'),
  retryBudgetPerSecond: field('number', 0, 1_000_000, fromZero, 'retries per second on top'),
  retryBudgetWindowMs: field('number', least, longestMs, 'finite and greater than 0', 'how long a request counts'),
  maxConcurrent: field(
    'integer',
    1,
    1_000_000,
    'a whole number greater than 0, or Infinity',
    'calls in flight to one instance, until their last byte',
    true,
  ),
};
