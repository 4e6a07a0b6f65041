/** What Java servers sent each other, sent to ours; and what ours sends beside it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/core/testing';
import { readBody } from '@flotilla/http';
import { decodeInstance } from '../instance.ts';
import { document, empty } from '../server/answers.ts';
import { Cluster } from '../testing/cluster.ts';
import { served } from '../testing/served.ts';
import { type Exchange, noTraffic, readTraffic } from '../testing/traffic.ts';

const json = (value: unknown) => document(JSON.stringify(value), 'application/json');

interface Batch {
  readonly replicationList: readonly Record<string, unknown>[];
}

const exchanges = noTraffic === false ? readTraffic('peer-replication-2025.0.txt') : [];
/** A little after the recording was made, so that nothing in it lies in the future. */
const recordedAt = Date.parse('2026-11-22T21:06:56Z');

/** What has to be there before an exchange: the recording begins in the middle of a life. */
const before: Readonly<Record<string, (send: Send) => Promise<unknown>>> = {
  'Heartbeat for an instance the peer lost: item 404': async (send) => {
    await send('DELETE /eureka/apps/CART/c1', replica);
    await send('POST /eureka/apps/REGISTRY', { ...replica, json: { instance: registryInstance() } });
  },
  'the peer holds a newer copy: item 409 + responseEntity': (send) =>
    send('POST /eureka/apps/CART', { ...replica, json: { instance: newerCart() } }),
};
const replica = { headers: { 'x-netflix-discovery-replication': 'true' } };
type Send = Awaited<ReturnType<typeof served>>['send'];

test('a recorded conversation of Java peers is answered as the Java server answered it', {
  skip: noTraffic,
}, async () => {
  const { send, stop } = await served(undefined, { clock: new ManualClock({ epochMs: recordedAt }) });
  assert.equal(exchanges.length, 10);
  for (const { title, request, response } of exchanges) {
    await before[title]?.(send);
    const answer = await send(request.start.replace(' HTTP/1.1', ''), {
      headers: Object.fromEntries(request.fields.filter(([name]) => /^(?:accept|content-type)$/.test(name))),
      json: request.body,
    });
    assert.equal(`HTTP/1.1 ${answer.status}`, response.start, title);
    assert.equal(answer.headers.get('content-type'), 'application/json', title);
    assert.deepEqual(withoutTimes(answer.text), withoutTimes(response.body), title);
  }
  await stop();
});

test('ours writes batches of the same members in the same order', { skip: noTraffic }, async () => {
  const sent: Batch[] = [];
  const cluster = new Cluster(['ours', 'java']);
  await cluster.network.listen({ host: 'java', port: 8761 }, async ({ path, body }, call) => {
    if (path.text !== '/eureka/peerreplication/batch/') return empty(404);
    const batch: Batch = JSON.parse(Buffer.from(await readBody(body, 1_000_000, call)).toString());
    sent.push(batch);
    return json({ responseList: batch.replicationList.map(() => ({ statusCode: 200 })) });
  });
  await cluster.start('ours');
  await cluster.clock.advance(100);
  const { registry } = cluster.at('ours');
  const recorded = exchangesOf('Register')[0];
  assert.ok(recorded);
  registry.register(decodeInstance(recorded['instanceInfo'], recordedAt));
  await cluster.clock.advance(600);
  const key = { service: 'cart', id: 'c1' };
  registry.renew(key);
  await cluster.clock.advance(600);
  registry.setOverride(key, 'out-of-service');
  await cluster.clock.advance(600);
  registry.renew(key);
  await cluster.clock.advance(600);
  registry.setOverride(key, undefined);
  await cluster.clock.advance(600);
  registry.deregister(key);
  await cluster.clock.advance(600);

  const items = sent.flatMap(({ replicationList }) => replicationList);
  const wanted = [
    'Register',
    'Heartbeat',
    'StatusUpdate',
    'Heartbeat while overridden',
    'DeleteStatusOverride',
    'Cancel',
  ];
  assert.deepEqual(
    items.map((item) => JSON.stringify(shapeOf(item))),
    wanted.map((title) => JSON.stringify(shapeOf(exchangesOf(title)[0] ?? {}))),
  );
  await cluster.stop();
});

function exchangesOf(title: string): Batch['replicationList'] {
  const found: Exchange | undefined = exchanges.find((exchange) => exchange.title === title);
  return found ? (JSON.parse(found.request.body) as Batch).replicationList : [];
}

/** Members in their order, with the values that do not depend on the clock. */
function shapeOf(value: unknown, name = ''): unknown {
  if (typeof value !== 'object' || value === null) return /Timestamp$/.test(name) ? typeof value : value;
  return Object.entries(value).map(([member, inner]) => [member, shapeOf(inner, member)]);
}

function withoutTimes(text: string): unknown {
  return JSON.parse(text, (name, value: unknown) =>
    ['registrationTimestamp', 'lastRenewalTimestamp', 'lastUpdatedTimestamp', 'serviceUpTimestamp'].includes(name)
      ? 0
      : value,
  );
}

function newerCart(): object {
  const body = exchanges.find(({ title }) => title.startsWith('the peer holds a newer copy'))?.response.body ?? '{}';
  return JSON.parse(body).responseList[0].responseEntity;
}

function registryInstance(): object {
  const cart = exchangesOf('Register')[0]?.['instanceInfo'] as object;
  return { ...cart, instanceId: '127.0.0.1:registry:18704', app: 'REGISTRY', lastDirtyTimestamp: '1795381537161' };
}
