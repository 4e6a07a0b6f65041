import type { Latencies } from './latencies.ts';

/**
 * Makes calls at a rate that does not wait for answers, a few every millisecond, and takes the time of each from the moment
 * that it was due: whoever stalls is not spared the calls that came meanwhile (coordinated omission).
 */
export async function paced(
  ms: number,
  perSecond: number,
  call: () => Promise<void>,
  latencies: Latencies,
): Promise<object> {
  const startedAt = performance.now();
  const due = Math.floor((ms * perSecond) / 1_000);
  const pending: Promise<void>[] = [];
  for (let made = 0; made < due; ) {
    const now = performance.now() - startedAt;
    for (; made < due && (made * 1_000) / perSecond <= now; made++) {
      const dueAt = startedAt + (made * 1_000) / perSecond;
      pending.push(call().then(() => latencies.add(performance.now() - dueAt)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
  return { operations: due, wallMs: performance.now() - startedAt };
}
