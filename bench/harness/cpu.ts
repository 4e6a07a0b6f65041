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
