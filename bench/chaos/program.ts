import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** Whatever becomes of this run, nothing that it started stays. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** How a program is started. */
export interface ProgramOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A line that contains this says that it serves. */
  readonly serving: string;
  readonly logFile: string;
  /** Whether it can be told something, and asked; see {@link Program.tell}. */
  readonly messages?: boolean;
}

/** A machine that is busy with other things starts a program in a minute. */
const startLimitMs = 60_000;

/** A program that is started, killed, paused and started again. */
export class Program {
  readonly name: string;
  readonly #options: ProgramOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #wanted = false;
  /** Ends that nobody asked for. */
  readonly crashes: string[] = [];

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { command, cwd, env, serving, logFile, messages = false } = this.#options;
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', messages ? 'ipc' : 'ignore'],
    });
    const { stdout, stderr } = child;
    if (!stdout || !stderr) throw new Error(`${this.name} was started without its output`);
    const log = createWriteStream(logFile, { flags: 'a' });
    stderr.pipe(log, { end: false });
    this.#child = child;
    this.#wanted = true;
    running.add(child);
    const up = Promise.withResolvers<void>();
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(child);
        const how = signal ?? `code ${code}`;
        if (this.#wanted) this.crashes.push(`${this.name} ended by itself with ${how}; see ${logFile}`);
        up.reject(new Error(`${this.name} ended with ${how} before it served; see ${logFile}`));
        resolve();
      });
    });
    for (const stream of [stdout, stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (stream === stdout) log.write(`${line}\n`);
        if (line.includes(serving)) up.resolve();
      });
    }
    const limit = setTimeout(() => up.reject(new Error(`${this.name} does not serve; see ${logFile}`)), startLimitMs);
    await up.promise.finally(() => clearTimeout(limit));
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Sends it a message; it must have been started with `messages`. */
  tell(message: object): void {
    this.#child?.send(message);
  }

  /** The value of its next message that has this key. Rejects when it ends before. */
  said(key: string): Promise<unknown> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const hear = (message: object): void => {
        if (!(key in message)) return;
        child?.off('message', hear);
        resolve((message as Record<string, unknown>)[key]);
      };
      child?.on('message', hear);
      child?.once('exit', () => reject(new Error(`${this.name} ended before it said "${key}"`)));
    });
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#wanted = false;
    this.#child?.kill(signal);
    await this.#ended;
  }
}
