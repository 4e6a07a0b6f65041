import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Authority } from '@flotilla/core/testing';

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

test('a gateway serves TLS where tls.serve says so, and does not start so without a certificate', async () => {
  const authority = new Authority();
  const { cert, key } = authority.issue({ name: 'gateway', names: 'IP:127.0.0.1' });
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-gateway-'));
  writeFileSync(join(folder, 'gateway.yaml'), 'routes: []\n');
  const flags = [
    '--port=0',
    '--registry=http://127.0.0.1:1',
    '--drain-notice-ms=0',
    '--log.format=json',
    '--tls.serve=true',
  ];
  const start = (more: readonly string[]) =>
    spawn(process.execPath, ['--conditions=flotilla-source', program, 'gateway', 'start', ...flags, ...more], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const exitOf = (child: ReturnType<typeof start>) =>
    new Promise<number | null>((resolve) => void child.once('exit', resolve));
  const child = start([`--tls.cert=${cert}`, `--tls.key=${key}`]);
  try {
    const ended = exitOf(child);
    child.stderr.resume();
    const url = await new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const record = JSON.parse(line);
        if (record.msg === 'serving') resolve(record.url);
      });
    });
    assert.match(url, /^https:/);
    const status = await new Promise((resolve, reject) => {
      get(`${url}/any`, { ca: readFileSync(authority.ca), agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).once('error', reject);
    });
    assert.equal(status, 404);
    child.kill('SIGTERM');
    assert.equal(await ended, 0);

    const bare = start([]);
    const said: Buffer[] = [];
    bare.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    bare.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    assert.notEqual(await exitOf(bare), 0);
    assert.match(Buffer.concat(said).toString(), /tls\.serve.* needs .*tls\.cert/);
  } finally {
    child.kill('SIGKILL');
    authority.remove();
    rmSync(folder, { recursive: true, force: true });
  }
});
