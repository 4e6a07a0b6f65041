import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));

test('a gateway on a socket of its own takes calls until who asks for its readiness could see that it leaves', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-gateway-'));
  writeFileSync(join(folder, 'gateway.yaml'), 'routes: []\n');
  const flags = ['--port=0', '--registry=http://127.0.0.1:1', '--drain-notice-ms=60000', '--log.format=json'];
  const child = spawn(process.execPath, ['--conditions=flotilla-source', program, 'gateway', 'start', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout });
  const said = (message: string): Promise<Record<string, string>> =>
    new Promise((resolve) => {
      lines.on('line', (line) => {
        const record = JSON.parse(line);
        if (record.msg === message) resolve(record);
      });
    });
  try {
    const { url, management } = await said('serving');
    const draining = said('draining');
    child.kill('SIGTERM');
    await draining;
    assert.equal((await fetch(`${management}/health/ready`)).status, 503);
    assert.equal((await fetch(`${url}/any`)).status, 404, 'a new connection is answered');
    child.kill('SIGTERM');
    assert.equal(await ended, 1, 'a second signal does not wait');
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});
