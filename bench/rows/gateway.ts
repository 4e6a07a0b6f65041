import { cpuMsOf, warmUp } from '../harness/cpu.ts';
import { assertCount, type Measurement, type Row, type Subject } from '../harness/measurement.ts';
import {
  answer,
  type ForeignServer,
  startHaproxy,
  startNginxProxy,
  startUpstream,
  type Upstream,
  versionOfCommand,
} from '../harness/nginx.ts';
import type { Plan } from '../harness/plan.ts';
import { cores, type Program, profiled, startProgram } from '../harness/processes.ts';
import { type Load, wrk } from '../harness/wrk.ts';
import { versionOf } from './calls.ts';

/** A gateway on one core; load and upstream on the other. */
export const gateway: Row = {
  id: 'gateway',
  title: 'Gateway to an HTTP/1.1 upstream and to services of ours, GET of 150 bytes, 64 kept connections',
  kind: 'throughput',
  reference: 'nginx',
  operation: 'request',
  budget: '0.6 of nginx to any upstream, 1.0 to services of ours; 3 × @fastify/http-proxy',
  own: (folder) => (plan) => measureProxy((core, upstream) => startGateway(core, upstream, 'http', folder), plan),
  subjects: [
    subject('nginx', `nginx ${versionOfCommand('nginx', '-v')}, proxy_pass`, startNginxProxy),
    subject('flotilla', 'Flotilla: routing, balancing, metrics, spans', startGateway),
    {
      id: 'flotilla-rsocket',
      title: 'Flotilla, the same, to a service of ours over RSocket',
      measure: (plan) => measureGateway(plan, 'rsocket'),
    },
    {
      id: 'flotilla-http',
      title: 'Flotilla, the same, to that service over HTTP/1.1',
      measure: (plan) => measureGateway(plan, 'http'),
    },
    subject('haproxy', `HAProxy ${versionOfCommand('haproxy', '-v')}`, startHaproxy),
    subject('undici', `node:http and undici ${versionOf('undici')}, plain`, startProxy('peers/proxy-undici.ts')),
    subject('fastify', `@fastify/http-proxy ${versionOf('@fastify/http-proxy')}`, startProxy('peers/proxy-fastify.ts')),
  ],
};

/** A proxy that runs; with what it counted, where it claims to count. */
interface Proxy extends ForeignServer {
  /** Ours, which can be profiled. */
  readonly program?: Program;
  counters?(): Promise<{ readonly metered: number; readonly traced: number }>;
}

type StartProxy = (core: number, upstream: number) => Promise<Proxy>;

function subject(id: string, title: string, start: StartProxy): Subject {
  return { id, title, measure: (plan) => measureProxy(start, plan) };
}

type Transport = 'http' | 'rsocket';

/** Our own gateway under load, with a service of ours behind it. @param profile file for a profile */
export function measureGateway(plan: Plan, transport: Transport, profile?: string): Promise<Measurement> {
  const start: StartProxy = (core, upstream) => startGateway(core, upstream, transport);
  return measureProxy(start, plan, profile, startService);
}

/** Our own gateway under load, with nginx behind it. @param profile file for a profile */
export function measurePlainGateway(plan: Plan, profile?: string): Promise<Measurement> {
  return measureProxy(startGateway, plan, profile);
}

/** A service of ours, which answers over HTTP/1.1 and over RSocket. */
async function startService(core: number): Promise<Upstream> {
  const program = await startProgram('programs/service.ts', [answer], core);
  return {
    pid: program.pid,
    port: Number(program.ready['port']),
    answered: async () => Number((await program.ask({ ask: 'answered' }))['answered']),
    stop: () => program.stop(),
  };
}

/** Starts upstream and proxy, warms up, measures, and compares what all of them counted. */
async function measureProxy(
  start: StartProxy,
  plan: Plan,
  profile?: string,
  startBehind: (core: number) => Promise<Upstream> = startUpstream,
): Promise<Measurement> {
  const upstream = await startBehind(cores.others);
  let proxy: Proxy | undefined;
  try {
    proxy = await start(cores.measured, upstream.port);
    const url = `http://127.0.0.1:${proxy.port}/catalog/products/p-1`;
    const warm = { answers: 0, refused: 0, broken: 0, runs: 0 };
    await warmUp([proxy.pid], plan.warmMs, async () => {
      const { answers, refused, broken } = await wrk(url, plan.concurrency, plan.warmMs / 2);
      warm.answers += answers;
      warm.refused += refused;
      warm.broken += broken;
      warm.runs++;
    });
    const before = cpuMsOf(proxy.pid);
    const measured = (): Promise<Load> => wrk(url, plan.concurrency, plan.measureMs);
    const load = await (proxy.program ? profiled(proxy.program, profile, measured) : measured());
    const cpuMs = cpuMsOf(proxy.pid) - before;
    assertCount('answers other than 200', warm.refused + load.refused, 0);
    assertCount('broken connections', warm.broken + load.broken, 0);
    const made = warm.answers + load.answers;
    // What is in hand when a run of wrk is over is dropped by it.
    const most = made + (warm.runs + 1) * plan.concurrency;
    assertCount('requests at the upstream', await upstream.answered(), made, most);
    const counters = await proxy.counters?.();
    if (counters) {
      assertCount('requests in the metrics', counters.metered, made, most);
      assertCount('spans, two a request', counters.traced, 2 * made, 2 * most);
    }
    return {
      operations: load.answers,
      wallMs: load.wallMs,
      processes: [{ role: 'gateway', cpuMs }],
      counters: { made },
    };
  } finally {
    await proxy?.stop();
    await upstream.stop();
  }
}

/** Our gateway. */
async function startGateway(
  core: number,
  upstream: number,
  transport: Transport = 'http',
  folder?: string,
): Promise<Proxy> {
  const program = await startProgram('programs/gateway.ts', [transport, String(upstream)], core, folder);
  return {
    pid: program.pid,
    port: Number(program.ready['port']),
    program,
    counters: async () => (await program.ask({ ask: 'count' })) as never,
    stop: () => program.stop(),
  };
}

function startProxy(file: string): StartProxy {
  return async (core, upstream) => {
    const program = await startProgram(file, [String(upstream)], core);
    return { pid: program.pid, port: Number(program.ready['port']), stop: () => program.stop() };
  };
}
