/** A pending timer. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. Rules take instants as arguments; whoever needs to wait asks a clock, so that a test can
 * move time by hand (`ManualClock` in `@flotilla/core/testing`).
 */
export interface Clock {
  /** Monotonic milliseconds, possibly fractional. Only differences mean anything. */
  now(): number;
  /** Milliseconds since the Unix epoch: for display, for the wire and for files; never for measuring. */
  wallNow(): number;
  /**
   * Calls `fire` once, no sooner than `delayMs` from now.
   * @param delayMs from 0 on; `Infinity` never fires. Anything else (NaN, negative) throws a RangeError at once.
   * @param options `background: true` means that this timer alone does not keep the process alive.
   */
  setTimer(delayMs: number, fire: () => void, options?: { readonly background?: boolean }): Timer;
}

/** A number from 0 (included) to 1 (excluded). Randomness is an argument, so that a test can repeat it. */
export type Random = () => number;

/** @throws RangeError when `delayMs` is not a duration; `name` is the option or function to be named. */
export function assertDuration(delayMs: number, name = 'delayMs'): void {
  if (!(delayMs >= 0)) throw new RangeError(`${name} must be a number of milliseconds from 0 on, got ${delayMs}`);
}

/** The durations that were given, and for the others the default. @throws RangeError naming one that is none */
export function resolveDurations<Name extends string>(
  given: { readonly [Each in NoInfer<Name>]?: number | undefined },
  defaults: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  const resolved: Record<Name, number> = { ...defaults };
  for (const name of Object.keys(defaults) as Name[]) {
    resolved[name] = given[name] ?? defaults[name];
    assertDuration(resolved[name], name);
  }
  return resolved;
}
