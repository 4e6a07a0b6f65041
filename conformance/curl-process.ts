import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A service of its own process that is running. */
export interface CurlProcess {
  readonly port: number;
  readonly managementPort: number;
  /** Where its `flotilla.yaml` is looked for. Nothing is there. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Starts a program of `fixtures/` as anybody would, in a folder of its own, without a registry. */
export async function openProcess(program: string): Promise<CurlProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-curl-'));
  const args = ['--log.format=json', '--registry=http://127.0.0.1:1', '--drain-notice-ms=0'];
  const path = join(import.meta.dirname, 'fixtures', program);
  const child = spawn(process.execPath, ['--conditions=flotilla-source', path, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const { url, management } = await serving(createInterface({ input: child.stdout }), ended);
  return {
    port: portOf(url),
    managementPort: portOf(management),
    folder,
    async close() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function serving(
  lines: NodeJS.EventEmitter,
  ended: Promise<unknown>,
): Promise<{ readonly url: string; readonly management: string }> {
  return new Promise((resolve, reject) => {
    lines.on('line', (line: string) => {
      if (line.includes('"msg":"serving"')) resolve(JSON.parse(line));
    });
    void ended.then(() => reject(new Error('it ended before it served')));
  });
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
