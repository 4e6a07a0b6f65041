import { readdirSync, readFileSync } from 'node:fs';

/** `/proc/<pid>/stat` counts in these (proc(5), `sysconf(_SC_CLK_TCK)`): 100 a second on every Linux that Node runs on. */
const tickMs = 10;

/** User and system time of a process with all its threads, so far. Linux only. */
export function cpuMsOf(pid: number): number {
  return readStat(`/proc/${pid}/stat`).cpuMs;
}

/** The same of those threads of a process, now alive, whose name fits. */
export function threadsCpuMsOf(pid: number, named: RegExp): number {
  let cpuMs = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const stat = readStat(`/proc/${pid}/task/${thread}/stat`);
      if (named.test(stat.name)) cpuMs += stat.cpuMs;
    } catch {
      // It has ended meanwhile.
    }
  }
  return cpuMs;
}

function readStat(path: string): { readonly name: string; readonly cpuMs: number } {
  const stat = readFileSync(path, 'utf8');
  // The name in brackets may hold anything; what follows it is numbers.
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  return { name: stat.slice(stat.indexOf('(') + 1, end), cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
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
