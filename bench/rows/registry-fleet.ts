import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from '../harness/cpu.ts';
import { assertCount, type Measurement, type Row, type Subject } from '../harness/measurement.ts';
import type { Plan } from '../harness/plan.ts';
import { cores, mostConnections, type Program, startProgram } from '../harness/processes.ts';
import { instanceAt } from '../registry/fleet.ts';
import { hasEurekaServer, type RegistryServer, residentMb, startJava, startOurs } from '../registry/servers.ts';

type Counts = Readonly<Record<string, number>>;

/** How large a fleet is. */
interface Size {
  readonly instances: number;
  readonly connections: number;
}

const sizes: readonly Size[] = [
  { instances: 1_000, connections: 1_000 },
  { instances: 10_000, connections: 2_000 },
  { instances: 100_000, connections: 2_000 },
  { instances: 100_000, connections: mostConnections(20_000) },
];

/** One registry in the rhythm of a real fleet: everybody renews every 30 s, one in a thousand changes every second. */
export const growth: Row = {
  id: 'registry-growth',
  title:
    'Registry with a fleet of which everybody renews every 30 s, while somebody changes, lists and looks every second',
  kind: 'figures',
  reference: 'none',
  operation: 'renewal',
  budget: '100,000 instances over 2,000 connections: 40 % of a core, 500 MB, no stall over 50 ms',
  leftOutOf: ['full'],
  subjects: sizes.map(growthSubject),
};

/** From a registration to everybody who has to know. */
export const watchers: Row = {
  id: 'registry-watchers',
  title: 'From a registration to 1,000 callers of its service',
  kind: 'figures',
  reference: 'none',
  operation: 'change',
  budget: '99 % within 50 ms',
  subjects: [
    { id: 'flotilla', title: 'Flotilla: push', measure: (plan) => measureWatchers(plan, 'push', () => startOurs()) },
  ],
};

/** The same with a Java server and its clients, at the settings that both come with: minutes. */
export const clients: Row = {
  id: 'registry-clients',
  title: 'From a registration at a Spring Eureka server to 1,000 clients, all at the settings that they come with',
  kind: 'figures',
  reference: 'none',
  operation: 'change',
  budget: 'none: what the row above is measured against',
  leftOutOf: ['quick', 'full'],
  subjects: hasEurekaServer(() => undefined)
    ? [{ id: 'java', title: 'Spring Eureka server: clients fetch every 30 s', measure: measureJavaClients }]
    : [],
};

function growthSubject(size: Size, position: number): Subject {
  const { instances, connections } = size;
  return {
    id: `size-${position}`,
    title: `${instances.toLocaleString('en-US')} instances, ${connections.toLocaleString('en-US')} connections`,
    measure: (plan) =>
      measureGrowth(plan.quick ? { instances: instances / 200, connections: connections / 100 } : size, plan),
  };
}

async function measureGrowth({ instances, connections }: Size, plan: Plan): Promise<Measurement> {
  const server = await startOurs({
    saveDelayMs: plan.quick ? 500 : 10_000,
    deltaRetentionMs: plan.quick ? 500 : 10_000,
  });
  const driver = await startProgram('registry/driver.ts', [String(server.port)], cores.others);
  const reader = await startProgram('registry/reader.ts', [String(server.port)], cores.others);
  const program = server.program as Program;
  try {
    await driver.ask({ ask: 'connect', count: 32 });
    for (let from = 0; from < instances; from += fillAtOnce) {
      const filled = (await driver.ask({
        ask: 'fill',
        from,
        instances: Math.min(instances, from + fillAtOnce),
      })) as Counts;
      assertCount('registrations refused', filled['refused'] ?? -1, 0);
    }
    const before = await memoryOf(program);
    const opened = (await driver.ask({ ask: 'connect', count: connections })) as Counts;
    assertCount('connections', opened['connections'] ?? -1, connections);
    const paced = (ms: number): Promise<Counts> =>
      driver.ask({ ask: 'paced', instances, everyMs: plan.quick ? 1_000 : 30_000, ms }) as Promise<Counts>;
    const measureMs = plan.quick ? 1_000 : 30_000;
    const leavers = (await driver.ask({ ask: 'leavers', from: instances, count: leaversOf(instances) })) as Counts;
    assertCount('registrations refused', leavers['refused'] ?? -1, 0);
    await paced(plan.quick ? 300 : 10_000); // compiled, and a third around
    await reader.ask({ ask: 'look', second: 0 }); // the first list is written whole, the others as far as something changed
    await program.ask({ ask: 'stall' });
    const startedAt = cpuMsOf(server.pid);
    const ended = new AbortController();
    const others = lookAndChange(reader, ended.signal);
    const ran = await paced(measureMs);
    ended.abort();
    await others;
    const cpuMs = cpuMsOf(server.pid) - startedAt;
    const stalls = (await program.ask({ ask: 'stall' })) as Counts;
    const after = residentMb(server.pid);
    assertCount('heartbeats refused', ran['refused'] ?? -1, 0);
    assertCount('heartbeats answered', ran['operations'] ?? -1, ran['due'] ?? -2);
    assertCount('connections that broke', ran['broken'] ?? -1, 0);
    await allLeft(program, instances, plan);
    const counts = (await program.ask({ ask: 'count' })) as Counts;
    assertCount('changes that could not be saved', counts['failedSaves'] ?? -1, 0);
    const wallMs = ran['wallMs'] ?? 1;
    return {
      operations: ran['operations'] ?? 0,
      wallMs,
      processes: [{ role: 'registry', cpuMs }],
      figures: {
        '% of a core': (100 * cpuMs) / wallMs,
        'MB resident': after,
        'kB an instance': (1_000 * (before.usedMb - before.emptyMb)) / instances,
        'kB a connection': (1_000 * (after - before.residentMb)) / connections,
        'ms longest stall': stalls['longest'] ?? Number.NaN,
        'while saving': stalls['save'] ?? Number.NaN,
        'of CPU in a sweep': stalls['timer'] ?? Number.NaN,
        'in a collection': stalls['gc'] ?? Number.NaN,
        'ms p99 of a heartbeat': ran['p99'] ?? Number.NaN,
      },
    };
  } finally {
    await reader.stop();
    await driver.stop();
    await server.stop();
  }
}

/** Of so many instances another one crashes at once, and is evicted while the others renew. */
const leaversOf = (instances: number): number => Math.ceil(instances / 50);

/** In a quick run their leases outlast it; in a full one all are evicted while it is measured. */
async function allLeft(program: Program, instances: number, plan: Plan): Promise<void> {
  const { instances: listed = -1 } = (await program.ask({ ask: 'count' })) as Counts;
  const still = plan.quick ? leaversOf(instances) : 0;
  assertCount('instances listed', listed, instances, instances + still);
}

/** So that no single answer of the driver takes longer than it may be silent. */
const fillAtOnce = 5_000;

/** Once a second somebody looks and changes something. */
async function lookAndChange(reader: Program, signal: AbortSignal): Promise<void> {
  for (let second = 1; !signal.aborted; second++) {
    await reader.ask({ ask: 'look', second });
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
}

async function memoryOf(program: Program): Promise<{ usedMb: number; emptyMb: number; residentMb: number }> {
  const { heapUsed = 0, emptyHeap = 0 } = (await program.ask({ ask: 'memory' })) as Counts;
  return { usedMb: heapUsed / 1e6, emptyMb: emptyHeap / 1e6, residentMb: residentMb(program.pid) };
}

async function measureWatchers(
  plan: Plan,
  how: 'push' | 'poll',
  start: () => Promise<RegistryServer>,
): Promise<Measurement> {
  const count = plan.quick ? 50 : 1_000;
  const changes = how === 'poll' ? (plan.quick ? 1 : 2) : plan.quick ? 3 : 20;
  const server = await start();
  const program = await startProgram('registry/watchers.ts', [String(server.port)], cores.others);
  try {
    const service = instanceAt(0).app.toLowerCase();
    const { ready } = (await program.ask({ ask: how, count, service, everyMs: plan.quick ? 1_000 : 30_000 })) as Counts;
    assertCount('callers', ready ?? -1, count);
    const waits: number[] = [];
    for (let index = 0; index < changes; index++) {
      const heard = (await program.ask({ ask: 'change', index })) as { readonly waits: readonly number[] };
      assertCount('callers that heard of it', heard.waits.length, count);
      waits.push(...heard.waits);
    }
    waits.sort((a, b) => a - b);
    const at = (share: number): number => waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? 0;
    const figures = { 'ms p50': at(0.5), 'ms p99': at(0.99), 'ms longest': at(1) };
    return { operations: waits.length, wallMs: at(1), processes: [], figures };
  } finally {
    await program.stop();
    await server.stop();
  }
}

/** In a quick run the clients fetch every second; the server's own cache still takes its time. */
function measureJavaClients(plan: Plan): Promise<Measurement> {
  return measureWatchers(plan, 'poll', () => startJava());
}
