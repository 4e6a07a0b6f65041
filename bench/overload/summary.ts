import type { Slice } from './load.ts';

/** What one server did at rest, under overload, and at rest again. */
export interface Run {
  readonly name: string;
  /** Answers per second when as many ask as it can serve, measured just before. */
  readonly capacity: number;
  readonly capacityPerCpuSecond: number;
  /** CPU time of the server over the whole run. */
  readonly cpuSeconds: number;
  readonly rssMb: number;
  readonly restMs: number;
  readonly overloadMs: number;
  readonly slices: readonly Slice[];
}

/** Figures of a run beside their targets. */
export function summaryOf(run: Run): string {
  const { name, capacity, capacityPerCpuSecond, restMs, overloadMs, slices, rssMb, cpuSeconds } = run;
  const rest = slices.filter(({ atMs }) => atMs < restMs);
  const overload = slices.filter(({ atMs }) => atMs >= restMs && atMs < restMs + overloadMs);
  const goodput = sum(overload, 'good') / (overloadMs / 1_000);
  const restP99 = percentile(rest, 0.99);
  const overloadP99 = percentile(overload, 0.99);
  const critical = sum(overload, 'criticalGood') / sum(overload, 'criticalSent');
  const all = sum(slices, 'good') / cpuSeconds;
  const lines = [
    `${name}: capacity ${capacity.toFixed(0)}/s, offered ${(sum(overload, 'sent') / (overloadMs / 1_000)).toFixed(0)}/s`,
    `  goodput           ${percent(goodput / capacity)} of capacity (target 90 %); good answers per CPU second ${percent(all / capacityPerCpuSecond)} of those at capacity`,
    `  p99 of good ones  ${overloadP99.toFixed(1)} ms, ${(overloadP99 / restP99).toFixed(1)} × that at rest, ${restP99.toFixed(1)} ms (target 3 ×); median ${percentile(overload, 0.5).toFixed(1)} ms`,
    `  critical ones     ${percent(critical)} answered (target 99 %)`,
    `  recovery          ${recoveryMs(run, restP99)} (target 2000 ms)`,
    `  refused ${sum(overload, 'refused')}, without an answer in time ${sum(overload, 'failed')}; ${rssMb.toFixed(0)} MB`,
  ];
  return lines.join('\n');
}

/** Until the first slice after the load in which every request is answered, as quickly as at rest, give or take the half. */
function recoveryMs({ slices, restMs, overloadMs }: Run, restP99: number): string {
  const end = restMs + overloadMs;
  const well = slices.find(
    (slice) =>
      slice.atMs >= end && slice.sent > 0 && slice.good === slice.sent && percentile([slice], 0.9) <= restP99 * 1.5,
  );
  return well ? `${well.atMs - end} ms` : 'not within the run';
}

type Counted = 'sent' | 'good' | 'refused' | 'failed' | 'criticalSent' | 'criticalGood';

export function sum(slices: readonly Slice[], what: Counted): number {
  return slices.reduce((total, slice) => total + slice[what], 0);
}

export function percentile(slices: readonly Slice[], share: number): number {
  const sorted = slices.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
