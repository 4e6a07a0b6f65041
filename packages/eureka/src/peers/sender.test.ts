/** What becomes of tasks when a peer does not do what it should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpHandler, readBody } from '@flotilla/http';
import { encodeInstance } from '../instance.ts';
import { document, empty } from '../server/answers.ts';
import { Cluster } from '../testing/cluster.ts';
import { member } from '../testing/member.ts';

const json = (value: unknown) => document(JSON.stringify(value), 'application/json');
const born = 1_767_225_600_000;
const key = { service: 'orders', id: 'o1' };

interface Sent {
  readonly at: number;
  readonly items: readonly { readonly id: string; readonly action: string }[];
}

/** A registry of ours with a Java server that answers batches as `answer` says. */
async function withJava(
  answer: (items: Sent['items'], count: number) => Awaited<ReturnType<HttpHandler>>,
): Promise<{ cluster: Cluster; sent: Sent[]; comparedAt: number[] }> {
  const sent: Sent[] = [];
  const comparedAt: number[] = [];
  const cluster = new Cluster(['ours', 'java']);
  await cluster.network.listen({ host: 'java', port: 8761 }, async ({ path, body }, call) => {
    if (path.text === '/eureka/peerreplication/fingerprints') comparedAt.push(cluster.clock.now());
    if (path.text !== '/eureka/peerreplication/batch/') return empty(404);
    const { replicationList } = JSON.parse(Buffer.from(await readBody(body, 1_000_000, call)).toString());
    sent.push({ at: cluster.clock.now(), items: replicationList });
    return answer(replicationList, sent.length);
  });
  await cluster.start('ours');
  await cluster.clock.advance(100);
  return { cluster, sent, comparedAt };
}

const done = (items: Sent['items']) => json({ responseList: items.map(() => ({ statusCode: 200 })) });
const ids = (sent: readonly Sent[]): string[] => sent.map(({ items }) => items.map(({ id }) => id).join(' '));

test('a heartbeat that the peer answers with 404 is followed by all that is known', async () => {
  const { cluster, sent } = await withJava((items) =>
    json({ responseList: items.map(({ action }) => ({ statusCode: action === 'Heartbeat' ? 404 : 200 })) }),
  );
  cluster.at('ours').registry.register(member('o1', born));
  await cluster.clock.advance(1_000);
  cluster.at('ours').registry.renew(key);
  await cluster.clock.advance(1_000);
  assert.deepEqual(
    sent.map(({ items }) => items[0]?.action),
    ['Register', 'Heartbeat', 'Register'],
  );
  await cluster.stop();
});

test('a heartbeat that the peer answers with a newer instance makes that one listed, and its override', async () => {
  const newer = member('o1', born + 5, { metadata: { color: 'red' }, override: 'out-of-service' });
  const { cluster } = await withJava((items) =>
    json({
      responseList: items.map(({ action }) =>
        action === 'Heartbeat' ? { statusCode: 409, responseEntity: encodeInstance(newer) } : { statusCode: 200 },
      ),
    }),
  );
  const { registry } = cluster.at('ours');
  registry.register(member('o1', born));
  registry.renew(key);
  await cluster.clock.advance(1_000);
  const { instance } = registry.get(key) ?? {};
  assert.deepEqual(
    [instance?.incarnation, instance?.metadata, instance?.override],
    [born + 5, { color: 'red' }, 'out-of-service'],
  );
  await cluster.stop();
});

test('while a peer answers 503 its tasks wait, longer each time, and arrive in their order', async () => {
  const { cluster, sent } = await withJava((items, count) => (count <= 3 ? empty(503) : done(items)));
  const { registry } = cluster.at('ours');
  registry.register(member('o1', born));
  await cluster.clock.advance(25);
  registry.register(member('o2', born));
  await cluster.clock.advance(30_000);
  assert.deepEqual(ids(sent), ['o1', 'o1 o2', 'o1 o2', 'o1 o2']);
  const waits = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0));
  for (const [index, wait] of waits.entries()) {
    assert.ok(wait >= 500 * 2 ** index && wait <= 1_000 * 2 ** index + 25, `wait ${index} was ${wait} ms`);
  }
  await cluster.stop();
});

test('a task that the peer refuses with its whole batch does not hold up the others', async () => {
  const { cluster, sent } = await withJava((items) => (items.some(({ id }) => id === 'o3') ? empty(400) : done(items)));
  const { registry } = cluster.at('ours');
  for (let n = 1; n <= 5; n++) registry.register(member(`o${n}`, born));
  await cluster.clock.advance(5_000);
  const arrived = sent.filter(({ items }) => !items.some(({ id }) => id === 'o3'));
  assert.deepEqual(arrived.flatMap(({ items }) => items.map(({ id }) => id)).sort(), ['o1', 'o2', 'o4', 'o5']);
  assert.equal(cluster.at('ours').peers.states[0]?.lost, 1);
  assert.equal(cluster.at('ours').peers.states[0]?.queued, 0);
  await cluster.stop();
});

test('an answer that is no result for each task drops the batch: it is not repeated for ever', async () => {
  const { cluster, sent } = await withJava(() => json({ responseList: [] }));
  cluster.at('ours').registry.register(member('o1', born));
  await cluster.clock.advance(5_000);
  assert.equal(sent.length, 1);
  assert.match(cluster.at('ours').peers.states[0]?.lastError?.reason ?? '', /0 results to a batch of 1 tasks/);
  await cluster.stop();
});

test('a batch to a Java server has 250 tasks at most', async () => {
  const { cluster, sent } = await withJava(done);
  for (let n = 0; n < 600; n++) cluster.at('ours').registry.register(member(`o${n}`, born));
  await cluster.clock.advance(1_000);
  assert.deepEqual(
    sent.map(({ items }) => items.length),
    [250, 250, 100],
  );
  await cluster.stop();
});

test('whom another registry lets go while a registration is on its way to a Java server is cancelled there', async () => {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const actions: (string | undefined)[] = [];
  const cluster = new Cluster(['ours', 'java']);
  await cluster.network.listen({ host: 'java', port: 8761 }, async ({ path, body }, call) => {
    if (path.text !== '/eureka/peerreplication/batch/') return empty(404);
    const { replicationList } = JSON.parse(Buffer.from(await readBody(body, 1_000_000, call)).toString());
    actions.push(...replicationList.map(({ action }: { action: string }) => action));
    arrived.resolve();
    await answer.promise;
    return done(replicationList);
  });
  await cluster.start('ours');
  const { registry } = cluster.at('ours');
  registry.register(member('o1', born));
  await cluster.clock.advance(25);
  await arrived.promise;
  registry.deregister(key, undefined, { replicated: true });
  answer.resolve();
  await cluster.clock.advance(1_000);
  assert.deepEqual(actions, ['Register', 'Cancel']);
  await cluster.stop();
});

test('what a peer could not do is lost, and the lists are compared soon', async () => {
  const { cluster, comparedAt } = await withJava((items) =>
    json({ responseList: items.map(() => ({ statusCode: 500 })) }),
  );
  await cluster.clock.advance(10_000);
  const before = comparedAt.length;
  cluster.at('ours').registry.register(member('o1', born));
  await cluster.clock.advance(3_000);
  const [state] = cluster.at('ours').peers.states;
  assert.equal(state?.lost, 1);
  assert.equal(comparedAt.length, before + 1);
  await cluster.stop();
});
