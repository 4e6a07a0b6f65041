import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cores } from './processes.ts';

/** What `wrk` saw. */
export interface Load {
  /** Answers that were complete in time. */
  readonly answers: number;
  readonly wallMs: number;
  /** Answers with another status than 2xx and 3xx. */
  readonly refused: number;
  /** Connections that failed, broke or stalled. */
  readonly broken: number;
}

const run = promisify(execFile);

/** Loads a URL with as many connections, each with one request at a time. */
export async function wrk(url: string, connections: number, durationMs: number): Promise<Load> {
  const seconds = Math.max(1, Math.round(durationMs / 1_000));
  const args = ['-c', String(cores.others), 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, url];
  const { stdout } = await run('taskset', args);
  const [, answers, took, unit] = /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(stdout) ?? [];
  if (answers === undefined) throw new Error(`wrk said nothing that is understood:\n${stdout}`);
  const factors = { ms: 1, s: 1_000, m: 60_000 };
  const [, refused = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(stdout) ?? [];
  const [, ...broken] = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout) ?? [];
  return {
    answers: Number(answers),
    wallMs: Number(took) * factors[unit as keyof typeof factors],
    refused: Number(refused),
    broken: broken.reduce((sum, count) => sum + Number(count), 0),
  };
}
