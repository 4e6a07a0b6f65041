import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtProgram } from '../harness/built.ts';
import { benchFolder, cores, freePort, type Program, startProgram } from '../harness/processes.ts';

/** A registry that is measured. */
export interface RegistryServer {
  readonly pid: number;
  readonly port: number;
  /** From the start of its process until it answered. */
  readonly startMs: number;
  /** Ours, which can be asked. */
  readonly program?: Program;
  stop(): Promise<void>;
}

/** Where `mvn package` puts the real server (interop/java). */
export const eurekaJar: string = join(benchFolder, '../interop/java/eureka-server/target/eureka-server.jar');

/** False, and said: a table without the peer is no comparison. @throws Error in CI */
export function hasEurekaServer(say: (line: string) => void): boolean {
  if (existsSync(eurekaJar)) return true;
  const how = 'build it with: mvn -q -B -f interop/java package';
  if (process.env['CI']) throw new Error(`the real Eureka server is not built; ${how}`);
  say(`!!! the real Eureka server is NOT measured: ${eurekaJar} is missing; ${how}`);
  return false;
}

/** As `deploy/registry` starts it: what a request leaves behind is swept more often, and takes 50 MB less. */
const nodeOptions: readonly string[] = ['--max-semi-space-size=4'];
/** As there, too: what zlib works with goes back to the system. */
const allocation = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072' };

/** What differs from `flotilla registry` as it comes. */
export interface OurSettings {
  /** `name:password`; absent: an open registry. */
  readonly user?: string;
  readonly saveDelayMs?: number;
  readonly deltaRetentionMs?: number;
}

export async function startOurs(settings: OurSettings = {}): Promise<RegistryServer> {
  const { folder, file } = builtProgram('registry/server.ts');
  const args = [JSON.stringify(settings)];
  const startedAt = performance.now();
  const program = await startProgram(file, args, cores.measured, folder, nodeOptions, allocation);
  const { pid } = program;
  return {
    pid,
    port: Number(program.ready['port']),
    startMs: performance.now() - startedAt,
    program,
    stop: () => program.stop(),
  };
}

/**
 * As Spring's guide to it leaves it: the one service URL is the default, `localhost`, which is not the machine's name, so the
 * server takes itself for a peer and passes each change and each heartbeat on to itself, in batches. Without these it is
 * told its own address, as the reference manual has it for a server alone.
 */
export const asGuided: readonly string[] = [
  '--eureka.instance.hostname=name-of-this-machine',
  `--eureka.client.service-url.defaultZone=http://localhost:${settingOf('server.port')}/eureka/`,
];

/** Spring puts the value of that setting in. */
function settingOf(name: string): string {
  return `\${${name}}`;
}

/** As it comes, Tomcat closes a connection after a hundred requests; with this it keeps them, which costs it less. */
export const keepConnections = '--server.tomcat.max-keep-alive-requests=-1';

/** How long a change stays in the delta of a Java server, whose caches of answers know of it within a second. */
export function deltaRetention(ms: number): readonly string[] {
  return [
    `--eureka.server.retentionTimeInMSInDeltaQueue=${ms}`,
    '--eureka.server.deltaRetentionTimerIntervalInMs=500',
    '--eureka.server.responseCacheUpdateIntervalMs=500',
  ];
}

/** Longer than it takes on a machine that is busy with something else. */
const startTimeoutMs = 300_000;

/**
 * Spring's Eureka server with the settings that it comes with, its log at warn. It starts and warms up on all cores, and
 * is then held on one: {@link pinToOne}.
 * @param heap options of the JVM. @param settings of the server, that differ
 */
export async function startJava(
  heap: readonly string[] = [],
  settings: readonly string[] = [],
): Promise<RegistryServer> {
  const port = await freePort();
  const startedAt = performance.now();
  const common = [`--server.port=${port}`, '--logging.level.root=WARN'];
  const args = [...heap, '-jar', eurekaJar, ...common, ...settings];
  const child = spawn('java', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`the Eureka server ended with ${child.exitCode}`);
    if (performance.now() - startedAt > startTimeoutMs) {
      await stop();
      throw new Error(`the Eureka server does not answer within ${startTimeoutMs} ms`);
    }
    await sleep(50);
  }
  return { pid: child.pid as number, port, startMs: performance.now() - startedAt, stop };
}

/** Every thread that a process has, and will have. */
export async function pinToOne({ pid }: RegistryServer): Promise<void> {
  const child = spawn('taskset', ['-apc', String(cores.measured), String(pid)], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
}

/** Resident memory of a process. */
export function residentMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kilobytes) * 1_024) / 1e6;
}

async function answers(port: number): Promise<boolean> {
  try {
    const { ok } = await fetch(`http://127.0.0.1:${port}/eureka/apps`, { signal: AbortSignal.timeout(2_000) });
    return ok;
  } catch {
    return false;
  }
}
