import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { type LogFields, type Logger, nullLogger, systemClock, systemRandom } from '@flotilla/core';
import { eurekaHandler } from '@flotilla/eureka/server';
import type { HttpHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { createRegistry, type Registry } from '@flotilla/registry/server';

/** What of the npm package `eureka-js-client` 4.5.0, which has no types, is used here. */
interface EurekaClient extends EventEmitter {
  /** Their timer. */
  readonly heartbeat: NodeJS.Timeout;
  start(done: (error?: Error | null) => void): void;
  stop(done: (error?: Error | null) => void): void;
  fetchRegistry(done: (error?: Error | null) => void): void;
  getInstancesByAppId(
    app: string,
  ): { readonly hostName: string; readonly port: { readonly $: number }; readonly status: string }[];
  getInstancesByVipAddress(vip: string): { readonly hostName: string }[];
}
const { Eureka } = createRequire(import.meta.url)('eureka-js-client') as {
  Eureka: new (config: unknown) => EurekaClient;
};

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** What a client of theirs has sent. */
interface Sent {
  heartbeats: number;
}

/** A client of theirs; what is not said is its default, the service path with its trailing slash too. */
function theirClient(port: number, name: string, eureka: Record<string, unknown> = {}, sent?: Sent): EurekaClient {
  return new Eureka({
    logger: silent,
    requestMiddleware: (request: { method?: string }, proceed: (request: unknown) => void) => {
      if (sent && request.method === 'PUT') sent.heartbeats++;
      proceed(request);
    },
    instance: {
      app: name,
      instanceId: `host-of-${name}:4000`,
      hostName: `host-of-${name}`,
      ipAddr: '127.0.0.1',
      port: { $: 4_000, '@enabled': 'true' },
      vipAddress: name,
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
    },
    eureka: {
      host: '127.0.0.1',
      port,
      heartbeatInterval: 50,
      registryFetchInterval: 3_600_000,
      maxRetries: 0,
      ...eureka,
    },
  });
}

interface Seen {
  readonly line: string;
  readonly status: number;
}

/** Our registry on a real socket, with every exchange in its order. */
class OurRegistry {
  readonly registry: Registry;
  readonly seen: Seen[] = [];
  readonly #arrivals = new EventEmitter();
  readonly #errors: LogFields[] = [];
  #stop: (() => Promise<unknown>) | undefined;

  constructor() {
    const logger: Logger = { ...nullLogger, error: (message, fields) => this.#errors.push({ message, ...fields }) };
    this.registry = createRegistry({ clock: systemClock, random: systemRandom, logger });
  }

  async start(): Promise<number> {
    await this.registry.start();
    const network = nodeNetwork({ clock: systemClock, random: systemRandom });
    const listener = await network.listen(
      { host: '127.0.0.1', port: 0 },
      this.#recording(eurekaHandler(this.registry)),
    );
    this.#stop = () => Promise.all([this.registry.stop('test'), listener.drain(1_000)]);
    return listener.port;
  }

  /** Waits until requests with that line were answered that often. */
  async answered(line: string, times = 1): Promise<readonly Seen[]> {
    for (;;) {
      const answers = this.seen.filter((one) => one.line === line);
      if (answers.length >= times) return answers;
      await once(this.#arrivals, 'answer');
    }
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    assert.deepEqual(this.#errors, []);
  }

  #recording(handler: HttpHandler): HttpHandler {
    return async (request, call) => {
      const response = await handler(request, call);
      this.seen.push({ line: `${request.method} ${request.path.text}`, status: response.status });
      this.#arrivals.emit('answer');
      return response;
    };
  }
}

/**
 * Lets a client leave with no heartbeat on its way. One that arrives after the farewell is answered with 404, as it has to
 * be, and this client then registers again although it has stopped.
 */
async function leave(client: EurekaClient, ours: OurRegistry, heartbeatLine: string, sent: Sent): Promise<void> {
  clearInterval(client.heartbeat);
  await new Promise((resolve) => setImmediate(resolve));
  await ours.answered(heartbeatLine, sent.heartbeats);
  await done((callback) => client.stop(callback));
}

/** A method of theirs that ends with a callback. */
function done(run: (callback: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error ? reject(error) : resolve())));
}

for (const servicePath of ['/eureka/v2/apps/', '/eureka/apps/', '/v2/apps/']) {
  test(`eureka-js-client over ${servicePath} registers, renews, finds and leaves`, async () => {
    const ours = new OurRegistry();
    const port = await ours.start();
    const sent: Sent = { heartbeats: 0 };
    const orders = theirClient(port, 'orders', { servicePath }, sent);
    const web = theirClient(port, 'web', { servicePath });
    try {
      await done((callback) => orders.start(callback));
      assert.deepEqual(await ours.answered(`POST ${servicePath}orders`), [
        { line: `POST ${servicePath}orders`, status: 204 },
      ]);
      const registered = ours.registry.find('orders', 'host-of-orders:4000');
      assert.deepEqual(registered?.instance.addresses, [{ protocol: 'http', host: 'host-of-orders', port: 4_000 }]);
      assert.equal(registered?.instance.status, 'up');

      await once(orders, 'heartbeat');
      const heartbeat = `PUT ${servicePath}orders/host-of-orders:4000`;
      for (const { status } of await ours.answered(heartbeat, 3)) assert.equal(status, 200);
      const renewed = ours.registry.find('orders', 'host-of-orders:4000');
      assert.ok((renewed?.expiresAt ?? 0) > (registered?.expiresAt ?? Infinity), 'the lease was prolonged');

      await done((callback) => web.start(callback));
      const found = web.getInstancesByAppId('orders');
      assert.deepEqual(
        found.map(({ hostName, port: { $ }, status }) => [hostName, $, status]),
        [['host-of-orders', 4_000, 'UP']],
      );
      assert.deepEqual(
        web.getInstancesByVipAddress('orders').map(({ hostName }) => hostName),
        ['host-of-orders'],
      );

      await leave(orders, ours, heartbeat, sent);
      assert.deepEqual((await ours.answered(`DELETE ${servicePath}orders/host-of-orders:4000`)).at(-1)?.status, 200);
      assert.equal(ours.registry.find('orders', 'host-of-orders:4000'), undefined);
      await done((callback) => web.fetchRegistry(callback));
      assert.deepEqual(web.getInstancesByAppId('orders'), []);
      assert.equal(web.getInstancesByAppId('web').length, 1);
    } finally {
      await done((callback) => orders.stop(() => callback()));
      await done((callback) => web.stop(() => callback()));
      await ours.stop();
    }
  });
}

test('eureka-js-client registers again when our registry has forgotten it', async () => {
  const ours = new OurRegistry();
  const orders = theirClient(await ours.start(), 'orders');
  try {
    await done((callback) => orders.start(callback));
    ours.registry.deregister({ service: 'orders', id: 'host-of-orders:4000' });
    await once(orders, 'registered');
    const lines = ours.seen.map(({ line, status }) => `${line.split(' ')[0]} ${status}`);
    assert.ok(lines.includes('PUT 404'), lines.join(', '));
    assert.ok(ours.registry.find('orders', 'host-of-orders:4000'));
  } finally {
    await done((callback) => orders.stop(() => callback()));
    await ours.stop();
  }
});

test('eureka-js-client does not find who is not up', async () => {
  const ours = new OurRegistry();
  const port = await ours.start();
  const [orders, web] = [theirClient(port, 'orders'), theirClient(port, 'web')];
  try {
    await done((callback) => orders.start(callback));
    ours.registry.setStatus({ service: 'orders', id: 'host-of-orders:4000' }, 'draining');
    await done((callback) => web.start(callback));
    assert.deepEqual(web.getInstancesByAppId('orders'), []);
  } finally {
    await done((callback) => orders.stop(() => callback()));
    await done((callback) => web.stop(() => callback()));
    await ours.stop();
  }
});

test('eureka-js-client is told why our registry refuses it', async () => {
  const ours = new OurRegistry();
  const orders = theirClient(await ours.start(), 'bad name');
  try {
    await assert.rejects(
      done((callback) => orders.start(callback)),
      /eureka registration FAILED: status: 400 body: hostName "host-of-bad name" is not a host/,
    );
    assert.equal(ours.registry.size, 0);
  } finally {
    await done((callback) => orders.stop(() => callback()));
    await ours.stop();
  }
});
