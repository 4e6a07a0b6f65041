import { cores, type Program, startProgram } from '../harness/processes.ts';
import type { Phase } from './load.ts';
import type { Slice } from './slice.ts';
import type { Subject } from './subjects.ts';

/** How long everything takes, in milliseconds. */
export interface Plan {
  readonly warmMs: number;
  readonly capacityMs: number;
  readonly restMs: number;
  readonly overloadMs: number;
  /** How many times what the server can do is offered. */
  readonly times: number;
  /** Rounds of computing in a request. */
  readonly rounds: number;
}

/** What one server did at rest, under overload, and at rest again. */
export interface Run {
  readonly subject: Subject;
  readonly plan: Plan;
  /** Answers per second when as many ask as it can serve, measured just before. */
  readonly capacity: number;
  /** The same per second of CPU time: what it could do if it had its core for itself. */
  readonly capacityPerCpuSecond: number;
  /** How long all of it took. */
  readonly wallMs: number;
  /** CPU time of the server over the whole run. */
  readonly cpuMs: number;
  /** How long it was ready to run meanwhile, and others had its core. */
  readonly waitedMs: number;
  readonly rssMb: number;
  readonly slices: readonly Slice[];
}

/** A fifth of what it can do is rest. */
const restShare = 0.2;
/** Callers who make a server busy all the time. */
const concurrency = 16;

/** Finds what a server can do without limits, then offers more to another one that has them. */
export async function measure(subject: Subject, plan: Plan): Promise<Run> {
  const { restMs, overloadMs } = plan;
  const load = await startProgram('overload/load.ts', [], cores.others);
  try {
    const { capacity, capacityPerCpuSecond } = await withServer(subject, plan, 'unlimited', (server) =>
      capacityOf(subject, plan, server, load),
    );
    return await withServer(subject, plan, 'limited', async (server) => {
      const at = { transport: subject.transport, port: server.ready['port'] };
      const rest = { perSecond: capacity * restShare, ms: restMs };
      await load.ask({ ask: 'open', ...at, phases: [{ ...rest, ms: plan.warmMs }] });
      const before = await server.ask({ ask: 'used' });
      const phases: readonly Phase[] = [rest, { perSecond: capacity * plan.times, ms: overloadMs }, rest];
      const { slices } = await load.ask({ ask: 'open', ...at, phases });
      const after = await server.ask({ ask: 'used' });
      return {
        subject,
        plan,
        capacity,
        capacityPerCpuSecond,
        wallMs: since(before, after, 'atMs'),
        cpuMs: since(before, after, 'cpuMs'),
        waitedMs: since(before, after, 'waitedMs'),
        rssMb: Number(after['rss']) / 1e6,
        slices: slices as Slice[],
      };
    });
  } finally {
    await load.stop();
  }
}

async function capacityOf(
  { transport }: Subject,
  plan: Plan,
  server: Program,
  load: Program,
): Promise<Pick<Run, 'capacity' | 'capacityPerCpuSecond'>> {
  const closed = (ms: number): ReturnType<typeof load.ask> =>
    load.ask({ ask: 'closed', transport, port: server.ready['port'], ms, concurrency });
  await closed(plan.warmMs);
  const before = await server.ask({ ask: 'used' });
  const { answered, seconds } = await closed(plan.capacityMs);
  const after = await server.ask({ ask: 'used' });
  return {
    capacity: Number(answered) / Number(seconds),
    capacityPerCpuSecond: Number(answered) / (since(before, after, 'cpuMs') / 1_000),
  };
}

type Used = Readonly<Record<string, unknown>>;

function since(before: Used, after: Used, what: 'atMs' | 'cpuMs' | 'waitedMs'): number {
  return Number(after[what]) - Number(before[what]);
}

async function withServer<T>(
  subject: Subject,
  { rounds }: Plan,
  limited: 'limited' | 'unlimited',
  use: (server: Program) => Promise<T>,
): Promise<T> {
  const server = await startProgram('overload/servers.ts', [subject.server, String(rounds), limited], cores.measured);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}
