import type { Measurement } from './measurement.ts';
import type { MeasuredRow, Rounds } from './rounds.ts';

/** Below this share of a core nobody knows what the limit was: not the measured process. */
export const leastBusy = 0.95;

/** One subject of a row, over all its rounds. */
export interface Summary {
  readonly id: string;
  readonly title: string;
  readonly perSecond: number;
  readonly wallUsPerOperation: number;
  /** CPU time of an operation, for each measured process. */
  readonly costs: readonly { readonly role: string; readonly cpuUs: number; readonly busy: number }[];
  /** CPU time of an operation in the measured process that needs most: the one that is the limit on cores of their own. */
  readonly cpuUs: number;
  /** Median of the rounds' ratios to the reference in the same round; above 1 is better than the reference. */
  readonly ratio: number;
  /** The same by {@link cpuUs}: what it would be if nobody else used the machine. */
  readonly cpuRatio: number;
  /** False for a throughput whose measured processes were all idle some of the time. */
  readonly valid: boolean;
  /** Medians of the measurements' own figures. */
  readonly figures: Readonly<Record<string, number>>;
  readonly rounds: readonly { readonly perSecond: number; readonly cpuUs: number; readonly busy: number }[];
}

export function summarise({ row, subjects }: MeasuredRow): Summary[] {
  const reference = subjects.find(({ subject }) => subject.id === row.reference);
  return subjects.map((rounds) => summariseSubject(rounds, reference, row.kind === 'throughput'));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

function summariseSubject(rounds: Rounds, reference: Rounds | undefined, wantsBusy: boolean): Summary {
  const { subject, measurements } = rounds;
  const roles = measurements[0]?.processes.map(({ role }) => role) ?? [];
  const costs = roles.map((role) => ({
    role,
    cpuUs: median(measurements.map((one) => (cpuMsOf(one, role) * 1_000) / one.operations)),
    busy: median(measurements.map((one) => cpuMsOf(one, role) / one.wallMs)),
  }));
  const ratios = (of: (one: Measurement) => number): number =>
    median(measurements.map((one, round) => of(one) / of(reference?.measurements[round] ?? one)));
  return {
    id: subject.id,
    title: subject.title,
    perSecond: median(measurements.map(perSecond)),
    wallUsPerOperation: median(measurements.map((one) => (one.wallMs * 1_000) / one.operations)),
    costs,
    cpuUs: median(measurements.map(cpuUs)),
    ratio: ratios(perSecond),
    cpuRatio: ratios((one) => 1 / cpuUs(one)),
    valid: !wantsBusy || median(measurements.map(busiest)) >= leastBusy,
    figures: figuresOf(measurements),
    rounds: measurements.map((one) => ({ perSecond: perSecond(one), cpuUs: cpuUs(one), busy: busiest(one) })),
  };
}

function figuresOf(measurements: readonly Measurement[]): Record<string, number> {
  const names = Object.keys(measurements[0]?.figures ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(measurements.map(({ figures }) => figures?.[name] ?? 0))]),
  );
}

function perSecond({ operations, wallMs }: Measurement): number {
  return (operations * 1_000) / wallMs;
}

function cpuUs({ operations, processes }: Measurement): number {
  return (Math.max(0, ...processes.map(({ cpuMs }) => cpuMs)) * 1_000) / operations;
}

function cpuMsOf({ processes }: Measurement, role: string): number {
  return processes.find((one) => one.role === role)?.cpuMs ?? 0;
}

function busiest({ processes, wallMs }: Measurement): number {
  return Math.max(0, ...processes.map(({ cpuMs }) => cpuMs / wallMs));
}
