import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The one core that is measured, and the one for everything else: load and upstream. */
export const cores = { measured: 1, others: 0 } as const;

export const benchFolder = join(import.meta.dirname, '..');

/** Long enough for any subject to start on a busy machine. */
const startTimeoutMs = 20_000;

/** A program of the bench in a process of its own, on one core. It says what it has to say in messages. */
export interface Program {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Asks and waits for the answer. */
  ask(message: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  stop(): Promise<void>;
}

/**
 * Starts a program of the bench, from its source or built.
 * @param folder the bench of another checkout, to compare with. @param options of Node.js @param env beside ours
 */
export async function startProgram(
  file: string,
  args: readonly string[],
  core: number,
  folder: string = benchFolder,
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const source = file.endsWith('.ts') ? ['--conditions=flotilla-source'] : [];
  const node = [...source, '--disable-warning=ExperimentalWarning', ...options];
  const command = [process.execPath, ...node, join(folder, file), ...args];
  const [program = '', ...before] = [...roomForFiles(), 'taskset', '-c', String(core)];
  const child = spawn(program, [...before, ...command], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    cwd: folder,
    env: { ...process.env, ...env },
  });
  const next = (): Promise<Record<string, unknown>> => nextMessage(child, `${file} ${args.join(' ')}`);
  const ready = await next();
  return {
    pid: child.pid as number,
    ready,
    ask(message) {
      const answer = next();
      child.send(message);
      return answer;
    },
    stop: () => stopChild(child, () => child.send({ ask: 'stop' })),
  };
}

/** Files that a program may have open, where that can be raised: one for each connection. */
const wantedFiles = 65_536;
const raiseLimit: readonly string[] = ['prlimit', `--nofile=${wantedFiles}`];
let mayRaise: boolean | undefined;

function roomForFiles(): readonly string[] {
  mayRaise ??= spawnSync('prlimit', [...raiseLimit.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
  return mayRaise ? raiseLimit : [];
}

/** As many connections as a program may have here, up to `wanted`. */
export function mostConnections(wanted: number): number {
  if (roomForFiles().length > 0) return Math.min(wanted, wantedFiles - 500);
  const [, hard] = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Math.min(wanted, Math.max(100, Number(hard) - 500));
}

/** Takes a CPU profile of a program while `work` goes on. @param file where it is written; undefined: no profile */
export async function profiled<T>(program: Program, file: string | undefined, work: () => Promise<T>): Promise<T> {
  if (file === undefined) return work();
  await program.ask({ ask: 'profile' });
  const result = await work();
  await program.ask({ ask: 'profiled', file });
  return result;
}

/** Starts a server that is not ours on one core, and waits until it takes connections. */
export async function startServer(
  command: string,
  args: readonly string[],
  core: number,
  port: number,
): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const until = performance.now() + startTimeoutMs;
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    if (performance.now() > until) throw new Error(`${command} does not listen on ${port}`);
    await sleep(20);
  }
  return { pid: child.pid as number, stop: () => stopChild(child, () => child.kill('SIGTERM')) };
}

/** A free port of those that the bench may use. */
export async function freePort(): Promise<number> {
  for (let port = 21_700; port < 21_800; port++) if (await isFree(port)) return port;
  throw new Error('no port from 21700 to 21799 is free');
}

async function nextMessage(child: ChildProcess, name: string): Promise<Record<string, unknown>> {
  const done = new AbortController();
  const { signal } = done;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message as Record<string, unknown>),
      once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`))),
      sleep(startTimeoutMs + 60_000, undefined, { signal }).then(() => Promise.reject(new Error(`${name} is silent`))),
    ]);
  } finally {
    done.abort();
  }
}

async function stopChild(child: ChildProcess, ask: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  ask();
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => done(true)).on('error', () => done(false));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .on('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
