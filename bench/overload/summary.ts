import type { Run } from './run.ts';
import type { Slice } from './slice.ts';

/** Figures of a run beside their targets. */
export function summaryOf(run: Run): string {
  const { subject, plan, capacity, capacityPerCpuSecond, slices, rssMb, wallMs, cpuMs, waitedMs } = run;
  const { restMs, overloadMs } = plan;
  const seconds = overloadMs / 1_000;
  const rest = slices.filter(({ atMs }) => atMs < restMs);
  const overload = slices.filter(({ atMs }) => atMs >= restMs && atMs < restMs + overloadMs);
  const restP99 = percentile(latencies(rest), 0.99);
  const [median, p99] = [percentile(latencies(overload), 0.5), percentile(latencies(overload), 0.99)];
  const critical = sum(overload, 'criticalGood') / sum(overload, 'criticalSent');
  const lateP99 = percentile(lateness(overload), 0.99);
  const lines = [
    `${subject.title}: capacity ${capacity.toFixed(0)}/s, offered ${(sum(overload, 'sent') / seconds).toFixed(0)}/s`,
    `  goodput           ${percent(sum(overload, 'good') / seconds / capacity)} of capacity (target 90 %); per CPU second of the whole run ${percent(sum(slices, 'good') / (cpuMs / 1_000) / capacityPerCpuSecond)} of those at capacity`,
    `  p99 of good ones  ${p99.toFixed(1)} ms, ${(p99 / restP99).toFixed(1)} × that at rest, ${restP99.toFixed(1)} ms (target 3 ×); median ${median.toFixed(1)} ms, at rest ${percentile(latencies(rest), 0.5).toFixed(1)} ms`,
    `  critical ones     ${percent(critical)} answered (target 99 %)`,
    `  recovery          ${recoveryMs(run, restP99)} (target 2000 ms)`,
    `  refused ${sum(overload, 'refused')}, without an answer in time ${sum(overload, 'failed')}; ${rssMb.toFixed(0)} MB`,
    `  of the run: CPU ${percent(cpuMs / wallMs)}, its core taken by others ${percent(waitedMs / wallMs)}; 99 of 100 requests left within ${lateP99.toFixed(1)} ms of when they were due`,
  ];
  return lines.join('\n');
}

/** Until the first slice after the load in which every request is answered, as quickly as at rest, give or take the half. */
function recoveryMs({ slices, plan }: Run, restP99: number): string {
  const end = plan.restMs + plan.overloadMs;
  const well = slices.find(
    (slice) =>
      slice.atMs >= end &&
      slice.sent > 0 &&
      slice.good === slice.sent &&
      percentile(slice.latenciesMs, 0.9) <= restP99 * 1.5,
  );
  return well ? `${well.atMs - end} ms` : 'not within the run';
}

type Counted = 'sent' | 'good' | 'refused' | 'failed' | 'criticalSent' | 'criticalGood';

export function sum(slices: readonly Slice[], what: Counted): number {
  return slices.reduce((total, slice) => total + slice[what], 0);
}

export function latencies(slices: readonly Slice[]): readonly number[] {
  return slices.flatMap(({ latenciesMs }) => latenciesMs);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function lateness(slices: readonly Slice[]): readonly number[] {
  return slices.flatMap(({ lateMs }) => lateMs);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
