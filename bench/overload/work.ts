import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** What every server does for a request: it waits, as for a database, then computes, which is what a process runs out of. */
const waitMs = 4;
const computeMs = 2;

export async function work(rounds: number): Promise<string> {
  await sleep(waitMs);
  return compute(rounds);
}

/** Rounds that take {@link computeMs} of CPU time on this machine. */
export function roundsHere(): number {
  const batch = 1_000;
  const until = process.cpuUsage().user + 300_000;
  compute(batch * 10); // compiled by then
  let rounds = 0;
  const before = process.cpuUsage().user;
  while (process.cpuUsage().user < until) {
    compute(batch);
    rounds += batch;
  }
  return Math.round((rounds * computeMs * 1_000) / (process.cpuUsage().user - before));
}

function compute(rounds: number): string {
  let text = 'order';
  for (let round = 0; round < rounds; round++) text = hash('sha256', text);
  return text;
}
