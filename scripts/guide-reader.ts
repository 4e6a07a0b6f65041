import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { endOfPromised, type GuideStep, isAsPromised } from './guide-steps.ts';

/** Nothing in a guide takes longer, installing included. */
const longestStepMs = 180_000;

interface Terminal {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output: string;
  /** How much of it was looked at. */
  seen: number;
}

/** Somebody who does what a guide says. */
export class Reader {
  readonly #root: string;
  #folder: string;
  readonly #tarballs: ReadonlyMap<string, string>;
  readonly #terminals = new Map<string, Terminal>();
  #written = '';

  constructor(folder: string, tarballs: ReadonlyMap<string, string>) {
    this.#root = folder;
    this.#folder = folder;
    this.#tarballs = tarballs;
  }

  async take(step: GuideStep): Promise<void> {
    switch (step.kind) {
      case 'ports':
        for (const port of step.ports) await assertFree(port);
        return;
      case 'needs': // looked at before the first step
        return;
      case 'file':
        writeFileSync(join(this.#folder, step.name), step.text);
        return;
      case 'run': {
        const terminal = this.#type(step.text);
        const code = await within(terminal.ended, () => `"${step.text.trim()}" did not end:\n${terminal.output}`);
        if (code !== 0) throw new Error(`"${step.text.trim()}" ended with ${code}:\n${terminal.output}`);
        this.#written = terminal.output;
        return;
      }
      case 'output':
        if (isAsPromised(step.text, this.#written)) return;
        throw new Error(`the guide promises\n${step.text}but it was\n${this.#written}`);
      case 'terminal':
        return this.#open(step.name, step.text, step.until);
      case 'see':
        return this.#see(step.name, step.text);
      case 'folder':
        this.#folder = join(this.#folder, step.name);
        return;
      case 'stop':
        return this.#stop(step.name);
    }
  }

  /** Whatever still runs is ended, and the folder goes. */
  leave(): void {
    for (const { child } of this.#terminals.values()) kill(child, 'SIGKILL');
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #open(name: string, text: string, until: string): Promise<void> {
    const terminal = this.#type(text.trim().includes('\n') ? text : `exec ${text}`); // no shell that Ctrl-C would end first
    this.#terminals.set(name, terminal);
    await this.#see(name, until);
  }

  async #see(name: string, text: string): Promise<void> {
    const terminal = this.#terminals.get(name);
    if (!terminal) throw new Error(`no terminal is called "${name}"`);
    const { child, ended } = terminal;
    const outputs = [child.stdout, child.stderr];
    const { promise: appeared, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      const end = endOfPromised(text, terminal.output.slice(terminal.seen));
      if (end === undefined) return;
      terminal.seen += end;
      for (const output of outputs) output?.off('data', look);
      resolve();
    };
    for (const output of outputs) output?.on('data', look);
    look();
    void ended.then((code) => reject(new Error(`terminal "${name}" ended with ${code}:\n${terminal.output}`)));
    await within(appeared, () => `"${text}" did not appear in terminal "${name}":\n${terminal.output}`);
  }

  async #stop(name: string): Promise<void> {
    const terminal = this.#terminals.get(name);
    if (!terminal) throw new Error(`no terminal is called "${name}"`);
    this.#terminals.delete(name);
    kill(terminal.child, 'SIGINT');
    const code = await within(terminal.ended, () => `terminal "${name}" did not end:\n${terminal.output}`);
    // npx passes Ctrl-C on, and is itself ended by it: a shell says 130.
    if (code !== 0 && code !== 130) throw new Error(`terminal "${name}" ended with ${code}:\n${terminal.output}`);
  }

  /** A shell of its own process group, so that Ctrl-C reaches all of it, as in a terminal. */
  #type(text: string): Terminal {
    const child = spawn('sh', ['-e', '-c', this.#withTarballs(text)], {
      cwd: this.#folder,
      detached: true,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        npm_config_ignore_scripts: 'true',
        npm_config_audit: 'false',
        JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC', // a quick start is worth more here than a fast program
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const terminal: Terminal = {
      child,
      ended: once(child, 'close').then(([code, signal]) => (signal === 'SIGINT' ? 130 : (code as number | null))),
      output: '',
      seen: 0,
    };
    const collect = (chunk: Buffer): void => {
      terminal.output += chunk; // a guide ends; what it shows is read by a person
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    return terminal;
  }

  /** Our packages are not published yet: where a guide installs one, the packed ones are meant, with all that they need. */
  #withTarballs(text: string): string {
    const creator = this.#tarballs.get('create-flotilla') ?? '';
    const created = text.replace(
      /^npm create flotilla (.+?) -- (.+)$/gm,
      `npm exec --yes --package=${creator} -- create-flotilla $1 $2 --packages ${dirname(creator)}`,
    );
    return created.replace(/^npm install (.+)$/gm, (line, list: string) => {
      const others = list.split(' ').filter((name) => !this.#tarballs.has(name));
      return others.length === list.split(' ').length
        ? line
        : `npm install ${[...others, ...this.#tarballs.values()].join(' ')}`;
    });
  }
}

function kill({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

async function within<T>(work: Promise<T>, message: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(message())), longestStepMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function assertFree(port: number): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch {
    throw new Error(`port ${port} is taken on this machine; the guide needs it`);
  }
  await new Promise((resolve) => probe.close(resolve));
}
