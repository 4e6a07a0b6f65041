import { setTimeout as pause } from 'node:timers/promises';
import type { Outcome, Stage } from '../stage.ts';
import type { Called } from './caller.ts';
import { type Caller, type Worker, workFleet } from './fleet.ts';
import { Traffic } from './traffic.ts';

/** What is done to a fleet, and what must hold meanwhile. */
export interface Fault {
  /** Flags of the callers. */
  readonly flags?: readonly string[];
  /** Who is spoilt. */
  readonly odd: (workers: readonly Worker[]) => readonly (Worker | undefined)[];
  /** Spoils them, and ends when they are well again. */
  readonly run: (odd: readonly Worker[]) => Promise<void>;
  /** Whether a last part without the fault must be without failures. */
  readonly recovers?: boolean;
  readonly bounds: Bounds;
}

/** What must hold. Times count only while callers keep their own schedule: else they are the machine's. */
export interface Bounds {
  /** Least share of all calls that are answered, 0 to 1. */
  readonly success: number;
  /** From the fault until the odd ones have no traffic. */
  readonly leftMs?: number;
  /** From its end until they have it again. */
  readonly backMs?: number;
  /** Whether somebody has to be ejected, or nobody may be. Default: either. */
  readonly ejects?: boolean;
}

const ratePerCaller = 150;
const everyMs = 20;
const beforeMs = 2_000;
const afterMs = 2_000;
const backLimitMs = 60_000;
/** Callers that are later than this do not keep their schedule. */
const lateMs = 100;

/** As every client has it: a fifth of the requests, and ten a second on top, over ten seconds. */
const budget = { fraction: 0.2, perSecond: 10, windowMs: 10_000 } as const;

/** Callers call at a rate, some instances are spoilt and well again, and what callers had of it is judged. */
export async function under({ port }: Stage, fault: Fault): Promise<Outcome> {
  const fleet = await workFleet(port);
  const crashesBefore = fleet.place.crashes.length;
  const odd = fault.odd(fleet.workers).filter((worker) => worker !== undefined);
  const callers = await fleet.call(fault.flags ?? []);
  const watched = watch(callers);
  try {
    for (const caller of callers) caller.begin(ratePerCaller);
    await pause(beforeMs);
    const faultAt = Date.now();
    await fault.run(odd);
    const wellAt = Date.now();
    const ports = new Set(odd.map((worker) => worker.port));
    if (fault.bounds.backMs !== undefined) await untilBack(watched.traffic, ports, wellAt);
    await pause(afterMs);
    const endedAt = Date.now();
    const called = (await Promise.all(callers.map((caller) => caller.end()))).flat();
    const counts = await countAll(callers);
    await watched.end();
    const story: Story = { faultAt, wellAt, endedAt, called, ...counts, ports, traffic: watched.traffic };
    const outcome = judge(story, fault);
    return { ...outcome, mistakes: [...outcome.mistakes, ...fleet.place.crashes.slice(crashesBefore)] };
  } finally {
    await watched.end();
    await Promise.all(callers.map((caller) => caller.kill()));
  }
}

/** Looks at all callers again and again. */
function watch(callers: readonly Caller[]): { readonly traffic: Traffic; end(): Promise<void> } {
  const traffic = new Traffic();
  let going = true;
  const looking = (async () => {
    while (going) {
      const at = Date.now();
      traffic.add(at, await Promise.all(callers.map((caller) => caller.explain())));
      await pause(Math.max(0, at + everyMs - Date.now()));
    }
  })();
  looking.catch(() => {}); // heard of in end()
  return {
    traffic,
    end() {
      going = false;
      return looking;
    },
  };
}

async function untilBack(traffic: Traffic, odd: ReadonlySet<number>, wellAt: number): Promise<void> {
  while (traffic.backAt(odd, wellAt) === undefined && Date.now() < wellAt + backLimitMs) await pause(100);
}

interface Counts {
  readonly retries: number;
  readonly hedges: number;
  readonly ejections: number;
}

async function countAll(callers: readonly Caller[]): Promise<Counts> {
  const sum = async (metric: string, labels: string): Promise<number> =>
    (await Promise.all(callers.map((caller) => caller.count(metric, labels)))).reduce((all, one) => all + one, 0);
  return {
    retries: await sum('flotilla_retries_total', 'result="repeated"'),
    hedges: await sum('flotilla_policy_events_total', 'policy="hedge",kind="sent"'),
    ejections: await sum('flotilla_ejections_total', ''),
  };
}

/** Everything that was seen of one scenario. */
interface Story extends Counts {
  readonly faultAt: number;
  readonly wellAt: number;
  readonly endedAt: number;
  readonly called: readonly Called[];
  readonly ports: ReadonlySet<number>;
  readonly traffic: Traffic;
}

function judge(story: Story, { bounds, recovers = false }: Fault): Outcome {
  const { called, faultAt, wellAt, endedAt, ports, traffic, retries, hedges, ejections } = story;
  const failed = called.filter(([, , , code]) => code !== '');
  const success = 1 - failed.length / called.length;
  const late = quantile(
    called.map(([, ms]) => ms),
    0.999,
  );
  const all = ports.size === 10;
  const left = all ? undefined : since(traffic.leftAt(ports, faultAt), faultAt);
  const back = all ? undefined : since(traffic.backAt(ports, wellAt), wellAt);
  const seconds = (endedAt - called.reduce((first, [due]) => Math.min(first, due), endedAt)) / 1_000;
  const allowed = Math.floor(
    budget.fraction * called.length + 2 * budget.perSecond * (seconds + budget.windowMs / 1_000),
  );
  const mistakes: string[] = [];
  if (called.length === 0) mistakes.push('nothing was called');
  if (success < bounds.success)
    mistakes.push(`${percent(success)} answered, not ${percent(bounds.success)}: ${codesOf(failed)}`);
  if (retries + hedges > allowed) mistakes.push(`${retries} retries and ${hedges} hedges; the budget is ${allowed}`);
  if (bounds.ejects === true && ejections === 0) mistakes.push('nobody was ejected');
  if (bounds.ejects === false && ejections > 0) mistakes.push(`declared dead: ejected ${ejections} times`);
  const lastFailed = failed.filter(([due]) => due > endedAt - afterMs / 2);
  if (recovers && lastFailed.length > 0) mistakes.push(`still failing at the end: ${codesOf(lastFailed)}`);
  const inTime = (what: string, ms: number | undefined, limit: number | undefined): void => {
    if (limit === undefined || late > lateMs) return;
    if (ms === undefined || ms > limit) mistakes.push(`${what} after ${duration(ms)}, not within ${limit} ms`);
  };
  inTime('traffic left', left, bounds.leftMs);
  inTime('traffic was back', back, bounds.backMs);
  const p99 = (from: number, to: number): string => {
    const took = called.filter(([due]) => due >= from && due < to).map(([, , ms]) => ms);
    return quantile(took, 0.99).toFixed(0);
  };
  const row = {
    calls: String(called.length),
    answered: `${percent(success)}${failed.length > 0 ? ` (${codesOf(failed)})` : ''}`,
    'p99 before / during / after, ms': [p99(0, faultAt), p99(faultAt, wellAt), p99(wellAt, Infinity)].join(' / '),
    'retries + hedges (budget)': `${retries} + ${hedges} (${allowed})`,
    'traffic left after': duration(left),
    'ejected after': duration(since(traffic.ejectedAt(ports, faultAt), faultAt)),
    ejections: String(ejections),
    'traffic back after': duration(back),
  };
  const busy =
    late > lateMs ? [`callers were ${late.toFixed(0)} ms late: times are the machine’s and were not judged`] : [];
  return { facts: [...Object.entries(row).map(([name, value]) => `${name}: ${value}`), ...busy], mistakes, row };
}

function since(at: number | undefined, from: number): number | undefined {
  return at === undefined ? undefined : at - from;
}

function duration(ms: number | undefined): string {
  return ms === undefined ? '-' : ms < 10_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function percent(share: number): string {
  return `${(Math.floor(share * 100_000) / 1_000).toString()} %`;
}

function codesOf(failed: readonly Called[]): string {
  const counts = new Map<string, number>();
  for (const [, , , code] of failed) counts.set(code, (counts.get(code) ?? 0) + 1);
  return Array.from(counts, ([code, count]) => `${count} × ${code}`).join(', ');
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
