import { readFileSync } from 'node:fs';

/** `/proc/<pid>/stat` counts in these (proc(5), `sysconf(_SC_CLK_TCK)`): 100 a second on every Linux that Node runs on. */
const tickMs = 10;

/** User and system time of a process with all its threads, so far. Linux only. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold anything; what follows it is numbers.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/**
 * Lets processes work until one of them has used so much CPU time: code is compiled by how often it ran, not by the
 * clock. Gives up at three times that on the clock.
 */
export async function warmUp(pids: readonly number[], cpuMs: number, work: () => Promise<void>): Promise<void> {
  const until = performance.now() + 3 * cpuMs;
  const before = pids.map(cpuMsOf);
  do await work();
  while (performance.now() < until && pids.every((pid, index) => cpuMsOf(pid) - (before[index] ?? 0) < cpuMs));
}
