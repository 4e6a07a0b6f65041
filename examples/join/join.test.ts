/** Each app is started as its user would start it, found through a registry, called through the gateway, and ended. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Instance, identity, nullLogger, nullMeter, nullTracer, systemClock, systemRandom } from '@flotilla/core';
import { checkRoutes, createGateway, type Gateway, outsideCalls } from '@flotilla/gateway';
import { type HttpHandler, HttpHeaders, type HttpListener, routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { type RegistryClient, registryClient } from '@flotilla/registry/client';
import { createRegistry, type Registry, registryRoutes } from '@flotilla/registry/server';

const foundation = { clock: systemClock, random: systemRandom };
const network = nodeNetwork(foundation);
const host = '127.0.0.1';
const folder = mkdtempSync(join(tmpdir(), 'flotilla-join-'));
const children = new Set<ChildProcess>();
let registry: Registry;
let registryDoor: HttpListener;
let discovery: RegistryClient;
let payments: HttpListener;
let gateway: Gateway;
let gatewayDoor: HttpListener;

/** Traces of the requests that reached `payments`, by id of the payment; one that is held waits for `release`. */
const traces = new Map<string, string>();
let holding = Promise.withResolvers<void>();
let release = Promise.withResolvers<void>();
const pay: HttpHandler = async ({ path }, call) => {
  const id = path.segments.at(-1) ?? '';
  traces.set(id, call.trace.traceId);
  if (id === 'held') {
    holding.resolve();
    await release.promise;
  }
  return { status: 200, headers: new HttpHeaders([['content-type', 'application/json']]), body: Buffer.from('"paid"') };
};

before(async () => {
  registry = createRegistry(foundation);
  await registry.start();
  registryDoor = await network.listen({ host, port: 0 }, routesHandler(registryRoutes(registry)));
  discovery = registryClient({ ...foundation, network, urls: [`http://${host}:${registryDoor.port}`] });
  payments = await network.listen({ host, port: 0 }, pay);
  discovery.registrar.register({
    id: 'payments:1',
    identity: identity('payments'),
    incarnation: systemClock.wallNow(),
    addresses: [{ protocol: 'http', host, port: payments.port }],
    contracts: [],
    status: 'up',
    weight: 1,
    revision: 0,
    metadata: {},
    bags: {},
  });
  const { resolver } = discovery;
  gateway = createGateway({
    ...foundation,
    network,
    resolver,
    logger: nullLogger,
    meter: nullMeter,
    tracer: nullTracer,
  });
  gateway.apply(
    checkRoutes({ routes: [{ id: 'orders', path: '/orders/**', to: 'service://orders', auth: 'public' }] }),
  );
  const outside = nodeNetwork({ ...foundation, makeCall: outsideCalls(foundation) });
  gatewayDoor = await outside.listen({ host, port: 0 }, gateway.handler);
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});
after(async () => {
  await gateway.close();
  await discovery.close();
  const drained = [gatewayDoor, payments, registryDoor].map((listener) => listener.drain(1_000));
  await registry.stop('the tests are over');
  await Promise.all(drained);
  rmSync(folder, { recursive: true, force: true });
});

interface App {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
}

/** Port 0 takes a free one: the server object says which. */
function start(file: string): App {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=flotilla-source', program], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      PORT: '0',
      FLOTILLA_REGISTRY: `http://${host}:${registryDoor.port}`,
      FLOTILLA_DRAIN_NOTICE_MS: '1500',
      FLOTILLA_HEALTH_INTERVAL_MS: '500',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  return {
    child,
    ended: new Promise((resolve) => void child.once('close', resolve)),
    output: () => output,
  };
}

/** Resolves when so many copies of `orders` are up. */
function up(count: number): Promise<readonly Instance[]> {
  return new Promise((resolve) => {
    const watch = discovery.resolver.watch({ service: 'orders' }, ({ instances }) => {
      const ready = instances.filter(({ status }) => status === 'up');
      if (ready.length !== count) return;
      queueMicrotask(() => watch.close());
      resolve(ready);
    });
  });
}

const ask = (id: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://${host}:${gatewayDoor.port}/orders/${id}`, { headers });

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

for (const framework of ['plain', 'express', 'fastify', 'hono', 'nest']) {
  suite(`the ${framework} app`, () => {
    test('registers, is reached through the gateway, traces on, and leaves without losing a request', async (t) => {
      holding = Promise.withResolvers();
      release = Promise.withResolvers();
      const first = start(`${framework}.ts`);
      t.after(() => t.diagnostic(first.output().slice(-2_000)));
      const [instance] = await up(1);
      const by = framework === 'plain' ? 'node:http' : framework;
      const through = await ask('7');
      assert.deepEqual(await through.json(), { id: '7', by, payment: 'paid' });
      const { port } = instance?.addresses[0] ?? {};
      const direct = await fetch(`http://${host}:${port}/orders/8`, { headers: { traceparent } });
      await direct.text();
      assert.equal(traces.get('8'), traceId, 'the trace that came in went on to the next service');

      const held = ask('held');
      await holding.promise;
      const second = start(`${framework}.ts`);
      await up(2);
      const load = Array.from({ length: 4 }, () => askUntil(first.ended));
      first.child.kill('SIGTERM');
      await up(1);
      release.resolve();
      assert.equal((await held).status, 200, 'what was in hand ended well');
      assert.equal(await first.ended, 0);
      const statuses = (await Promise.all(load)).flat();
      assert.ok(statuses.length > 0);
      assert.deepEqual([...new Set(statuses)], [200], 'nobody noticed');
      second.child.kill('SIGTERM');
      assert.equal(await second.ended, 0);
    });
  });
}

/** Asks one request after the other until the process has ended, and once more. */
async function askUntil(ended: Promise<unknown>): Promise<number[]> {
  const statuses: number[] = [];
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (;;) {
    const last = over;
    const response = await ask('9');
    await response.arrayBuffer();
    statuses.push(response.status);
    if (last) return statuses;
  }
}
