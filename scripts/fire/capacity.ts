import { HttpClient } from './client.ts';
import { type Fleet, host, pagePath } from './fleet.ts';

const askers = 8;
const warmUpMs = 2_000;
const measureMs = 2_000;

/** Far from what the machine can do: what fails then fails for the fault's sake. */
const share = 0.2;
const leastPerSecond = 10;
const mostPerSecond = 100;

/** How many pages a second the fleet serves here and now, when a few ask without pause. */
export async function measureCapacity(fleet: Fleet): Promise<number> {
  const client = new HttpClient({ host, port: fleet.gatewayPort, maxConnections: askers });
  const from = performance.now() + warmUpMs;
  const until = from + measureMs;
  let served = 0;
  const ask = async (): Promise<void> => {
    while (performance.now() < until) {
      const { outcome } = await client.send({ path: pagePath, timeoutMs: 10_000 });
      if (outcome === 'ok' && performance.now() >= from) served++;
    }
  };
  await Promise.all(Array.from({ length: askers }, ask));
  client.close();
  return (served * 1_000) / measureMs;
}

/** The rate of a load that leaves room for processes that start beside it. */
export function rateFor(capacityPerSecond: number): number {
  return Math.round(Math.min(mostPerSecond, Math.max(leastPerSecond, capacityPerSecond * share)));
}
