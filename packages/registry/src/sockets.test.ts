import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type InstanceSet, nullLogger, Secret, systemClock, systemRandom } from '@flotilla/core';
import { nodeNetwork } from '@flotilla/http/node';
import { registryClient } from './client/registry-client.ts';
import { createRegistry, type RegistryOptions } from './server/registry.ts';
import { registryHandler } from './server/routes.ts';
import type { RegistryUser } from './server/users.ts';
import { anInstance } from './testing/instances.ts';

const [clock, random] = [systemClock, systemRandom];
const users: readonly RegistryUser[] = [{ name: 'orders', role: 'instance', password: new Secret('a long password') }];

async function listening(port: number, options: Partial<RegistryOptions> = {}) {
  const registry = createRegistry({ clock, random, ...options });
  await registry.start();
  const network = nodeNetwork({ clock, random, logger: nullLogger });
  const listener = await network.listen({ host: '127.0.0.1', port }, registryHandler(registry, { users }));
  return { registry, port: listener.port, stop: () => Promise.all([registry.stop('test'), listener.drain(1_000)]) };
}

function clientOf(port: number) {
  const network = nodeNetwork({ clock, random });
  return registryClient({ urls: [`http://orders:a%20long%20password@127.0.0.1:${port}`], network, clock, random });
}

/** Waits for a set that fits. */
class Sets {
  readonly #news = new EventEmitter();
  #latest: InstanceSet | undefined;

  readonly take = (set: InstanceSet): void => {
    this.#latest = set;
    this.#news.emit('set');
  };

  async until(fits: (set: InstanceSet) => boolean): Promise<InstanceSet> {
    while (!this.#latest || !fits(this.#latest)) await once(this.#news, 'set');
    return this.#latest;
  }
}

test('over sockets an instance registers, is seen, drains and leaves; each is pushed', async () => {
  const { registry, port, stop } = await listening(0);
  const [owner, caller] = [clientOf(port), clientOf(port)];
  const sets = new Sets();
  caller.resolver.watch({ service: 'orders' }, sets.take);
  const registration = owner.registrar.register(anInstance({ incarnation: 1 }));
  const seen = await sets.until(({ instances }) => instances.length === 1);
  assert.equal(seen.instances[0]?.status, 'up');
  assert.equal(seen.warming, true);
  await registration.setStatus('draining');
  await sets.until(({ instances }) => instances[0]?.status === 'draining');
  await registration.deregister();
  await sets.until(({ instances }) => instances.length === 0);
  assert.equal(registry.size, 0);
  await Promise.all([owner.close(), caller.close()]);
  await stop();
});

test('over sockets a registry restarts under its clients, who find it again', async () => {
  const first = await listening(0, { warmingMs: 0 });
  const [owner, caller] = [clientOf(first.port), clientOf(first.port)];
  const sets = new Sets();
  caller.resolver.watch({ service: 'orders' }, sets.take);
  const lease = { renewEveryMs: 1_000, lastsMs: 5_000 };
  owner.registrar.register(anInstance({ incarnation: 1, lease, zone: 'z' }));
  await sets.until(({ instances }) => instances.length === 1);
  await first.stop();
  const second = await listening(first.port);
  second.registry.register(anInstance({ id: 'b' }));
  await sets.until(({ instances }) => instances.length === 2);
  await Promise.all([owner.close(), caller.close()]);
  await second.stop();
});

test('a watcher that stops reading costs a bounded amount, and gets the whole list when it reads again', async () => {
  const { registry, port, stop } = await listening(0, { warmingMs: 0 });
  const socket = connect(port, '127.0.0.1');
  const authorization = Buffer.from('orders:a long password').toString('base64');
  socket.write(`GET /v1/watch HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Basic ${authorization}\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  const changes = 4_000;
  const bytes = 8_000;
  const metadata = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`m${n}`, 'x'.repeat(bytes / 8 - 10)]));
  globalThis.gc?.();
  const before = process.memoryUsage();
  for (let revision = 1; revision <= changes; revision++) {
    registry.register(anInstance({ id: 'a', incarnation: revision, metadata: { ...metadata, n: String(revision) } }));
    if (revision % 50 === 0) await new Promise((resolve) => setImmediate(resolve)); // the registry goes on meanwhile
  }
  const { rss } = process.memoryUsage();
  // What was changed is 32 MB; what waits for the watcher is at most 256 changes, or one snapshot.
  assert.ok(rss - before.rss < 120_000_000, `grew by ${rss - before.rss} bytes`);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.resume();
  const ended = new RegExp(`event: snapshot[^]*"n":"${changes}"`);
  while (!ended.test(text.slice(-40_000))) await once(socket, 'data');
  assert.ok(text.length < (changes * bytes) / 2, `${text.length} characters were sent`);
  socket.destroy();
  await stop();
});
