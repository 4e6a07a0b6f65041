import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { HeldSocket } from './held-socket.ts';

/** How one process is started; the same way every time. */
export interface UnitOptions {
  readonly name: string;
  /** Arguments of `node`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly managementPort: number;
  readonly logFile: string;
  /** Handed over by `LISTEN_FDS` (sd_listen_fds(3)); without one the process opens its own port. */
  readonly socket?: HeldSocket;
}

/** A machine that is busy with other things starts a fleet in a minute. */
const startLimitMs = 120_000;
const stopLimitMs = 60_000;

/** Whatever becomes of this program, nothing that it started stays. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** A process as a supervisor sees it: started, asked to end, ended, started again. */
export class Unit {
  readonly name: string;
  readonly #options: UnitOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<string> = Promise.resolve('it was never started');

  constructor(options: UnitOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    if (this.#child) throw new Error(`${this.name} runs already`);
    this.spawn();
    await this.ready();
  }

  /** Starts it and does not wait. */
  spawn(): void {
    const { args, env = {}, cwd, socket, logFile } = this.#options;
    const log = openSync(logFile, 'a');
    // The shell becomes the program: the id that LISTEN_PID names stays the same.
    const command = ['-c', socket ? 'LISTEN_PID=$$ exec "$@"' : 'exec "$@"', 'sh', process.execPath, ...args];
    const child = spawn('/bin/sh', command, {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', ...env, ...(socket && { LISTEN_FDS: '1', LISTEN_FDNAMES: 'http' }) },
      stdio: socket ? ['ignore', log, log, socket.fd] : ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    running.add(child);
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#child = undefined;
        running.delete(child);
        resolve(signal ?? `exit code ${code}`);
      });
    });
  }

  /** Resolves when the management port says that it is ready. */
  async ready(): Promise<void> {
    const url = `http://127.0.0.1:${this.#options.managementPort}/health/ready`;
    const until = performance.now() + startLimitMs;
    for (;;) {
      if (!this.#child) throw new Error(`${this.name} ended (${await this.#ended}) before it served:\n${this.#tail()}`);
      const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
      if (performance.now() > until) throw new Error(`${this.name} did not serve:\n${this.#tail()}`);
      await pause(25);
    }
  }

  /** Asks it to end, and waits. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    const limit = setTimeout(() => this.#child?.kill('SIGKILL'), stopLimitMs);
    const how = await this.#ended;
    clearTimeout(limit);
    if (how !== 'exit code 0') throw new Error(`${this.name} did not end well: ${how}\n${this.#tail()}`);
  }

  /** What systemd does for `restart`: the old one ends, then the new one starts. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** It hangs, and keeps its connections: SIGSTOP. */
  hang(): void {
    this.#child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  log(): string {
    return readFileSync(this.#options.logFile, 'utf8');
  }

  #tail(): string {
    return this.log().split('\n').slice(-15).join('\n');
  }
}
