import type { Clock } from './clock.ts';

let readOn: Clock | undefined;
let readAt = 0;

/**
 * Runs `work` as one instant: {@link instantOf} says `now` in it, as far as it runs in one go. What it starts and what goes on
 * later reads the clock again, and so does what comes after another instant within it.
 *
 * For the way of a call from its caller to the wire: half a dozen filters look at the clock there, and to read it costs more than
 * what most of them do. All of them mean the moment in which the caller called.
 * @param now what `clock` has just said
 */
export function asOneInstant<A, B, Result>(
  clock: Clock,
  now: number,
  work: (a: A, b: B) => Result,
  a: A,
  b: B,
): Result {
  readOn = clock;
  readAt = now;
  try {
    return work(a, b);
  } finally {
    readOn = undefined;
  }
}

/** What the clock says, or said when the instant began that runs now. */
export function instantOf(clock: Clock): number {
  return clock === readOn ? readAt : clock.now();
}
