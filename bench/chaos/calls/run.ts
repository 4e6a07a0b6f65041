import { setTimeout as pause } from 'node:timers/promises';
import type { Outcome, Stage } from '../stage.ts';
import type { Called } from './caller.ts';
import { type Caller, callersOfFleet, type Worker, workFleet } from './fleet.ts';
import { Traffic } from './traffic.ts';

/** What is done to a fleet, and what must hold meanwhile. */
export interface Fault {
  /** Flags of the callers. */
  readonly flags?: readonly string[];
  /** And more of their environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Who is spoilt. */
  readonly odd: (workers: readonly Worker[]) => readonly (Worker | undefined)[];
  /** Spoils them, and ends when they are well again. */
  readonly run: (odd: readonly Worker[]) => Promise<void>;
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
  /** From its end until the last call that failed. */
  readonly failingMs?: number;
  /** Nobody may be ejected, and nothing be tried again. */
  readonly patient?: boolean;
}

const ratePerCaller = 150;
const everyMs = 20;
/** Until everybody is connected, and code is compiled: times of these calls are not looked at. */
const warmUpMs = 1_500;
const beforeMs = 1_500;
const afterMs = 1_000;
const backLimitMs = 60_000;
/** When one call in a hundred is later than this, the callers do not keep their schedule. */
const lateMs = 20;

/** As every client has it: a fifth of the requests, and ten a second on top, over ten seconds. */
const budget = { fraction: 0.2, perSecond: 10, windowMs: 10_000 } as const;

/** Callers call at a rate, some instances are spoilt and well again, and what callers had of it is judged. */
export async function under({ port, long }: Stage, fault: Fault): Promise<Outcome> {
  const fleet = await workFleet(port);
  const crashesBefore = fleet.place.crashes.length;
  const odd = fault.odd(fleet.workers).filter((worker) => worker !== undefined);
  const callers = await fleet.call(fault.flags ?? [], fault.env);
  const watched = watch(callers);
  try {
    for (const caller of callers) caller.begin(ratePerCaller);
    await pause(warmUpMs);
    const startedAt = Date.now();
    await pause(beforeMs);
    const faultAt = Date.now();
    await fault.run(odd);
    const wellAt = Date.now();
    const ports = new Set(odd.map((worker) => worker.port));
    if (long && fault.bounds.backMs !== undefined) await untilBack(watched.traffic, ports, wellAt);
    await pause(afterMs + (fault.bounds.failingMs ?? 0));
    const endedAt = Date.now();
    const called = (await Promise.all(callers.map((caller) => caller.end()))).flat();
    const counts = await countAll(callers);
    await watched.end();
    const story: Story = { startedAt, faultAt, wellAt, endedAt, called, ...counts, ports, traffic: watched.traffic };
    const outcome = judge(story, fault.bounds, long);
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
  /** Calls that were not tried again for want of budget. */
  readonly overBudget: number;
  readonly hedges: number;
  readonly ejections: number;
}

async function countAll(callers: readonly Caller[]): Promise<Counts> {
  const sum = async (metric: string, labels: string): Promise<number> =>
    (await Promise.all(callers.map((caller) => caller.count(metric, labels)))).reduce((all, one) => all + one, 0);
  return {
    retries: await sum('flotilla_retries_total', 'result="repeated"'),
    overBudget: await sum('flotilla_retries_total', 'result="over_budget"'),
    hedges: await sum('flotilla_policy_events_total', 'policy="hedge",kind="sent"'),
    ejections: await sum('flotilla_ejections_total', ''),
  };
}

/** Everything that was seen of one scenario. */
interface Story extends Counts {
  readonly startedAt: number;
  readonly faultAt: number;
  readonly wellAt: number;
  readonly endedAt: number;
  readonly called: readonly Called[];
  readonly ports: ReadonlySet<number>;
  readonly traffic: Traffic;
}

/** @param long whether it was waited until traffic was back */
function judge(story: Story, bounds: Bounds, long: boolean): Outcome {
  const { called, startedAt, faultAt, wellAt, ports, traffic, retries, overBudget, hedges, ejections } = story;
  const failed = called.filter(([, , , code]) => code !== '');
  const success = called.length === 0 ? 0 : 1 - failed.length / called.length;
  const late = quantile(
    called.filter(([due]) => due >= startedAt).map(([, ms]) => ms),
    0.99,
  );
  const left = since(traffic.leftAt(ports, faultAt), faultAt);
  const back = since(traffic.backAt(ports, wellAt), wellAt);
  const lastFailedAt = failed.reduce((last, [due]) => Math.max(last, due), 0);
  const allowed = budgetOf(story);
  const mistakes: string[] = [];
  if (success < bounds.success)
    mistakes.push(`${percent(success)} answered, not ${percent(bounds.success)}: ${codesOf(failed)}`);
  if (retries + hedges > allowed) mistakes.push(`${retries} retries and ${hedges} hedges; the budget is ${allowed}`);
  if (bounds.patient && ejections + retries > 0)
    mistakes.push(`taken for dead: ${retries} calls were repeated, it was ejected ${ejections} times`);
  if (bounds.failingMs !== undefined && lastFailedAt > wellAt + bounds.failingMs)
    mistakes.push(`calls failed until ${duration(lastFailedAt - wellAt)} after all was well`);
  const inTime = (what: string, ms: number | undefined, limit: number | undefined): void => {
    if (limit === undefined || late > lateMs) return;
    if (ms === undefined || ms > limit) mistakes.push(`${what} after ${duration(ms)}, not within ${limit} ms`);
  };
  inTime('traffic left', left, bounds.leftMs);
  if (long) inTime('traffic was back', back, bounds.backMs);
  const p99 = (from: number, to: number): string => {
    const took = called.filter(([due]) => due >= from && due < to).map(([, , ms]) => ms);
    return quantile(took, 0.99).toFixed(0);
  };
  const row = {
    calls: String(called.length),
    answered: `${percent(success)}${failed.length > 0 ? ` (${codesOf(failed)})` : ''}`,
    'p99 before / during / after, ms': [p99(startedAt, faultAt), p99(faultAt, wellAt), p99(wellAt, Infinity)].join(
      ' / ',
    ),
    'retries + hedges (budget)': `${retries} + ${hedges} (${allowed})`,
    'over budget': String(overBudget),
    'traffic left after': duration(left),
    'ejected after': duration(since(traffic.ejectedAt(ports, faultAt), faultAt)),
    ejections: String(ejections),
    'traffic back after': long ? duration(back) : 'not waited for',
  };
  const busy =
    late > lateMs ? [`callers were ${late.toFixed(0)} ms late: times are the machine’s, and were not judged`] : [];
  return { facts: [...Object.entries(row).map(([name, value]) => `${name}: ${value}`), ...busy], mistakes, row };
}

/** The most retries that the budgets of all callers allow: what was asked pays for some, and each window for some more. */
function budgetOf({ called, endedAt }: Story): number {
  const from = called.reduce((first, [due]) => Math.min(first, due), endedAt);
  const windows = Math.ceil((endedAt - from) / budget.windowMs);
  return Math.floor(
    budget.fraction * called.length + (windows * callersOfFleet * budget.perSecond * budget.windowMs) / 1_000,
  );
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
