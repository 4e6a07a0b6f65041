import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, suite, test } from 'node:test';
import {
  effectiveStatus,
  type Instance,
  type InstanceSet,
  identity,
  type Registration,
  systemClock,
  systemRandom,
  type Target,
} from '@flotilla/core';
import { type EurekaClient, type EurekaClientOptions, eurekaClient } from '@flotilla/eureka/client';
import { nodeNetwork } from '@flotilla/http/node';
import { eventually, within } from './programs/deadline.ts';
import { freePort, type SpringProgram, skip, startEurekaServer, startSpringService } from './programs/java.ts';

const needs = { clock: systemClock, random: systemRandom };
/** A server that shows a write at once, and ends leases when they are due. */
const prompt = [
  '--eureka.server.use-read-only-response-cache=false',
  '--eureka.server.enable-self-preservation=false',
  '--eureka.server.eviction-interval-timer-in-ms=500',
];

const ours: Instance = {
  id: 'ours:1',
  identity: identity('orders', { version: '2' }),
  incarnation: Date.now(),
  addresses: [
    { protocol: 'http', host: '127.0.0.1', port: 18_080 },
    { protocol: 'rsocket', host: '127.0.0.1', port: 18_081 },
  ],
  contracts: [{ name: 'orders', version: 3, hash: 'abc' }],
  status: 'up',
  zone: 'east',
  weight: 0.5,
  lease: { renewEveryMs: 1_000, lastsMs: 30_000 },
  startedAt: Date.now(),
  revision: 0,
  metadata: { colour: 'blue', 'flotilla.weight': 'an owner may say so' },
  bags: {},
};

/** A client that fetches twice a second. */
function clientOf(urls: string | readonly string[], options: Partial<EurekaClientOptions> = {}): EurekaClient {
  return eurekaClient({ urls: [urls].flat(), network: nodeNetwork(needs), ...needs, pollEveryMs: 500, ...options });
}

/** What a watch is told, and who waits for a set that fits. */
class Sets {
  latest: InstanceSet | undefined;
  readonly #news = new EventEmitter();

  constructor(client: EurekaClient, target: Target) {
    client.resolver.watch(target, (set) => {
      this.latest = set;
      this.#news.emit('set');
    });
  }

  until(what: string, fits: (instances: readonly Instance[]) => boolean): Promise<readonly Instance[]> {
    const look = async (): Promise<readonly Instance[]> => {
      while (!this.latest || !fits(this.latest.instances)) await once(this.#news, 'set');
      return this.latest.instances;
    };
    return within(what, look());
  }
}

const has = (status: string) => (instances: readonly Instance[]) =>
  instances.length === 1 && instances.every((instance) => effectiveStatus(instance) === status);

suite('our client at a real Eureka server', { skip }, () => {
  const release = new AsyncDisposableStack();
  let server: SpringProgram;
  let reader: EurekaClient;
  let owner: EurekaClient;
  let registration: Registration;
  let orders: Sets;

  /** Status and action of our instance, as Java's clients read it. */
  async function atServer(): Promise<string> {
    const response = await fetch(`${server.url}/eureka/apps/ORDERS/ours:1`, {
      headers: { accept: 'application/json' },
    });
    if (response.status !== 200) return `${response.status}`;
    const { instance } = (await response.json()) as { instance: { status: string; overriddenStatus: string } };
    return `${instance.status} ${instance.overriddenStatus}`;
  }

  const atServerIs = (wanted: string): Promise<string> =>
    eventually(`the server says ${wanted}`, atServer, (said) => said === wanted);

  before(async () => {
    server = release.use(await startEurekaServer(prompt));
    const [read, own] = [clientOf(`${server.url}/eureka`), clientOf(`${server.url}/eureka`)];
    release.defer(() => read.close());
    release.defer(() => own.close());
    [reader, owner] = [read, own];
    orders = new Sets(reader, { contract: 'orders' });
    registration = owner.registrar.register(ours);
    await registration.announced;
  });
  after(() => release.disposeAsync());

  test('an instance of ours is registered, and read back with all that it says', async () => {
    await atServerIs('UP UNKNOWN');
    const [found] = await orders.until('ours', ({ length }) => length === 1);
    const { bags: _, ...facts } = found ?? ours;
    const { bags: __, ...told } = ours;
    // Since when it is up is the server's word: it counts from the moment in which it heard of it.
    assert.deepEqual({ ...facts, startedAt: 0 }, { ...told, startedAt: 0 });
  });

  test('draining is DOWN to Java, and draining to us; up again is UP', async () => {
    await registration.setStatus('draining');
    await atServerIs('DOWN UNKNOWN');
    await orders.until('draining', has('draining'));
    await registration.setStatus('up');
    await atServerIs('UP UNKNOWN');
    await orders.until('up', has('up'));
  });

  test('out of service is OUT_OF_SERVICE, although Java keeps UP over a re-registration', async () => {
    await registration.setStatus('out-of-service');
    await atServerIs('OUT_OF_SERVICE OUT_OF_SERVICE');
    await orders.until('out of service', has('out-of-service'));
    await registration.setStatus('up');
    await atServerIs('UP UNKNOWN');
    await orders.until('up', has('up'));
  });

  test('an operator takes it out and back: seen by delta, and its heartbeats do not undo it', async () => {
    const status = (method: string, value: string): Promise<Response> =>
      fetch(`${server.url}/eureka/apps/ORDERS/ours:1/status?value=${value}`, { method });
    assert.equal((await status('PUT', 'OUT_OF_SERVICE')).status, 200);
    await orders.until('out of service', has('out-of-service'));
    assert.equal((await status('DELETE', 'UP')).status, 200);
    await orders.until('up', has('up'));
  });

  test('a Spring service is found by name in any case, with its zone, and called', async () => {
    const registry = `${server.url}/eureka/`;
    const args = ['--eureka.instance.metadata-map.zone=west', '--eureka.instance.metadata-map.weight=3'];
    const books = await startSpringService({ of: 'current', name: 'books', registry, args });
    release.use(books);
    const found = await new Sets(reader, { service: 'Books' }).until('books', has('up'));
    assert.deepEqual([found[0]?.identity.service, found[0]?.zone, found[0]?.weight], ['books', 'west', 3]);
    assert.deepEqual(
      found[0]?.addresses.map(({ protocol, port }) => [protocol, port]),
      [['http', books.port]],
    );
    const [{ host = '', port = 0 } = {}] = found[0]?.addresses ?? [];
    assert.equal((await fetch(`http://${host}:${port}/greetings/reader`)).status, 200);
    const sets = new Sets(reader, { service: 'books' });
    await books.leave();
    await sets.until('books gone', (instances) => instances.length === 0);
  });

  test('the short form names whom it can; an address that is dead is passed over', async () => {
    const client = clientOf([`http://127.0.0.1:${await freePort()}`, `${server.url}/eureka`], { compact: true });
    const [found] = await new Sets(client, { service: 'orders' }).until('ours', ({ length }) => length === 1);
    assert.deepEqual([found?.id, found?.addresses[0]?.port], ['ours:1', 18_080]);
    await client.close();
  });

  test('while the server is gone the last list stays; one that knows nothing is registered with anew', async () => {
    await orders.until('up', has('up'));
    await server.kill();
    const before = orders.latest;
    const other = clientOf(`${server.url}/eureka`);
    const late = new Sets(other, { contract: 'orders' });
    server = release.use(await startEurekaServer(prompt, server.port));
    await atServerIs('UP UNKNOWN');
    await late.until('ours', has('up'));
    assert.equal(orders.latest?.instances.length, before?.instances.length);
    await other.close();
  });

  test('who leaves is gone', async () => {
    await registration.deregister();
    assert.equal(await atServer(), '404');
    await orders.until('gone', (instances) => instances.length === 0);
  });
});
