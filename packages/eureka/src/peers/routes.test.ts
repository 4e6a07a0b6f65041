import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@flotilla/core';
import type { RegistryRole, RegistryUser } from '@flotilla/registry/server';
import { registration, served } from '../testing/served.ts';

const dirty = 1_767_225_600_000;
const apps = '/eureka/apps/ORDER-SERVICE';
const id = '127.0.0.1:order-service:18720';
const batch = '/eureka/peerreplication/batch/';
const key = { service: 'order-service', id };

const users: RegistryUser[] = (['reader', 'instance', 'peer', 'operator'] as const).map((role: RegistryRole) => ({
  name: role,
  password: new Secret('a password of length'),
  role,
  services: ['order-service'],
}));
const as = (name: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${name}:a password of length`).toString('base64')}`,
});
const replication = { 'x-netflix-discovery-replication': 'true' };

const register = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  appName: 'ORDER-SERVICE',
  id,
  lastDirtyTimestamp: dirty,
  status: 'UP',
  instanceInfo: registration(dirty, changes).instance,
  action: 'Register',
});
const listOf = (...items: unknown[]): { replicationList: unknown[] } => ({ replicationList: items });

for (const [role, may] of [
  ['reader', false],
  ['instance', false],
  ['peer', true],
  ['operator', true],
] as const) {
  test(`${role}: ${may ? 'may replicate' : 'is refused, however it says that it replicates'}`, async () => {
    const { registry, send, stop } = await served(users);
    const requests = [
      await send(`POST ${batch}`, { json: listOf(register()), headers: as(role) }),
      await send(`POST ${apps}`, { json: registration(dirty), headers: { ...as(role), ...replication } }),
      await send(`PUT ${apps}/${id}?lastDirtyTimestamp=${dirty}`, { headers: { ...as(role), ...replication } }),
      await send('GET /eureka/peerreplication/fingerprints', { headers: as(role) }),
      await send('POST /eureka/peerreplication/instances', { json: { keys: [] }, headers: as(role) }),
      await send(`DELETE ${apps}/${id}`, { headers: { ...as(role), ...replication } }),
    ];
    assert.deepEqual(
      requests.map(({ status }) => status),
      may ? [200, 204, 200, 200, 200, 200] : [403, 403, 403, 403, 403, 403],
    );
    assert.equal(registry.size, 0);
    await stop();
  });
}

test('a peer registers itself, and overrides nobody by its own word', async () => {
  const { send, stop } = await served(users);
  assert.equal((await send(`POST ${apps}`, { json: registration(dirty), headers: as('peer') })).status, 204);
  assert.equal((await send(`PUT ${apps}/${id}/status?value=DOWN`, { headers: as('peer') })).status, 403);
  await stop();
});

const results: readonly [claim: string, items: readonly unknown[], codes: readonly number[]][] = [
  [
    'a task without action, application or id fails alone',
    [{ appName: 'A', id: 'a' }, { action: 'Cancel', id: 'a' }, { action: 'Cancel', appName: 'A' }, register()],
    [500, 500, 500, 200],
  ],
  ['a Register without instance fails alone', [{ appName: 'A', id: 'a', action: 'Register' }], [500]],
  [
    'an instance that a Java server does not store is answered with 200',
    [register({ hostName: '' }), register({ app: 'OTHER' })],
    [200, 200],
  ],
  ['an instance out of our bounds is refused alone', [register({ hostName: 'a b' })], [400]],
  [
    'a heartbeat, cancel or override of nobody is 404',
    (['Heartbeat', 'Cancel', 'StatusUpdate', 'DeleteStatusOverride'] as const).map((action) => ({
      appName: 'A',
      id: 'a',
      action,
      status: 'UP',
    })),
    [404, 404, 404, 404],
  ],
  [
    'no status, and no time of a DeleteStatusOverride, fail',
    [
      register(),
      { appName: 'ORDER-SERVICE', id, action: 'StatusUpdate', status: 'up' },
      { appName: 'ORDER-SERVICE', id, action: 'DeleteStatusOverride' },
    ],
    [200, 500, 500],
  ],
  [
    'a heartbeat of a newer incarnation is 404, of an older one 409',
    [
      register(),
      ...[1, -1, 0].map((by) => ({
        appName: 'ORDER-SERVICE',
        id,
        action: 'Heartbeat',
        lastDirtyTimestamp: dirty + by,
      })),
    ],
    [200, 404, 409, 200],
  ],
];
for (const [claim, items, codes] of results) {
  test(claim, async () => {
    const { send, stop } = await served();
    const { status, text } = await send(`POST ${batch}`, {
      json: listOf(...items),
      headers: { accept: 'application/json' },
    });
    assert.equal(status, 200);
    assert.deepEqual(
      JSON.parse(text).responseList.map(({ statusCode }: { statusCode: number }) => statusCode),
      codes,
    );
    await stop();
  });
}

const refusals: readonly [claim: string, body: unknown, status: number][] = [
  ['a member that is not known', listOf({ appName: 'A', id: 'a', action: 'Cancel', x: 1 }), 400],
  ['an action in lower case', listOf({ appName: 'A', id: 'a', action: 'cancel' }), 400],
  ['an instance that cannot be parsed', listOf(register(), register({ port: 8080 })), 400],
  ['a second member of the root', { replicationList: [], more: 1 }, 400],
  ['no list', {}, 500],
  ['a task that is null', listOf(null), 500],
  ['more tasks than the limit', listOf(...Array.from({ length: 1_001 }, () => ({}))), 413],
];
for (const [claim, body, status] of refusals) {
  test(`a batch with ${claim} is ${status}, and nothing of it is done`, async () => {
    const { registry, send, stop } = await served();
    assert.equal((await send(`POST ${batch}`, { json: body })).status, status);
    assert.equal(registry.size, 0);
    await stop();
  });
}

test('without JSON in Accept the results are XML', async () => {
  const { send, stop } = await served();
  const { headers, text } = await send(`POST ${batch}`, {
    json: listOf(register()),
    headers: { accept: 'application/xml' },
  });
  assert.equal(headers.get('content-type'), 'application/xml');
  assert.match(
    text,
    /<responseList>\s*<com\.netflix\.eureka\.cluster\.protocol\.ReplicationInstanceResponse>\s*<statusCode>200</,
  );
  await stop();
});

test('what came from a peer is not told to anybody again', async () => {
  const { registry, send, stop } = await served();
  const heard: boolean[] = [];
  registry.follow(({ replicated }) => heard.push(replicated));
  await send(`POST ${batch}`, { json: listOf(register()) });
  await send(`PUT ${apps}/${id}?lastDirtyTimestamp=${dirty}`, { headers: replication });
  await send(`PUT ${apps}/${id}/status?value=DOWN&lastDirtyTimestamp=${dirty}`, { headers: replication });
  await send(`DELETE ${apps}/${id}/status?lastDirtyTimestamp=${dirty}`, { headers: replication });
  await send(`DELETE ${apps}/${id}`, { headers: replication });
  assert.deepEqual(heard, [true, true, true, true, true]);
  await stop();
});

test('a single heartbeat of an older incarnation is 409 with the instance that is listed', async () => {
  const { send, stop } = await served();
  await send(`POST ${apps}`, { json: registration(dirty) });
  const { status, text } = await send(`PUT ${apps}/${id}?lastDirtyTimestamp=${dirty - 1}`, { headers: replication });
  assert.equal(status, 409);
  assert.equal(JSON.parse(text).instance.lastDirtyTimestamp, String(dirty));
  assert.equal((await send(`PUT ${apps}/${id}?lastDirtyTimestamp=${dirty - 1}`)).status, 200);
  await stop();
});

test("when a Java server takes an override back, the status that it names is the owner's", async () => {
  const { registry, send, stop } = await served();
  await send(`POST ${batch}`, {
    json: listOf(register({ status: 'OUT_OF_SERVICE', overriddenStatus: 'OUT_OF_SERVICE' })),
  });
  assert.equal(registry.get(key)?.instance.override, 'out-of-service');
  const back = {
    appName: 'ORDER-SERVICE',
    id,
    action: 'DeleteStatusOverride',
    status: 'UP',
    lastDirtyTimestamp: dirty,
  };
  await send(`POST ${batch}`, { json: listOf(back) });
  assert.deepEqual([registry.get(key)?.instance.override, registry.get(key)?.instance.status], [undefined, 'up']);
  await stop();
});

test('who left after a heartbeat that was asked about does not come back with the answer to it', async () => {
  const { registry, send, stop } = await served();
  const told = { appName: 'ORDER-SERVICE', id };
  const say = (...items: unknown[]) => send(`POST ${batch}`, { json: listOf(...items) });
  await say({ ...told, action: 'Heartbeat', lastDirtyTimestamp: dirty }, { ...told, action: 'Cancel' });
  await say(register());
  assert.equal(registry.size, 0);
  await stop();
});

test('who left with a newer incarnation than was known does not come back with it', async () => {
  const { registry, send, stop } = await served();
  const told = { appName: 'ORDER-SERVICE', id };
  const say = (...items: unknown[]) => send(`POST ${batch}`, { json: listOf(...items) });
  const of = (at: number) => ({ ...register(), lastDirtyTimestamp: at, instanceInfo: registration(at).instance });
  await say(of(dirty));
  await say({ ...told, action: 'Heartbeat', lastDirtyTimestamp: dirty + 1 }, { ...told, action: 'Cancel' });
  await say(of(dirty + 1));
  assert.equal(registry.size, 0);
  await say(of(dirty + 2));
  assert.equal(registry.size, 1, 'a new life is');
  await stop();
});
