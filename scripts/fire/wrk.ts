import { spawn, spawnSync } from 'node:child_process';

/** What `wrk` counted. It asks on each connection as soon as the last answer is there, so its tail is not to be trusted. */
export interface WrkResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections that could not be made, or ended under a request; answers that took too long. */
  readonly socketErrors: {
    readonly connect: number;
    readonly read: number;
    readonly write: number;
    readonly timeout: number;
  };
  /** Answers with a status from 400 on. */
  readonly badStatus: number;
}

export interface WrkOptions {
  readonly url: string;
  readonly connections: number;
  /** It ends by itself after this time. */
  readonly durationMs: number;
  readonly timeoutMs: number;
}

/** Whether it is installed (Debian: `apt-get install wrk`). */
export function hasWrk(): boolean {
  return spawnSync('wrk', ['--version']).error === undefined;
}

/** Starts it; `stop` ends it early. */
export function startWrk(options: WrkOptions): { stop(): Promise<WrkResult> } {
  const seconds = (ms: number): string => `${Math.ceil(ms / 1_000)}s`;
  const args = ['-t1', `-c${options.connections}`, `-d${seconds(options.durationMs)}`, '--latency'];
  const child = spawn('wrk', [...args, '--timeout', seconds(options.timeoutMs), options.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  return {
    async stop() {
      child.kill('SIGINT'); // it says what it has
      await ended;
      return parseWrk(output);
    },
  };
}

/** @throws Error for a text that is no report of `wrk --latency` */
export function parseWrk(text: string): WrkResult {
  const number = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const needed = (what: string, pattern: RegExp): number => {
    const found = number(pattern);
    if (found === undefined) throw new Error(`the report of wrk names no ${what}:\n${text}`);
    return found;
  };
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/
    .exec(text)
    ?.slice(1)
    .map(Number);
  const [connect = 0, read = 0, write = 0, timeout = 0] = errors ?? [];
  return {
    requests: needed('requests', /^\s*(\d+) requests in /m),
    requestsPerSecond: needed('rate', /^Requests\/sec:\s*([\d.]+)/m),
    p50Ms: latency(text, '50%'),
    p99Ms: latency(text, '99%'),
    socketErrors: { connect, read, write, timeout },
    badStatus: number(/Non-2xx or 3xx responses: (\d+)/) ?? 0,
  };
}

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

function latency(text: string, share: string): number {
  const [, value, unit = ''] = new RegExp(`^\\s*${share}\\s+([\\d.]+)(us|ms|s|m)\\s*$`, 'm').exec(text) ?? [];
  const factor = unitMs[unit];
  if (value === undefined || factor === undefined) throw new Error(`the report of wrk has no ${share}:\n${text}`);
  return Number(value) * factor;
}
