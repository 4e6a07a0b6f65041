import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement, Row } from '../harness/measurement.ts';
import { benchFolder, freePort } from '../harness/processes.ts';

/** From the start of a process to the event that says that it can be called. */
export const startUp: Row = {
  id: 'start-up',
  title: 'Start of a service: from its process to "up" at a watcher of the registry, compile cache warm',
  kind: 'duration',
  reference: 'service',
  operation: 'start',
  budget: '400 ms',
  subjects: [{ id: 'service', title: 'examples/hello, from its sources', measure: measureService }],
};

/** From the command to the first answer through gateway, edge and backends. */
export const fleetStart: Row = {
  id: 'fleet-start',
  title: '`npm start`: from the command to the first answer through gateway, edge service and backends',
  kind: 'duration',
  reference: 'shop',
  operation: 'start',
  budget: '5 s',
  subjects: [{ id: 'shop', title: 'examples/shop, nine processes on this machine', measure: measureShop }],
};

const root = join(benchFolder, '..');
/** Longer than any start takes; then something is wrong. */
const patienceMs = 60_000;

async function measureService(): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const port = await freePort();
  const program = join(root, 'packages/cli/src/main.ts');
  const registryEnv = environment(folder, { FLOTILLA_PORT: String(port) });
  const env = environment(folder, { FLOTILLA_REGISTRY: `http://127.0.0.1:${port}` });
  const registry = start([program, 'registry', 'start'], folder, registryEnv);
  try {
    await untilServes(`http://127.0.0.1:${port}/v1/services`, registry);
    await startOnce(folder, port, env); // fills the compile cache
    return oneStart(await startOnce(folder, port, env));
  } finally {
    await end(registry, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns milliseconds until a watcher was told that the service is up */
async function startOnce(folder: string, port: number, env: NodeJS.ProcessEnv): Promise<number> {
  const watch = new AbortController();
  const events = await fetch(`http://127.0.0.1:${port}/v1/watch?service=hello`, { signal: watch.signal });
  const startedAt = performance.now();
  const listed = untilListed(events.body as ReadableStream<Uint8Array>, Date.now());
  const service = start([join(root, 'examples/hello/hello.ts')], folder, env);
  try {
    return (await inTime(listed, 'the service did not appear in the registry')) - startedAt;
  } finally {
    watch.abort();
    await end(service, 'SIGTERM');
  }
}

/** @param since epoch milliseconds: an instance that began before is one that has not left yet */
async function untilListed(events: ReadableStream<Uint8Array>, since: number): Promise<number> {
  let rest = '';
  for await (const chunk of events.pipeThrough(new TextDecoderStream() as never) as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => JSON.parse(line.slice('data:'.length)));
    if (data.some((document) => holdsNew(document, since))) return performance.now();
  }
  throw new Error('the registry ended its watch');
}

/** Anywhere in a document: an instance that is up and began at `since` or later. */
function holdsNew(value: unknown, since: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { status, startedAt } = value as { readonly status?: unknown; readonly startedAt?: unknown };
  if (status === 'up' && typeof startedAt === 'number' && startedAt >= since) return true;
  return Object.values(value).some((member) => holdsNew(member, since));
}

async function measureShop(): Promise<Measurement> {
  const startedAt = performance.now();
  const shop = spawn('npm', ['start', '--silent', '--', '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // its own process group: Ctrl-C reaches all of it, and not this program
  });
  try {
    const gateway = await inTime(gatewayOf(shop), 'the shop did not say that it serves');
    const answer = await fetch(`${gateway}/api/home`);
    if (answer.status !== 200) throw new Error(`the shop answered ${answer.status}`);
    await answer.arrayBuffer();
    return oneStart(performance.now() - startedAt);
  } finally {
    if (shop.pid !== undefined && shop.exitCode === null) process.kill(-shop.pid, 'SIGINT');
    await untilGone(-(shop.pid as number));
  }
}

async function gatewayOf(shop: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: shop.stdout as NodeJS.ReadableStream })) {
    const record = line.startsWith('{"fleet"') ? JSON.parse(line) : undefined;
    if (record?.serving) return record.gateway;
    if (record) throw new Error(`not everything serves: ${line}`);
  }
  throw new Error('the shop ended before it served');
}

function oneStart(wallMs: number): Measurement {
  return { operations: 1, wallMs, processes: [] };
}

function environment(folder: string, more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    FLOTILLA_LOG_LEVEL: 'error',
    FLOTILLA_DRAIN_NOTICE_MS: '0',
    ...more,
  };
}

function start(program: readonly string[], cwd: string, env: NodeJS.ProcessEnv): ChildProcess {
  const args = ['--conditions=flotilla-source', ...program];
  return spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

async function untilServes(url: string, server: ChildProcess): Promise<void> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until && server.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await sleep(20);
  }
  throw new Error(`${url} does not answer`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await inTime(ended, 'a process did not end');
}

/** @param group the negated id of a process group */
async function untilGone(group: number): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      process.kill(group, 0);
    } catch {
      return;
    }
    if (performance.now() > until) throw new Error('the shop does not end');
    await sleep(20);
  }
}

async function inTime<T>(work: Promise<T>, complaint: string): Promise<T> {
  const over = new AbortController();
  try {
    const late = sleep(patienceMs, undefined, { signal: over.signal });
    return await Promise.race([work, late.then(() => Promise.reject(new Error(complaint)))]);
  } finally {
    over.abort();
  }
}
