import { setTimeout as pause } from 'node:timers/promises';
import { HttpClient, type Outcome } from './client.ts';
import { Fleet, type FleetOptions, host, pagePath, portsOfFleet } from './fleet.ts';
import { type LoadOptions, type LoadResult, startLoad } from './load.ts';
import { startWrk, type WrkResult } from './wrk.ts';

/** What of a scenario's load may fail. */
export type Allowed =
  /** Nothing. */
  | 'nothing'
  /** Answers whose first byte had gone out when their sender died: nobody can take them back. */
  | 'truncated'
  /** Some, which are reported; but nothing once all of it is over. */
  | 'some';

/** Something that is done to the fleet while it is under load. */
export interface Scenario {
  /** Short, for the command line. */
  readonly id: string;
  readonly title: string;
  readonly allowed: Allowed;
  /** Only in the long form. */
  readonly longOnly?: boolean;
  /** What it needs and this machine has not; then it is skipped, and says so. */
  readonly lacks?: () => string | undefined;
  readonly fleet?: Omit<FleetOptions, 'port'>;
  /** What of the load is not the usual. */
  readonly load?: (fleet: Fleet) => Partial<LoadOptions> | Promise<Partial<LoadOptions>>;
  run(stage: Stage): Promise<void>;
}

/** Where a scenario acts. */
export interface Stage {
  readonly fleet: Fleet;
  /** The long form takes its time. */
  readonly long: boolean;
  /** Waits; shorter in the short form if it says so. */
  pause(ms: number, inShortFormMs?: number): Promise<void>;
  /** Marks the moment in the picture. */
  mark(what: string): void;
}

export interface Mark {
  readonly atMs: number;
  readonly what: string;
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly load: LoadResult;
  readonly marks: readonly Mark[];
  /** Why it does not hold; empty: it holds. */
  readonly mistakes: readonly string[];
}

export interface WrkScenarioResult {
  readonly scenario: Scenario;
  readonly wrk: WrkResult;
  readonly mistakes: readonly string[];
}

export interface RunOptions {
  readonly port: number;
  readonly long: boolean;
  readonly ratePerSecond: number;
  /** A fleet that serves already, for scenarios that need none of their own. */
  readonly shared?: Fleet | undefined;
}

/** Before the first fault and after the last one, so that the picture shows what is normal. */
const quietMs = 1_500;

/** Requests that were due later than this before the end belong to the time after the fault. */
const afterMs = 1_000;

/** The short form waits less for callers to see that somebody leaves. */
export const shortForm = { drainNoticeMs: 1_000 } as const;

/** Longer than any scenario. */
const longestMs = 300_000;

/** Starts a fleet, puts it under load, lets the scenario act, and counts. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  return withFleet(scenario, options, async (fleet) => {
    const own = await scenario.load?.(fleet);
    const startedAt = performance.now();
    const marks: Mark[] = [];
    const load = startLoad({
      host,
      port: fleet.gatewayPort,
      path: pagePath,
      ratePerSecond: options.ratePerSecond,
      durationMs: longestMs,
      ...own,
    });
    await act(scenario, fleet, options, (what) => void marks.push({ atMs: performance.now() - startedAt, what }));
    const result = await load.stop();
    return { scenario, load: result, marks, mistakes: mistakesIn(result, scenario.allowed) };
  });
}

/** The same with `wrk`, which asks as fast as answers come: the fleet is saturated all the time. */
export async function runUnderWrk(
  scenario: Scenario,
  options: RunOptions & { readonly connections: number },
): Promise<WrkScenarioResult> {
  return withFleet(scenario, options, async (fleet) => {
    const url = `http://${host}:${fleet.gatewayPort}${pagePath}`;
    const wrk = startWrk({ url, connections: options.connections, durationMs: longestMs, timeoutMs: 10_000 });
    await act(scenario, fleet, options, () => {});
    const result = await wrk.stop();
    const errors = { ...result.socketErrors, 'status from 400 on': result.badStatus };
    const mistakes = Object.entries(errors).filter(([, count]) => count > 0);
    return { scenario, wrk: result, mistakes: mistakes.map(([what, count]) => `${count} requests: ${what}`) };
  });
}

async function act(
  scenario: Scenario,
  fleet: Fleet,
  { long }: RunOptions,
  mark: (what: string) => void,
): Promise<void> {
  await pause(quietMs);
  await scenario.run({ fleet, long, pause: (ms, shortMs = ms) => pause(long ? ms : shortMs), mark });
  await pause(quietMs);
}

async function withFleet<R extends { readonly mistakes: readonly string[] }>(
  scenario: Scenario,
  { port, long, shared }: RunOptions,
  use: (fleet: Fleet) => Promise<R>,
): Promise<R> {
  if (shared && !scenario.fleet) return use(shared);
  const fleet = new Fleet({
    port: shared ? port + portsOfFleet : port,
    ...(long ? undefined : shortForm),
    ...scenario.fleet,
  });
  try {
    await fleet.start();
    await untilWhole(fleet);
    const result = await use(fleet);
    if (result.mistakes.length === 0) fleet.forget();
    return result;
  } finally {
    await fleet.end();
  }
}

/** Waits until the page is there with all its parts. */
export async function untilWhole(fleet: Fleet): Promise<void> {
  const client = new HttpClient({ host, port: fleet.gatewayPort, maxConnections: 1 });
  for (let tries = 0; ; tries++) {
    const { outcome, body } = await client.send({ path: pagePath, timeoutMs: 5_000 });
    if (outcome === 'ok' && /"missing":\[\]/.test(body)) break;
    if (tries === 100) throw new Error(`the page did not become whole: ${outcome} ${body}`);
    await pause(100);
  }
  client.close();
}

function mistakesIn({ outcomes, seconds, driverWasBusy }: LoadResult, allowed: Allowed): string[] {
  if (driverWasBusy) console.warn('the driver was behind its schedule: read the times with care');
  if (allowed === 'some') {
    const last = seconds.slice(-Math.ceil(afterMs / 1_000)).reduce((sum, { failed }) => sum + failed, 0);
    return last === 0 ? [] : [`${last} requests failed after everything was well again`];
  }
  const forbidden = [...outcomes].filter(([outcome]) => isFailure(outcome, allowed));
  return forbidden.map(([outcome, count]) => `${count} requests: ${outcome}`);
}

function isFailure(outcome: Outcome, allowed: Allowed): boolean {
  return outcome !== 'ok' && !(allowed === 'truncated' && outcome === 'truncated');
}
