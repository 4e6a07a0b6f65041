import { setTimeout as pause } from 'node:timers/promises';

/** How long a program of others is given to do what it does in a second or two on an idle machine. */
export const patienceMs = 90_000;

/** The promise, or an error that names what did not come in time. */
export async function within<T>(what: string, promise: Promise<T>, ms: number = patienceMs): Promise<T> {
  const over = new AbortController();
  const late = pause(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`not within ${ms / 1_000} s: ${what}`);
  });
  late.catch(() => {}); // when it was in time
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

/**
 * Asks again and again until the answer fits, for what programs of others do not tell by themselves.
 * @returns the answer that fits; past the deadline an error that shows the last one
 */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  fits: (answer: T) => boolean,
  ms: number = patienceMs,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (performance.now() > end)
      throw new Error(`not within ${ms / 1_000} s: ${what}; the last answer was ${JSON.stringify(answer)}`);
    await pause(50);
  }
}
