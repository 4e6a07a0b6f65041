import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const etcd = '/usr/bin/etcd';

function etcdMissing(): string | false {
  try {
    accessSync(etcd);
    return false;
  } catch {
    const reason = `etcd is not on this machine (${etcd}): apt-get install etcd-server`;
    if (process.env['CI'] === 'true') throw new Error(reason);
    process.stderr.write(`\nSKIPPED, nothing below was tested: ${reason}\n`);
    return reason;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** `flotilla registry start` as a process of its own that shares an engine. */
async function startNode(folder: string, engine: string): Promise<{ url: string; child: ChildProcess }> {
  const program = join(import.meta.dirname, '../src/main.ts');
  const settings = ['--port=0', '--log.format=json', '--snapshot-file=', `--engine=${engine}`];
  const args = ['--conditions=flotilla-source', program, 'registry', 'start', ...settings];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, url } = JSON.parse(line) as Record<string, string>;
    if (msg === 'serving') return { url: url ?? '', child };
  }
  throw new Error('the registry ended without serving');
}

test('two registry processes in front of one etcd are one; kill either, nothing is lost', {
  skip: etcdMissing(),
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-registry-engine-'));
  const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const urls = ['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer];
  const server = spawn(etcd, ['--data-dir', join(folder, 'etcd'), ...urls], { stdio: 'ignore' });
  const children: ChildProcess[] = [server];
  try {
    const engine = `${client.replace('http', 'etcd')}/fleet`;
    const first = await startNode(folder, engine);
    children.push(first.child);
    const path = '/v1/services/orders/instances/a';
    const body = JSON.stringify({ incarnation: 1 });
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(`${first.url}${path}`, { method: 'PUT', headers, body })).status, 200);
    const second = await startNode(folder, engine);
    children.push(second.child);
    assert.equal((await fetch(`${second.url}${path}`)).status, 200, 'who starts later has it');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    assert.equal((await fetch(`${second.url}${path}/renewal`, { method: 'POST' })).status, 204);
    const status = (await (await fetch(`${second.url}/v1/status`)).json()) as { engine: { state: string } };
    assert.equal(status.engine.state, 'together');
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    await rm(folder, { recursive: true, force: true });
  }
});
