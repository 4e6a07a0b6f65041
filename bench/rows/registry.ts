import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf, threadsCpuMsOf, warmUp } from '../harness/cpu.ts';
import { assertCount, type Measurement, type Row, type Subject } from '../harness/measurement.ts';
import type { Plan } from '../harness/plan.ts';
import { cores, type Program, profiled, startProgram } from '../harness/processes.ts';
import type { LoadKind } from '../registry/requests.ts';
import {
  asGuided,
  deltaRetention,
  hasEurekaServer,
  keepConnections,
  pinToOne,
  type RegistryServer,
  residentMb,
  startJava,
  startOurs,
} from '../registry/servers.ts';

type Counts = Readonly<Record<string, number>>;

/** What is measured of one server, in one life of it, in this order. */
const kinds: readonly LoadKind[] = ['heartbeat', 'registration', 'fetch', 'delta'];
const user = 'bench:a-password-of-the-bench';

interface Contestant {
  readonly id: string;
  readonly title: string;
  readonly user: string;
  readonly start: (retentionMs: number) => Promise<RegistryServer>;
}

function java(id: string, title: string, heap: readonly string[], settings: readonly string[]): Contestant {
  return {
    id,
    title,
    user: '',
    start: (retentionMs) => startJava(heap, [...settings, ...deltaRetention(retentionMs)]),
  };
}

const contestants: readonly Contestant[] = [
  ...(hasEurekaServer(console.log)
    ? [
        java('java', 'Spring Eureka server 2025.0, as its guide sets it up', [], asGuided),
        java('java-alone', 'the same, told that it has no peer, and to keep connections', [], [keepConnections]),
        java('java-256m', 'the same as the first, with -Xmx256m', ['-Xmx256m'], asGuided),
      ]
    : []),
  {
    id: 'flotilla',
    title: 'Flotilla, durable',
    user: '',
    start: (retentionMs) => startOurs({ deltaRetentionMs: retentionMs }),
  },
  {
    id: 'flotilla-users',
    title: 'Flotilla, durable, with users (limits for one client raised: one is the whole fleet)',
    user,
    start: (retentionMs) => startOurs({ user, deltaRetentionMs: retentionMs }),
  },
];

/** All that one life of a server gave, until the rows have taken it. */
const measured = new Map<string, Measurement[]>();

const instancesOf = (plan: Plan): number => (plan.quick ? 300 : 10_000);
const connections = 32;

/** A change stays in the delta this long, at all servers alike, so that a delta need not be everybody. */
const retentionOf = (plan: Plan): number => (plan.quick ? 2_000 : 10_000);
/** Until a Java server has noticed that changes are over, and made its answer anew. */
const noticesMs = 1_300;
/** Who changes before deltas are measured: one in a hundred. */
const changedOf = (plan: Plan): number => instancesOf(plan) / 100;

export const heartbeats: Row = throughput('heartbeat', '10 × the Java server on one core');
export const registrations: Row = throughput('registration', '5 × the Java server on one core');
export const fullFetches: Row = throughput('fetch', 'none');
export const deltas: Row = throughput('delta', 'none');

/** Memory and start: figures of the same lives. */
export const footprint: Row = {
  id: 'registry-footprint',
  title: 'Registry with 10,000 instances: resident memory after the load above, and time from process to first answer',
  kind: 'figures',
  reference: contestants[0]?.id ?? 'flotilla',
  operation: 'life',
  budget: 'a tenth of the Java server’s memory',
  subjects: contestants.map((one) => subject(one, 'footprint')),
};

function throughput(kind: LoadKind, budget: string): Row {
  const titles = {
    heartbeat: 'Heartbeat',
    registration: 'Registration',
    fetch: 'Fetch of everybody',
    delta: 'Delta with 100 changes (they stay in it for 10 s, at all servers)',
  };
  return {
    id: `registry-${kind}`,
    title: `${titles[kind]}, 10,000 instances registered, ${connections} connections`,
    kind: 'throughput',
    reference: contestants[0]?.id ?? 'flotilla',
    operation: kind,
    budget,
    subjects: contestants.map((one) => subject(one, kind)),
  };
}

/** The first row that asks has all of them measured; the others find theirs. */
function subject(contestant: Contestant, what: LoadKind | 'footprint'): Subject {
  return {
    id: contestant.id,
    title: contestant.title,
    async measure(plan) {
      const key = `${contestant.id} ${what}`;
      if ((measured.get(key)?.length ?? 0) === 0) await measureLife(contestant, plan);
      return measured.get(key)?.shift() as Measurement;
    },
  };
}

/** Our registry under heartbeats, for a profile. */
export async function profileRegistry(plan: Plan, kind: LoadKind, profile: string): Promise<Measurement> {
  const server = await startOurs();
  const driver = await startProgram('registry/driver.ts', [String(server.port)], cores.others);
  try {
    await fill(driver, plan);
    await warm(server, driver, plan, kind);
    const program = server.program as Program;
    return await profiled(program, profile, () => measureKind(server, driver, plan, kind));
  } finally {
    await driver.stop();
    await server.stop();
  }
}

async function measureLife(contestant: Contestant, plan: Plan): Promise<void> {
  const server = await contestant.start(retentionOf(plan));
  const driver = await startProgram('registry/driver.ts', [String(server.port), contestant.user], cores.others);
  const note = (what: string, measurement: Measurement): void => {
    const key = `${contestant.id} ${what}`;
    measured.set(key, [...(measured.get(key) ?? []), measurement]);
  };
  const ofLife = new Map<LoadKind, Measurement>();
  try {
    await fill(driver, plan);
    for (const kind of kinds) await warm(server, driver, plan, kind);
    if (!server.program) await warmJava(server, driver, plan);
    for (const kind of kinds) {
      if (kind === 'delta') await changeSome(driver, plan);
      const measurement = await measureKind(server, driver, plan, kind);
      ofLife.set(kind, measurement);
      note(kind, measurement);
    }
    checkDelta(ofLife, plan);
    const figures = { 'MB resident': residentMb(server.pid), 'ms to start': server.startMs };
    note('footprint', { operations: 1, wallMs: server.startMs, processes: [], figures });
    await checkCounts(server, plan);
  } finally {
    await driver.stop();
    await server.stop();
  }
}

/** A cold Java server takes its time, and a program may not be silent for as long as that: so in parts. */
async function fill(driver: Program, plan: Plan): Promise<void> {
  const all = instancesOf(plan);
  await driver.ask({ ask: 'connect', count: connections });
  for (let from = 0; from < all; from += 1_000) {
    const upTo = Math.min(all, from + 1_000);
    const filled = (await driver.ask({ ask: 'fill', from, instances: upTo })) as Counts;
    assertCount('registrations that were answered', filled['operations'] ?? -1, upTo - from);
    assertCount('registrations refused', filled['refused'] ?? -1, 0);
  }
}

/** What changed before is over, and then a few change. */
async function changeSome(driver: Program, plan: Plan): Promise<void> {
  await sleep(retentionOf(plan) + noticesMs);
  const changed = (await driver.ask({ ask: 'fill', from: 0, instances: changedOf(plan) })) as Counts;
  assertCount('registrations refused', changed['refused'] ?? -1, 0);
  await sleep(noticesMs / 2);
}

/** A delta that is everybody would be a full fetch under another name. */
function checkDelta(ofLife: ReadonlyMap<LoadKind, Measurement>, plan: Plan): void {
  const bytes = (kind: LoadKind): number => ofLife.get(kind)?.figures?.['bytes each'] ?? Number.NaN;
  // A short round on a cold, busy machine may come before a server has forgotten what filled it.
  const most = plan.quick ? 2 * bytes('fetch') : bytes('fetch') / 4;
  assertCount('bytes of a delta', bytes('delta'), changedOf(plan) * leastBytes, most);
}

/** Of a compressed instance, at the very least. */
const leastBytes = 20;

async function warm(server: RegistryServer, driver: Program, plan: Plan, kind: LoadKind): Promise<void> {
  await warmUp([server.pid], plan.warmMs, async () => {
    await run(driver, plan, kind, plan.warmMs / 2);
  });
}

/** Threads of the JVM that compile what runs often. */
const compilers = /^C[12] Compiler/;
/** Compiled is what takes less than this share of the time to go on compiling. */
const compiledShare = 0.05;
/** CPU time after which a Java server is measured as it is; on a machine of its own it takes half of that. */
const mostWarmingMs = 300_000;

/**
 * All kinds in turn until its compiler has little left to do; then for one more turn, on the core on which it is measured.
 * How fast it is tells less: for half a minute under full load it seems flat at a quarter of what it comes to.
 */
async function warmJava(server: RegistryServer, driver: Program, plan: Plan): Promise<void> {
  if (!plan.quick) {
    const until = cpuMsOf(server.pid) + mostWarmingMs;
    while ((await compilingShare(server, driver, plan)) >= compiledShare) {
      if (cpuMsOf(server.pid) < until) continue;
      console.log('!!! a Java server still compiles: what is measured of it now is worse than what it comes to');
      break;
    }
  }
  await pinToOne(server);
  if (!plan.quick) await compilingShare(server, driver, plan);
}

async function compilingShare({ pid }: RegistryServer, driver: Program, plan: Plan): Promise<number> {
  const [allBefore, compilingBefore] = [cpuMsOf(pid), threadsCpuMsOf(pid, compilers)];
  for (const kind of kinds) await run(driver, plan, kind, 3_000);
  return (threadsCpuMsOf(pid, compilers) - compilingBefore) / (cpuMsOf(pid) - allBefore);
}

async function measureKind(server: RegistryServer, driver: Program, plan: Plan, kind: LoadKind): Promise<Measurement> {
  const before = cpuMsOf(server.pid);
  const { operations = 0, wallMs = 0, bytes = 0 } = await run(driver, plan, kind, plan.measureMs);
  const cpuMs = cpuMsOf(server.pid) - before;
  const figures = { 'bytes each': bytes / operations };
  return { operations, wallMs, processes: [{ role: 'registry', cpuMs }], figures };
}

async function run(driver: Program, plan: Plan, kind: LoadKind, ms: number): Promise<Counts> {
  const ran = (await driver.ask({ ask: 'run', kind, instances: instancesOf(plan), ms })) as Counts;
  assertCount(`${kind}s refused`, ran['refused'] ?? -1, 0);
  assertCount('connections that broke', ran['broken'] ?? -1, 0);
  return ran;
}

/** Ours says itself what it did. */
async function checkCounts({ program }: RegistryServer, plan: Plan): Promise<void> {
  if (!program) return;
  const counts = (await program.ask({ ask: 'count' })) as Counts;
  assertCount('instances listed', counts['instances'] ?? -1, instancesOf(plan));
  assertCount('changes that could not be saved', counts['failedSaves'] ?? -1, 0);
}
