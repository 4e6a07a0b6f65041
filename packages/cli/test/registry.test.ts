import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { instances } from '../src/commands/instances.ts';
import { RegistryApi } from '../src/engines/registry-api.ts';

interface RunningRegistry {
  readonly url: string;
  /** Where its `flotilla.yaml` is looked for. */
  readonly folder: string;
  readonly management: string;
  stop(): Promise<void>;
}

/** `flotilla registry start` as a process of its own, in a folder of its own. */
async function startRegistry(users?: Readonly<Record<string, unknown>>, yaml?: string): Promise<RunningRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-registry-'));
  if (yaml !== undefined) await writeFile(join(folder, 'flotilla.yaml'), yaml);
  const program = join(import.meta.dirname, '../src/main.ts');
  const args = ['--conditions=flotilla-source', program, 'registry', 'start', '--port=0', '--log.format=json'];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...(users && { FLOTILLA_USERS: JSON.stringify(users) }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, url, management } = JSON.parse(line) as Record<string, string>;
    if (msg !== 'serving') continue;
    return {
      url: url ?? '',
      folder,
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

test('without users it answers to names of this machine alone, in every tongue', async () => {
  const running = await startRegistry();
  const statusAs = async (host: string, path: string): Promise<number | undefined> => {
    const [response] = await once(get(`${running.url}${path}`, { headers: { host } }), 'response');
    response.resume();
    return response.statusCode;
  };
  try {
    const { port } = new URL(running.url);
    for (const path of ['/v1/instances', '/v1/services', '/eureka/apps', '/v1/status', '/']) {
      const statuses = await Promise.all(
        [
          `127.0.0.1:${port}`,
          `localhost:${port}`,
          `evil.example:${port}`,
          'evil.example',
          '127.0.0.1.evil.example',
        ].map((host) => statusAs(host, path)),
      );
      assert.deepEqual(statuses, [200, 200, 403, 403, 403], path);
    }
  } finally {
    await running.stop();
  }
});

test('the watches of a user that is taken out of the configuration end; those of others go on', async () => {
  const yaml = (...names: string[]): string =>
    ['registry:', '  users:', ...names.map((name) => `    ${name}: { password: password of ${name} }`), ''].join('\n');
  const running = await startRegistry(undefined, yaml('leaver', 'stayer'));
  const watch = async (name: string, end?: AbortSignal): Promise<AsyncIterator<unknown>> => {
    const authorization = `Basic ${Buffer.from(`${name}:password of ${name}`).toString('base64')}`;
    const response = await fetch(`${running.url}/v1/watch`, {
      headers: { authorization },
      ...(end && { signal: end }),
    });
    assert.equal(response.status, 200);
    return (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  };
  const end = new AbortController();
  try {
    const [leaver, stayer] = [await watch('leaver'), await watch('stayer', end.signal)];
    await writeFile(join(running.folder, 'flotilla.yaml'), yaml('stayer'));
    while (!(await leaver.next()).done);
    await stayer.next(); // what it was told at first; there is nothing more, and no end
    const more = await Promise.race([
      drained(stayer).catch(() => 'broken'),
      new Promise((resolve) => setImmediate(resolve, 'open')),
    ]);
    assert.equal(more, 'open');
  } finally {
    end.abort();
    await running.stop();
  }
});

async function drained(body: AsyncIterator<unknown>): Promise<'ended'> {
  while (!(await body.next()).done);
  return 'ended';
}
