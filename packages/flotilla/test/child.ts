import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A process of a test, its lines, and its end. */
export interface Child {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly lines: readonly string[];
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
  /** The first line that matches, now or later. Rejects when the process ends without one. */
  line(pattern: RegExp): Promise<string>;
}

/** Processes in an empty folder. */
export interface Children {
  readonly folder: string;
  start(program: string, flags: readonly string[], env?: Readonly<Record<string, string>>, cwd?: string): Child;
  /** Ends what still runs. */
  killAll(): void;
  /** Ends what still runs and removes the folder. */
  remove(): void;
}

export function children(): Children {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-process-'));
  const running = new Set<Child['process']>();
  const killAll = (): void => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  };
  return {
    folder,
    start(program, flags, env = {}, cwd = folder) {
      const child = spawn(process.execPath, ['--conditions=flotilla-source', program, ...flags], {
        cwd,
        env: { PATH: process.env['PATH'] ?? '', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      running.add(child);
      return follow(child);
    },
    killAll,
    remove() {
      killAll();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function follow(child: Child['process']): Child {
  const lines: string[] = [];
  const waiting: { readonly pattern: RegExp; readonly found: (line: string) => void }[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const { pattern, found } of waiting) if (pattern.test(line)) found(line);
    });
  }
  const ended = new Promise<{ code: number | null; text: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, text: lines.join('\n') }));
  });
  return {
    process: child,
    lines,
    ended,
    line(pattern) {
      const known = lines.find((line) => pattern.test(line));
      if (known !== undefined) return Promise.resolve(known);
      const seen = new Promise<string>((found) => waiting.push({ pattern, found }));
      const gone = ended.then(({ text }) => Promise.reject(new Error(`it ended before "${pattern}":\n${text}`)));
      return Promise.race([seen, gone]);
    },
  };
}
