import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dubboVersion, hasJavaPrograms } from '../harness/java.ts';
import { assertCount, type Measurement, type Row, type Subject } from '../harness/measurement.ts';
import type { Plan } from '../harness/plan.ts';
import { profiled } from '../harness/processes.ts';
import { type Counts, runPair, startPair } from './call-pair.ts';

/** Typed calls: a client on one core, a server on the other. */
export const calls: Row = {
  id: 'calls',
  title: 'Typed call between two processes, 150-byte answers, 64 at a time',
  kind: 'throughput',
  reference: 'reference',
  operation: 'call',
  budget: '0.7 of the reference, goal 0.85; above every peer',
  own: (folder) => (plan) => measureCalls('flotilla-rsocket', plan, {}, folder),
  subjects: [
    subject('reference', 'reference: bare JSON lines, gathered writes'),
    subject('flotilla', 'Flotilla, whole stack over HTTP/1.1'),
    subject('rsocket', 'RSocket engine, bare: no contract, no stack'),
    subject('flotilla-rsocket', 'Flotilla, whole stack over RSocket, one connection'),
    subject('flotilla-apart', 'Flotilla, whole stack over RSocket, ten connections'),
    subject('moleculer', `Moleculer ${versionOf('moleculer')}, TCP`),
    subject('nest', `Nest microservices ${versionOf('@nestjs/microservices')}, TCP`),
    subject('undici', `undici ${versionOf('undici')} and node:http, bare`),
    subject('grpc', `grpc-js ${versionOf('@grpc/grpc-js')}`),
    subject('connect', `connect-node ${versionOf('@connectrpc/connect-node')}, HTTP/2`),
    subject('trpc', `tRPC ${versionOf('@trpc/server')}, calls of one turn in one request`),
    ...(hasJavaPrograms(console.log) ? [subject('dubbo', `Java Dubbo ${dubboVersion()}, protocol dubbo, warmed`)] : []),
  ],
};

/** A JVM compiles later, and twice: by then it has done what it can. */
const javaWarmMs = 15_000;

function subject(id: string, title: string): Subject {
  return { id, title, measure: (plan) => measureCalls(id, plan) };
}

/** Starts both processes, warms up, measures, and compares what both counted. @param profiles files for them */
export async function measureCalls(
  id: string,
  plan: Plan,
  profiles: { readonly server?: string; readonly client?: string } = {},
  folder?: string,
): Promise<Measurement> {
  const warmMs = id === 'dubbo' && !plan.quick ? javaWarmMs : plan.warmMs;
  const pair = await startPair(id, { outstanding: plan.concurrency, folder }, warmMs);
  try {
    const { client, server } = pair;
    const clientRun = (): Promise<Counts> => profiled(client, profiles.client, () => runPair(pair, plan.measureMs));
    const ran = await profiled(server, profiles.server, clientRun);
    const counters = compare(
      (await client.ask({ ask: 'count' })) as Counts,
      (await server.ask({ ask: 'count' })) as Counts,
      id.startsWith('flotilla'),
    );
    return {
      operations: Number(ran['operations']),
      wallMs: Number(ran['wallMs']),
      processes: [
        { role: 'client', cpuMs: Number(ran['cpuMs']) },
        { role: 'server', cpuMs: Number(ran['serverMs']) },
      ],
      counters,
    };
  } finally {
    await pair.stop();
  }
}

function compare(client: Counts, server: Counts, wholeStack: boolean): Counts {
  const { calls: made = 0, invalid = 0, refused = 0, wrong = -1 } = client;
  const valid = made - invalid;
  assertCount('wrong answers', wrong, 0);
  assertCount('calls that the handler ran', server['handled'] ?? -1, valid);
  if (!wholeStack) return { made };
  assertCount('invalid calls sent', invalid, Math.floor(made / 1_000));
  assertCount('invalid calls refused', refused, invalid);
  assertCount('inputs validated', server['validatedInputs'] ?? -1, made);
  assertCount('outputs validated', server['validatedOutputs'] ?? -1, valid);
  assertCount('spans of the client', client['tracedByClient'] ?? -1, made);
  assertCount('spans of the server', server['tracedByServer'] ?? -1, made);
  assertCount('calls with a deadline at the server', server['deadlineAtServer'] ?? -1, made);
  assertCount('calls in the metrics of the client', client['meteredByClient'] ?? -1, made);
  assertCount('calls in the metrics of the server', server['meteredByServer'] ?? -1, made);
  return { made, invalid, refused };
}

export function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  const paths = require.resolve.paths(name) ?? [];
  for (const path of paths) {
    try {
      return (JSON.parse(readFileSync(`${path}/${name}/package.json`, 'utf8')) as { readonly version: string }).version;
    } catch {
      // Not in this folder: in one further up.
    }
  }
  throw new Error(`${name} is not installed: npm ci --prefix bench`);
}
