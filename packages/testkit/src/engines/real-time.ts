import { systemClock } from '@flotilla/core';

/** Longest real time that starting and stopping may take: above it something hangs. */
export const longestMs = 10_000;

/** Waits for `work`, but not for ever. @param doing what hangs, for the message. */
export async function givingUp<T>(work: Promise<T>, doing: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = systemClock.setTimer(longestMs, () =>
    late.reject(new Error(`${doing()} did not end within ${longestMs / 1_000} s`)),
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}

/** Asks again and again until it is so. @throws Error when it is not after {@link longestMs}. */
export async function untilTrue(so: () => boolean, turn: () => Promise<void>, what: () => string): Promise<void> {
  const endAt = systemClock.now() + longestMs;
  while (!so()) {
    if (systemClock.now() > endAt) throw new Error(`${what()}, still not after ${longestMs / 1_000} s`);
    await turn();
  }
}
