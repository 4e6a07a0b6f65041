import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { instances } from '../src/commands/instances.ts';
import { RegistryApi } from '../src/engines/registry-api.ts';

interface RunningRegistry {
  readonly url: string;
  readonly management: string;
  stop(): Promise<void>;
}

/** `flotilla registry start` as a process of its own, in a folder of its own. */
async function startRegistry(users: Readonly<Record<string, unknown>>): Promise<RunningRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-registry-'));
  const program = join(import.meta.dirname, '../src/main.ts');
  const args = ['--conditions=flotilla-source', program, 'registry', 'start', '--port=0', '--log.format=json'];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, FLOTILLA_USERS: JSON.stringify(users) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, url, management } = JSON.parse(line) as Record<string, string>;
    if (msg !== 'serving') continue;
    return {
      url: url ?? '',
      management: management ?? '',
      async stop() {
        child.kill('SIGTERM');
        await ended;
        await rm(folder, { recursive: true });
      },
    };
  }
  throw new Error('the registry ended without serving');
}

test('the registry process: a page for its users alone, users with their own services and contracts, conflicts named', async () => {
  const password = (name: string): string => `password of ${name}`;
  const running = await startRegistry({
    orders: { password: password('orders') },
    limited: { password: password('limited'), services: ['orders'], contracts: ['order'] },
    console: { password: password('console'), role: 'reader' },
  });
  const as = (name: string): { authorization: string } => ({
    authorization: `Basic ${Buffer.from(`${name}:${password(name)}`).toString('base64')}`,
  });
  const register = async (
    name: string,
    service: string,
    id: string,
    contract: string,
    hash: string,
  ): Promise<number> => {
    const response = await fetch(`${running.url}/v1/services/${service}/instances/${id}`, {
      method: 'PUT',
      headers: { ...as(name), 'content-type': 'application/json' },
      body: JSON.stringify({ incarnation: 1, contracts: [{ name: contract, version: 1, hash }] }),
    });
    return response.status;
  };
  try {
    assert.equal((await fetch(running.url)).status, 401);
    const page = await fetch(running.url, { headers: as('console') });
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<h1><a href="\/">Flotilla registry<\/a><\/h1>/);

    assert.equal(await register('console', 'orders', 'a', 'order', '1'), 403, 'a reader');
    assert.equal(await register('orders', 'payments', 'a', 'payment', '1'), 403, 'of another service');
    assert.equal(await register('orders', 'orders', 'a', 'order', '1'), 200, 'without "services": its own name');
    assert.equal(await register('limited', 'orders', 'b', 'secret', '1'), 403, 'a contract that is not its own');
    assert.equal(await register('limited', 'orders', 'b', 'order', '2'), 200);

    const printed: string[] = [];
    const url = running.url.replace('//', `//console:${encodeURIComponent(password('console'))}@`);
    await instances(new RegistryApi(url), {}, { print: (text) => printed.push(text), json: false });
    assert.match(
      printed.join('\n'),
      /warning: the contract order v1 is not the same everywhere: "a" of "orders" has the hash 1, "b" of "orders" has the hash 2/,
    );

    const health = await fetch(`${running.management}/health/ready`);
    assert.equal(health.status, 200);
    assert.match(await health.text(), /"snapshot"/);
  } finally {
    await running.stop();
  }
});
