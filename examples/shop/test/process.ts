import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  /** Where it serves. */
  readonly url: string;
  /** Resolves when it has said that it made this step; at once if it has before. */
  reached(step: string): Promise<void>;
  /** Resolves with the signal that ended it. */
  readonly ended: Promise<string | null>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

export interface ProcessOptions {
  readonly cwd: string;
  readonly registry: string;
  readonly flags?: readonly string[];
  /** The step of an order at which it is to end. */
  readonly crashAt?: string | undefined;
}

/** Starts the real program of a service, and waits until it serves, or has ended. */
export async function startProcess(program: string, options: ProcessOptions): Promise<ServiceProcess> {
  const { cwd, registry, crashAt = '', flags = [] } = options;
  const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
  const always = [`--registry=${registry}`, '--drain-notice-ms=0', '--log.level=error'];
  const child = spawn(
    process.execPath,
    ['--conditions=flotilla-source', '--import', path('test/crash-at.ts'), path(program), ...always, ...flags],
    { cwd, env: { PATH: process.env['PATH'], CRASH_AT: crashAt }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  const steps = new Map<string, PromiseWithResolvers<void>>();
  const step = (name: string): PromiseWithResolvers<void> => {
    const known = steps.get(name) ?? Promise.withResolvers<void>();
    steps.set(name, known);
    return known;
  };
  const serving = Promise.withResolvers<string>();
  child.on('message', (message: { flotilla?: string; url?: string; shop?: string }) => {
    if (message.flotilla === 'serving') serving.resolve(message.url ?? '');
    if (message.shop !== undefined) step(message.shop).resolve();
  });
  const ended = once(child, 'exit').then(([, signal]) => signal as string | null);
  const url = await Promise.race([serving.promise, ended.then(() => '')]);
  return {
    child,
    url,
    ended,
    reached: (name) =>
      Promise.race([
        step(name).promise,
        ended.then((signal) => Promise.reject(new Error(`it ended (${signal}) before "${name}"`))),
      ]),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
