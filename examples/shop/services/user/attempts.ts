/** What is known of the attempts under one key. */
export interface Attempts {
  readonly failures: number;
  /** Milliseconds since the epoch. */
  readonly lastAt: number;
}

/** How many failures are free, and how long the wait after the others may get. */
export interface Allowance {
  readonly free: number;
  readonly maxWaitMs: number;
}

/**
 * Three limits side by side. An address that guesses one account is slowed soon. One that guesses many accounts, and
 * one account that many addresses guess, are slowed later. No wait is long enough to lock the owner of an account out,
 * and an address from which somebody has signed in to the account before does not wait for what others do to it.
 */
export const allowances = Object.freeze({
  pair: { free: 5, maxWaitMs: 15 * 60_000 },
  address: { free: 50, maxWaitMs: 5 * 60_000 },
  account: { free: 50, maxWaitMs: 30_000 },
  signUp: { free: 20, maxWaitMs: 5 * 60_000 },
}) satisfies Readonly<Record<string, Allowance>>;

/** Failures are forgotten when for this long there was none. */
export const forgetMs = 3_600_000;

const none: Attempts = Object.freeze({ failures: 0, lastAt: 0 });

/** Milliseconds until the next attempt may be made: 0 within the free ones, then 1 s, 2 s, 4 s, … since the last one. */
export function waitMs(attempts: Attempts | undefined, { free, maxWaitMs }: Allowance, now: number): number {
  const { failures, lastAt } = current(attempts, now);
  if (failures < free) return 0;
  const pauseMs = Math.min(maxWaitMs, 1_000 * 2 ** Math.min(30, failures - free));
  return Math.max(0, lastAt + pauseMs - now);
}

/** An attempt counts as failed when it begins, so that a thousand at once are not all the first one. */
export function begun(attempts: Attempts | undefined, now: number): Attempts {
  return { failures: current(attempts, now).failures + 1, lastAt: now };
}

/** Takes back what was counted for an attempt that did not fail. */
export function succeeded(attempts: Attempts | undefined): Attempts {
  const { failures, lastAt } = attempts ?? none;
  return { failures: Math.max(0, failures - 1), lastAt };
}

function current(attempts: Attempts | undefined, now: number): Attempts {
  return attempts && now - attempts.lastAt < forgetMs ? attempts : none;
}
