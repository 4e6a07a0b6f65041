import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** A program that a test started. */
export interface RealProcess {
  readonly child: ChildProcess;
  /** The last of what it wrote, for messages. */
  output(): string;
  /** Stops it where it is, and waits until none of its threads runs: a signal alone takes effect some time later. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it with that signal and waits until it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a program; its output is kept, bounded. */
export function startProcess(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): RealProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      output += String(error);
      resolve();
    });
  });
  const end = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  };
  const pause = async (): Promise<void> => {
    child.kill('SIGSTOP');
    await until(`${command} stands still`, () => threadStates(child.pid).every((state) => state === 'T'));
  };
  return { child, output: () => output, pause, resume: () => void child.kill('SIGCONT'), end };
}

/** One letter per thread (proc(5), `/proc/[pid]/stat`); T: stopped. */
function threadStates(pid: number | undefined): string[] {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).flatMap((thread) => {
    try {
      const stat = readFileSync(`${folder}/${thread}/stat`, 'utf8');
      return [stat.charAt(stat.lastIndexOf(')') + 2)];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

/** Ports on loopback that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Waits until a condition holds, asked every few milliseconds. @throws Error naming what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * The reason to skip a suite because a program is not on this machine; undefined when it is.
 * @throws Error in CI, where nothing may be missing.
 */
export function missing(program: string, paths: readonly string[], debianPackage: string): string | undefined {
  for (const path of paths) {
    try {
      accessSync(path);
      return undefined;
    } catch {
      // the next one
    }
  }
  const reason = `${program} is not on this machine (${paths.join(', ')}): apt-get install ${debianPackage}`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  process.stderr.write(`\nSKIPPED, nothing below was tested: ${reason}\n`);
  return reason;
}
