/** With a peer that has no fingerprints and refuses notes, as Java servers do; real ones are in `interop/java`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpHandler, HttpHeaders, parseJson, readBody } from '@flotilla/http';
import { document, empty } from '../server/answers.ts';
import { Cluster } from '../testing/cluster.ts';
import { member } from '../testing/member.ts';
import { nodeHeader } from './peer-http.ts';

const json = (value: unknown) => document(JSON.stringify(value), 'application/json');
const born = 1_767_225_600_000;
const key = { service: 'orders', id: 'o1' };

/** A registry that behaves like a Java server towards its peers. */
const likeJava =
  (handler: HttpHandler): HttpHandler =>
  async (request, call) => {
    if (/fingerprints|peerreplication\/instances/.test(request.path.text)) return empty(404);
    const body = await readBody(request.body, 10_000_000, call);
    const batch = request.path.text.includes('batch') ? JSON.stringify(parseJson(body)) : '';
    if (batch.includes('"flotilla":')) return { ...json({ error: 'cannot parse request body' }), status: 400 };
    const response = await handler({ ...request, body }, call);
    const headers = new HttpHeaders([...response.headers].filter(([name]) => name !== nodeHeader));
    return { ...response, headers };
  };

/** Ours, which nobody may compare with: a Java server never does. */
const uncompared =
  (handler: HttpHandler): HttpHandler =>
  async (request, call) =>
    request.method === 'GET' ? empty(503) : handler(request, call);

async function withJava(): Promise<Cluster> {
  const cluster = new Cluster(['ours', 'java']);
  await cluster.start('java', likeJava);
  await cluster.start('ours', uncompared);
  await cluster.clock.advance(5_000);
  return cluster;
}

async function compared(cluster: Cluster): Promise<void> {
  await Promise.all([cluster.at('ours').peers.compareNow(), cluster.clock.advance(1_000)]);
  await cluster.clock.advance(1_000);
}

/** What a Java server that nobody reaches loses: tasks that wait too long. */
async function partition(cluster: Cluster, meanwhile: () => void, ms = 25_000): Promise<void> {
  cluster.cut.add('ours java');
  meanwhile();
  await cluster.clock.advance(ms);
}

test('it is known for what it is, and gets no notes', async () => {
  const cluster = await withJava();
  cluster.at('ours').registry.register(member('o1', born));
  cluster.at('java').registry.register(member('o2', born));
  await cluster.clock.advance(1_000);
  assert.deepEqual([cluster.at('java').registry.size, cluster.at('ours').registry.size], [2, 2]);
  assert.equal(cluster.at('ours').peers.states[0]?.kind, 'eureka');
  cluster.assertConverged();
  await cluster.stop();
});

test('one that takes the place of ours at the same address gets no notes either', async () => {
  const cluster = await Cluster.start(['ours', 'java']);
  await cluster.clock.advance(5_000);
  assert.equal(cluster.at('ours').peers.states[0]?.kind, 'flotilla');
  await cluster.end('java', 'killed');
  await cluster.start('java', likeJava);
  cluster.at('ours').registry.register(member('o1', born));
  await cluster.clock.advance(1_000);
  assert.equal(cluster.at('java').registry.size, 1);
  assert.equal(cluster.at('ours').peers.states[0]?.kind, 'eureka');
  await cluster.stop();
});

test('whom it lists and ours lost sight of is listed again', async () => {
  const cluster = await withJava();
  cluster.at('java').registry.register(member('o1', born), { replicated: true }); // told nobody
  await compared(cluster);
  assert.equal(cluster.at('ours').registry.get(key)?.instance.weight, 3);
  await cluster.stop();
});

test('whom ours lists and heard just now is told it', async () => {
  const cluster = await withJava();
  cluster.at('ours').registry.register(member('o1', born), { replicated: true });
  await compared(cluster);
  assert.equal(cluster.at('java').registry.size, 1);
  await cluster.stop();
});

test('who left while it was away is taken out there too', async () => {
  const cluster = await withJava();
  const { registry } = cluster.at('ours');
  registry.register(member('o1', born));
  await cluster.clock.advance(1_000);
  registry.deregister(key, undefined, { replicated: true }); // the word to the Java server is lost
  await compared(cluster);
  assert.equal(cluster.at('java').registry.size, 0);
  assert.equal(registry.size, 0);
  await cluster.stop();
});

test('the newer incarnation counts on both sides', async () => {
  const cluster = await withJava();
  cluster.at('ours').registry.register(member('o1', born));
  cluster.at('ours').registry.register(member('o2', born));
  await cluster.clock.advance(1_000);
  cluster.at('ours').registry.register(member('o1', born + 1_000), { replicated: true });
  cluster.at('java').registry.register(member('o2', born + 1_000), { replicated: true });
  cluster.at('java').registry.setStatus({ service: 'orders', id: 'o2' }, 'down', undefined, { replicated: true });
  await compared(cluster);
  cluster.assertConverged();
  assert.equal(cluster.at('java').registry.get(key)?.instance.incarnation, born + 1_000);
  await cluster.stop();
});

test('an override there of which no word came counts, unless an operator spoke here', async () => {
  const cluster = await withJava();
  cluster.at('ours').registry.register(member('o1', born));
  cluster.at('ours').registry.register(member('o2', born));
  await cluster.clock.advance(1_000);
  const other = { service: 'orders', id: 'o2' };
  cluster.at('ours').registry.setOverride(other, 'down');
  cluster.at('ours').registry.setOverride(other, undefined);
  await cluster.clock.advance(1_000);
  for (const each of [key, other])
    cluster.at('java').registry.setOverride(each, 'out-of-service', { replicated: true });
  await compared(cluster);
  assert.equal(cluster.at('ours').registry.get(key)?.instance.override, 'out-of-service');
  assert.equal(cluster.at('java').registry.get(other)?.instance.override, undefined);
  cluster.assertConverged();
  await cluster.stop();
});

test('nobody who is silent is kept alive between the two', async () => {
  const cluster = await withJava();
  await partition(cluster, () => cluster.at('ours').registry.register(member('o1', born)), 80_000);
  cluster.cut.clear();
  for (let minute = 0; minute < 6; minute++) {
    await cluster.clock.advance(60_000);
    await compared(cluster);
  }
  assert.deepEqual([...cluster.lists().values()], [[], []]);
  await cluster.stop();
});

test('operators may speak while it is away: their last word arrives', async () => {
  const cluster = await withJava();
  const { registry } = cluster.at('ours');
  registry.register(member('o1', born));
  await cluster.clock.advance(1_000);
  await partition(cluster, () => registry.setOverride(key, 'out-of-service'), 60_000);
  registry.renew(key);
  cluster.cut.clear();
  await cluster.clock.advance(31_000);
  assert.equal(cluster.at('java').registry.get(key)?.instance.override, 'out-of-service');
  await cluster.stop();
});

test('one that keeps renewals to itself is named before a lease ends, until it passes them on', async () => {
  const cluster = new Cluster(['ours', 'java']);
  const { registry: java } = await cluster.start('java', likeJava);
  java.register(member('o1', born), { replicated: true }); // `replicated`: ours is not told
  await cluster.start('ours', uncompared);
  const ours = cluster.at('ours');
  await cluster.clock.advance(1_000);
  for (let renewal = 0; renewal < 2; renewal++) {
    await cluster.clock.advance(29_000);
    java.renew(key, undefined, { replicated: true });
  }
  assert.equal(ours.peers.states[0]?.withholds, undefined);
  await compared(cluster);
  const { withholds } = ours.peers.states[0] ?? {};
  assert.deepEqual([withholds?.service, withholds?.id], ['orders', 'o1']);
  assert.equal(ours.registry.size, 1);
  await cluster.clock.advance(35_000);
  assert.equal(ours.registry.size, 0, 'the lease ended here');

  java.renew(key); // now it has ours among its peers
  await cluster.clock.advance(2_000);
  assert.equal(ours.registry.size, 1);
  await compared(cluster);
  assert.equal(ours.peers.states[0]?.withholds, undefined);
  await cluster.stop();
});
