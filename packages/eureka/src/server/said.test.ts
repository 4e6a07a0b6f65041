import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registration, type Served, served } from '../testing/served.ts';

const dirty = 1_767_225_600_000;
const apps = '/eureka/apps/ORDER-SERVICE';
const id = '127.0.0.1:order-service:18720';
const one = `${apps}/${id}`;

async function register({ send }: Served, changes: Record<string, unknown> = {}, at = dirty): Promise<number> {
  return (await send(`POST ${apps}`, { json: registration(at, changes) })).status;
}

async function statuses({ send }: Served): Promise<[status: string, overridden: string] | undefined> {
  const { status, text } = await send(`GET ${one}`);
  if (status === 404) return undefined;
  const { instance } = JSON.parse(text);
  return [instance.status, instance.overriddenStatus];
}

async function statusOf({ send }: Served, line: string): Promise<number> {
  return (await send(line)).status;
}

/** The chain of `DownOrStartingRule`, `OverrideExistsRule`, `AlwaysMatchInstanceStatusRule`. */
const chain: readonly [own: string, override: string, counts: string][] = [
  ['UP', 'OUT_OF_SERVICE', 'OUT_OF_SERVICE'],
  ['UP', 'DOWN', 'DOWN'],
  ['OUT_OF_SERVICE', 'UP', 'UP'],
  ['DOWN', 'UP', 'DOWN'],
  ['STARTING', 'UP', 'STARTING'],
  ['UNKNOWN', 'UP', 'UNKNOWN'],
];
for (const [own, override, counts] of chain) {
  test(`${own} of its owner and ${override} of an operator is ${counts}, also after it registers again`, async () => {
    const registry = await served();
    await register(registry, { status: own });
    assert.equal(await statusOf(registry, `PUT ${one}/status?value=${override}`), 200);
    assert.deepEqual(await statuses(registry), [counts, override]);
    await register(registry, { status: own }, dirty + 1);
    assert.deepEqual(await statuses(registry), [counts, override]);
    await registry.stop();
  });
}

test('the status that an instance has already is no override', async () => {
  const registry = await served();
  await register(registry);
  assert.equal(await statusOf(registry, `PUT ${one}/status?value=UP`), 200);
  await register(registry, { status: 'OUT_OF_SERVICE' }, dirty + 1);
  assert.deepEqual(await statuses(registry), ['OUT_OF_SERVICE', 'UNKNOWN']);
  await registry.stop();
});

test("an operator's word that is taken back: the owner's counts at once, and it is sent to register again", async () => {
  const registry = await served();
  await register(registry);
  await statusOf(registry, `PUT ${one}/status?value=OUT_OF_SERVICE`);
  assert.equal(await statusOf(registry, `DELETE ${one}/status?lastDirtyTimestamp=${dirty}`), 200);
  assert.deepEqual(await statuses(registry), ['UP', 'UNKNOWN']);
  for (let twice = 0; twice < 2; twice++)
    assert.equal(await statusOf(registry, `PUT ${one}?status=UP&lastDirtyTimestamp=${dirty}`), 404);
  await register(registry, {}, dirty + 1);
  assert.equal(await statusOf(registry, `PUT ${one}?status=UP&lastDirtyTimestamp=${dirty + 1}`), 200);
  await registry.stop();
});

test('an operator who takes a word back may say what counts instead', async () => {
  const registry = await served();
  await register(registry);
  await statusOf(registry, `PUT ${one}/status?value=OUT_OF_SERVICE`);
  assert.equal(await statusOf(registry, `DELETE ${one}/status?value=DOWN`), 200);
  assert.deepEqual(await statuses(registry), ['DOWN', 'UNKNOWN']);
  assert.equal(await statusOf(registry, `PUT ${one}`), 200);
  await registry.stop();
});

test('where there is no word of an operator, none is taken back', async () => {
  const registry = await served();
  await register(registry);
  assert.equal(await statusOf(registry, `DELETE ${one}/status?value=DOWN`), 200);
  assert.deepEqual(await statuses(registry), ['UP', 'UNKNOWN']);
  assert.equal(await statusOf(registry, `PUT ${one}`), 200);
  await registry.stop();
});

test('who is listed as UNKNOWN is sent to register', async () => {
  const registry = await served();
  await register(registry, { status: 'UNKNOWN' });
  assert.equal(await statusOf(registry, `PUT ${one}`), 404);
  await register(registry, { status: 'UP' });
  assert.equal(await statusOf(registry, `PUT ${one}`), 200);
  await registry.stop();
});

/** A Java server answers these with 500. */
const mistakes: readonly string[] = [
  `PUT ${one}/status`,
  `PUT ${one}/status?value=`,
  `PUT ${one}/status?value=down`,
  `PUT ${one}/status?value=DOWN&lastDirtyTimestamp=x`,
  `DELETE ${one}/status?value=down`,
  `DELETE ${one}/status?lastDirtyTimestamp=x`,
];
for (const line of mistakes) {
  test(`${line.replace(one, '')} is 400, and nothing is done`, async () => {
    const registry = await served();
    await register(registry);
    await statusOf(registry, `PUT ${one}/status?value=OUT_OF_SERVICE`);
    assert.equal(await statusOf(registry, line), 400);
    assert.deepEqual(await statuses(registry), ['OUT_OF_SERVICE', 'OUT_OF_SERVICE']);
    assert.equal(await statusOf(registry, line.replace(id, 'nobody')), 404, 'first of all it has to be there');
    await registry.stop();
  });
}

test('an older registration changes nothing, one as old does', async () => {
  const registry = await served();
  await register(registry);
  assert.equal(await register(registry, { status: 'DOWN' }, dirty - 1), 204);
  assert.deepEqual(await statuses(registry), ['UP', 'UNKNOWN']);
  assert.equal(await register(registry, { status: 'DOWN' }), 204);
  assert.deepEqual(await statuses(registry), ['DOWN', 'UNKNOWN']);
  await registry.stop();
});

test('an owner that gives every life the same timestamp comes back, and goes on being heard', async () => {
  const registry = await served();
  await register(registry);
  await statusOf(registry, `DELETE ${one}`);
  assert.equal(await register(registry), 204);
  assert.deepEqual(await statuses(registry), ['UP', 'UNKNOWN']);
  assert.equal(await statusOf(registry, `PUT ${one}?lastDirtyTimestamp=${dirty}`), 200);
  await register(registry, { status: 'DOWN' });
  assert.deepEqual(await statuses(registry), ['DOWN', 'UNKNOWN']);
  await registry.stop();
});

test('a replay from before the farewell, and a late DOWN, bring nobody back', async () => {
  const registry = await served();
  await register(registry);
  await statusOf(registry, `DELETE ${one}`);
  assert.equal(await register(registry, {}, dirty - 1), 204);
  assert.equal(await register(registry, { status: 'DOWN' }), 204);
  assert.equal(await statuses(registry), undefined);
  await registry.stop();
});

test('what it said of itself long ago, an owner may say again when it has been evicted', async () => {
  const registry = await served();
  await register(registry);
  await registry.clock.advance(90_000);
  assert.equal(await statuses(registry), undefined);
  await register(registry);
  assert.deepEqual(await statuses(registry), ['UP', 'UNKNOWN']);
  await registry.stop();
});

test('metadata is merged for a while; its owner has the last word', async () => {
  const registry = await served();
  await register(registry);
  assert.equal(await statusOf(registry, `PUT ${one}/metadata?colour=blue&colour=red&zone=&empty`), 200);
  const metadata = async () => JSON.parse((await registry.send(`GET ${one}`)).text).instance.metadata;
  assert.deepEqual(await metadata(), { 'management.port': '18720', colour: 'blue', empty: '', zone: '' });
  await register(registry);
  assert.deepEqual(await metadata(), { zone: 'zone-a', 'management.port': '18720' });
  await registry.stop();
});

test('an application may be called like a path, as far as it is addressed in capitals', async () => {
  const registry = await served();
  const json = registration(dirty, { app: 'delta', vipAddress: 'delta' });
  assert.equal((await registry.send('POST /eureka/apps/DELTA', { json })).status, 204);
  assert.equal(await statusOf(registry, `PUT /eureka/apps/DELTA/${id}`), 200);
  assert.equal(await statusOf(registry, `PUT /eureka/apps/delta/${id}`), 200);
  assert.match((await registry.send('GET /eureka/apps/DELTA')).text, /^\{"application":/);
  assert.match((await registry.send('GET /eureka/apps/delta')).text, /^\{"applications":/);
  await registry.stop();
});
