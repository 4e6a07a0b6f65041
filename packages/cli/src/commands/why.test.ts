import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { type Cluster, Clusters, createCluster } from '@flotilla/balance';
import { Call, FlotillaError, type Instance, nullLogger, Secret, systemClock, systemRandom } from '@flotilla/core';
import { anInstance, ManualClock, seededRandom } from '@flotilla/core/testing';
import { nodeNetwork } from '@flotilla/http/node';
import { createHealth, managementHandler, prometheusMeter } from '@flotilla/telemetry';
import type { Output } from './output.ts';
import { type Caller, why } from './why.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const clock = new ManualClock();
const random = seededRandom(4);

function orders(id: string, changes: Partial<Instance> = {}): Instance {
  return anInstance({ id, addresses: [{ protocol: 'http', host: `${id}.internal`, port: 8080 }], ...changes });
}

/** A fleet with something of everything, after some calls. */
async function calledCluster(): Promise<Cluster<string, string>> {
  const young = clock.wallNow() - 12_000;
  const instances = [
    orders('orders-1', { zone: 'a' }),
    orders('orders-2', { zone: 'a' }),
    orders('orders-3', { zone: 'a', startedAt: young }),
    orders('orders-4', { zone: 'a' }),
    orders('orders-5', { zone: 'b' }),
    orders('orders-6', { zone: 'b' }),
    orders('orders-next', { zone: 'a', metadata: { lane: 'next' } }),
    orders('orders-old', { zone: 'a', status: 'draining' }),
  ];
  const cluster = createCluster<string, string>({
    target: { service: 'orders' },
    resolver: {
      watch(_target, update) {
        update({ instances, warming: false });
        return { close() {} };
      },
    },
    connect: ({ host }) => ({
      status: 'open',
      load: 0,
      async handle(_request, call) {
        if (!host.startsWith('orders-4')) {
          await clock.advance(Number(host.at(7)) * 3);
          if (call.idempotencyKey === undefined) call.end();
          return host;
        }
        const error = new FlotillaError('CONNECT_FAILED', 'refused');
        call.end(error);
        throw error;
      },
      close: async () => {},
    }),
    protocols: ['http'],
    ownZone: 'a',
    failureMs: 0,
    clock,
    random,
  });
  cluster.start();
  for (let n = 0; n < 60; n++) {
    const held = n > 57 ? { idempotencyKey: 'held' } : {};
    await cluster.handle('x', new Call({ clock, random, ...held })).catch(() => {});
  }
  return cluster;
}

/** The management port of a process, on a real socket. */
async function serves(clusters: Clusters, credentials?: { user: string; password: Secret }): Promise<string> {
  const parts = { clock: systemClock, random: systemRandom };
  const handler = managementHandler({
    health: createHealth(),
    meter: prometheusMeter({ processMetrics: false }),
    config: () => [],
    info: () => ({}),
    why: (service) => clusters.explain(service),
    logger: nullLogger,
    ...(credentials && { credentials: () => credentials }),
  });
  const listener = await nodeNetwork(parts).listen({ host: '127.0.0.1', port: 0 }, handler);
  stops.push(() => listener.drain(1_000));
  return `127.0.0.1:${listener.port}`;
}

async function said(callers: readonly Caller[], service: string, json = false): Promise<string> {
  const lines: string[] = [];
  const output: Output = { json, print: (line) => void lines.push(line) };
  await why(callers, service, output);
  return lines.join('\n');
}

test('every process that calls the service says why; the page about balancing shows this very text', async () => {
  const clusters = new Clusters();
  const cluster = await calledCluster();
  clusters.add('orders', cluster);
  const callers = [
    { name: 'web', managementUrl: `http://${await serves(clusters)}` },
    { name: 'registry', managementUrl: `http://${await serves(new Clusters())}/` },
  ];
  const expected = readFileSync(new URL('../../test/fixtures/why.txt', import.meta.url), 'utf8');
  assert.equal(await said(callers, 'orders'), expected.trimEnd());
  const document = JSON.parse(await said(callers, 'orders', true));
  assert.equal(document.service, 'orders');
  assert.deepEqual(
    document.callers.map(({ caller, target, pick }: Record<string, string>) => [caller, target, pick]),
    [['web', 'service:orders', 'peak-ewma']],
  );
  await assert.rejects(said(callers, 'users'), {
    code: 'NO_ROUTE',
    message: /nobody calls "users": asked web, registry$/,
  });
});

test('a management port that wants credentials gets them from its URL, and says so without them', async () => {
  const clusters = new Clusters();
  clusters.add('orders', await calledCluster());
  const place = await serves(clusters, { user: 'ops', password: new Secret('kX9-hj2-qq71-vL') });
  const caller = (user: string): Caller[] => [{ name: 'web', managementUrl: `http://${user}${place}` }];
  assert.match(await said(caller('ops:kX9-hj2-qq71-vL@'), 'orders'), /^web → service:orders: /);
  await assert.rejects(said(caller(''), 'orders'), { code: 'BAD_RESPONSE', message: /web answered 401/ });
});
