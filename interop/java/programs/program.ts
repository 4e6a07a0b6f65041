import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from './deadline.ts';

/** Another program that a suite has started. Its output is kept in a file if a test of this process fails. */
export interface Program {
  readonly name: string;
  /** Resolves with the first line, past or to come, that fits; fails when the program ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Hears each line from now on. */
  onLine(listener: (line: string) => void): void;
  /** Writes a line to its standard input. It has one only when it was started with `input`. */
  tell(line: string): void;
  /** SIGTERM. Resolves with the exit code when it has ended; what does not end in time is killed, which is an error. */
  leave(): Promise<number | null>;
  /** SIGKILL: nothing is said to anybody. */
  kill(): Promise<void>;
  /** Ends what was not ended yet, however. */
  [Symbol.asyncDispose](): Promise<void>;
}

const logs = join(
  import.meta.dirname,
  '../../../.ci/artefacts/programs',
  `${basename(process.argv[1] ?? 'test', '.test.ts')}.${process.pid}`,
);
let started = 0;
process.on('exit', (code) => {
  if (started > 0 && code === 0) rmSync(logs, { recursive: true, force: true });
  else if (started > 0) process.stderr.write(`what the programs said: ${logs}\n`);
});

/** Where the system can do that, a program does not outlive a suite that was killed. */
const setpriv = '/usr/bin/setpriv';
const bound: readonly string[] = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL'] : [];

/** How a program is started. */
export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it is told things by its standard input. Default false: that is at its end. */
  readonly input?: boolean;
}

/** Starts a program, in a folder of the caller's. */
export function startProgram(
  name: string,
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Program {
  mkdirSync(logs, { recursive: true });
  const log = createWriteStream(join(logs, `${++started}-${name}.log`));
  const [first = command, ...rest] = [...bound, command, ...args];
  const child = spawn(first, rest, {
    cwd: options.cwd ?? logs,
    env: { ...process.env, ...options.env },
    stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return new Started(name, child);
}

/** Lines that are remembered: those of a start and of the end. */
const maxLines = 10_000;

class Started implements Program {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #news = new EventEmitter();
  readonly #ended: Promise<number | null>;

  constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    child.stdin?.on('error', () => {}); // it ended: whoever waits for a word of it learns of that
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code));
    });
    this.#ended.then(
      () => this.#news.emit('line'),
      () => this.#news.emit('line'),
    );
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    }
  }

  said(pattern: RegExp): Promise<RegExpExecArray> {
    return within(`${this.name} says ${pattern}; it said last: ${this.#lines.at(-1)}`, this.#find(pattern));
  }

  onLine(listener: (line: string) => void): void {
    this.#news.on('heard', listener);
  }

  tell(line: string): void {
    if (!this.#child.stdin) throw new Error(`${this.name} was started without input`);
    this.#child.stdin.write(`${line}\n`);
  }

  async leave(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    try {
      return await within(`${this.name} ends`, this.#ended);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #find(pattern: RegExp): Promise<RegExpExecArray> {
    for (let at = 0; ; ) {
      for (; at < this.#lines.length; at++) {
        const found = pattern.exec(this.#lines[at] ?? '');
        if (found) return found;
      }
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(
          `${this.name} ended (${this.#child.exitCode ?? this.#child.signalCode}) before it said ${pattern}`,
        );
      await once(this.#news, 'line');
    }
  }

  #hear(line: string): void {
    if (this.#lines.length < maxLines) this.#lines.push(line);
    this.#news.emit('line');
    this.#news.emit('heard', line);
  }
}
