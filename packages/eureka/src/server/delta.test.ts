import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, identity } from '@flotilla/core';
import { anInstance, aUser, basicOf } from '@flotilla/core/testing';
import { memoryStore } from '@flotilla/registry/server';
import { registration, type Served, served } from '../testing/served.ts';

const dirty = 1_767_225_600_000;
const apps = '/eureka/apps/ORDER-SERVICE';

interface Delta {
  readonly versions__delta: string;
  readonly apps__hashcode: string;
  readonly application: readonly {
    readonly name: string;
    readonly instance: readonly { readonly instanceId: string; readonly actionType: string; readonly status: string }[];
  }[];
}

async function deltaOf({ send }: Served, path = '/eureka/apps/delta'): Promise<Delta> {
  const { status, text } = await send(`GET ${path}`, { headers: { accept: 'application/json' } });
  assert.equal(status, 200);
  return JSON.parse(text).applications;
}

/** `id ACTION STATUS` of each instance, in the order of the document. */
async function wordsOf(ours: Served): Promise<string[]> {
  const { application } = await deltaOf(ours);
  return application.flatMap(({ instance }) =>
    instance.map(({ instanceId, actionType, status }) => `${instanceId} ${actionType} ${status}`),
  );
}

const post = (ours: Served, instanceId: string, changes: Record<string, unknown> = {}) =>
  ours.send(`POST ${apps}`, { json: registration(dirty, { instanceId, ...changes }) });

test('a delta of nothing is written as a Java server writes it', async () => {
  const ours = await served();
  const { text } = await ours.send('GET /eureka/apps/delta');
  assert.equal(text, '{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}');
  await ours.stop();
});

test('added, modified and deleted instances, the deleted first, with the hash code of the whole registry', async () => {
  const ours = await served();
  await ours.clock.advance(200_000);
  for (const id of ['a', 'b', 'c']) await post(ours, id);
  assert.deepEqual(await wordsOf(ours), ['a ADDED UP', 'b ADDED UP', 'c ADDED UP']);
  await ours.send(`PUT ${apps}/a/status?value=OUT_OF_SERVICE`);
  await ours.send(`DELETE ${apps}/c`);
  assert.deepEqual(await wordsOf(ours), ['c DELETED UP', 'b ADDED UP', 'a MODIFIED OUT_OF_SERVICE']);
  assert.equal((await deltaOf(ours)).apps__hashcode, 'OUT_OF_SERVICE_1_UP_1_');
  await ours.stop();
});

test('what is deleted says when it went, and keeps the times of its lease', async () => {
  const ours = await served();
  await post(ours, 'a');
  await ours.clock.advance(5_000);
  await ours.send(`DELETE ${apps}/a`);
  const [deleted] = (await deltaOf(ours)).application[0]?.instance ?? [];
  const { leaseInfo, lastUpdatedTimestamp } = deleted as unknown as Record<string, Record<string, number>>;
  const start = ours.clock.wallNow() - 5_000;
  assert.deepEqual(
    [leaseInfo?.['registrationTimestamp'], leaseInfo?.['evictionTimestamp'], Number(lastUpdatedTimestamp)],
    [start, start + 5_000, start + 5_000],
  );
  await ours.stop();
});

test('an evicted instance is deleted', async () => {
  const ours = await served();
  await post(ours, 'a');
  await ours.clock.advance(90_000);
  assert.deepEqual(await wordsOf(ours), ['a DELETED UP']);
  await ours.stop();
});

test('the version counts the deltas that were written: none between two changes', async () => {
  const ours = await served();
  assert.equal((await deltaOf(ours)).versions__delta, '1');
  assert.equal((await deltaOf(ours)).versions__delta, '1');
  await post(ours, 'a');
  assert.equal((await deltaOf(ours)).versions__delta, '2');
  await ours.stop();
});

test('a change stays for the retention of three minutes, and at most half a minute longer', async () => {
  const ours = await served();
  await ours.clock.advance(200_000); // from here on the registry knows all of the last three minutes
  await post(ours, 'a', { leaseInfo: { renewalIntervalInSecs: 30, durationInSecs: 3_600 } });
  await ours.clock.advance(180_000);
  assert.deepEqual(await wordsOf(ours), ['a ADDED UP']);
  await ours.clock.advance(30_000);
  assert.deepEqual(await wordsOf(ours), []);
  assert.equal((await deltaOf(ours)).apps__hashcode, 'UP_1_');
  await ours.stop();
});

test('with and without a trailing slash, under all prefixes, whatever regions are asked for', async () => {
  const ours = await served();
  await post(ours, 'a');
  for (const path of [
    '/eureka/apps/delta',
    '/eureka/v2/apps/delta/',
    '/v2/apps/delta',
    '/v2/apps/delta/?regions=eu,us',
  ]) {
    assert.equal((await deltaOf(ours, path)).application[0]?.name, 'ORDER-SERVICE', path);
  }
  await ours.stop();
});

test('a registry that has just started again tells everybody of everybody', async () => {
  const store = memoryStore();
  const before = await served(undefined, { store });
  await post(before, 'a');
  await post(before, 'b');
  await before.stop();
  const ours = await served(undefined, { store, clock: before.clock });
  await ours.send(`DELETE ${apps}/b`);
  await post(ours, 'c');
  assert.deepEqual(await wordsOf(ours), ['b DELETED UP', 'a MODIFIED UP', 'c ADDED UP']);
  await ours.stop();
});

test('more changes than are kept: everybody is in the delta', async () => {
  const ours = await served(undefined, { limits: { maxChanges: 2 } });
  await ours.clock.advance(200_000);
  for (const id of ['a', 'b', 'c', 'd']) await post(ours, id);
  assert.deepEqual(await wordsOf(ours), ['a MODIFIED UP', 'b MODIFIED UP', 'c ADDED UP', 'd ADDED UP']);
  await ours.stop();
});

test('two services of one name and one id are one instance to readers who know neither namespace nor version', async () => {
  const ours = await served();
  const instance = (version: string): Instance => anInstance({ identity: identity('orders', { version }) });
  ours.registry.register(instance('1'));
  ours.registry.register(instance('2'));
  const full = JSON.parse((await ours.send('GET /eureka/apps')).text).applications;
  assert.equal(full.application[0].instance.length, 1);
  assert.equal(full.apps__hashcode, 'UP_1_');
  assert.deepEqual(await wordsOf(ours), ['a MODIFIED UP']);
  ours.registry.deregister({ service: 'orders@1', id: 'a' });
  assert.deepEqual(await wordsOf(ours), ['a MODIFIED UP']);
  await ours.stop();
});

test('VIP addresses are found letter for letter, as members of a list', async () => {
  const ours = await served();
  await post(ours, 'a', { vipAddress: 'Books,books2', secureVipAddress: 'safe' });
  const ids = async (path: string) => {
    const { application, versions__delta } = JSON.parse((await ours.send(`GET ${path}`)).text).applications as Delta;
    assert.equal(versions__delta, '-1');
    return application.flatMap(({ instance }) => instance.map(({ instanceId }) => instanceId));
  };
  assert.deepEqual(await ids('/eureka/vips/Books'), ['a']);
  assert.deepEqual(await ids('/eureka/vips/books2/'), ['a']);
  assert.deepEqual(await ids('/eureka/vips/books'), []);
  assert.deepEqual(await ids('/eureka/svips/safe'), ['a']);
  assert.equal(
    (await ours.send('GET /eureka/vips/BOOKS')).text,
    '{"applications":{"versions__delta":"-1","apps__hashcode":"","application":[]}}',
  );
  await ours.stop();
});

test("an operator's status is taken and taken back; the status that it has already is no override", async () => {
  const ours = await served();
  await post(ours, 'a');
  const shown = async () => {
    const { instance } = JSON.parse((await ours.send(`GET ${apps}/a`)).text);
    return `${instance.status} ${instance.overriddenStatus} ${instance.actionType}`;
  };
  assert.equal((await ours.send(`PUT ${apps}/a/status?value=UP`)).status, 200);
  assert.equal(await shown(), 'UP UNKNOWN ADDED');
  await ours.clock.advance(1);
  assert.equal((await ours.send(`PUT ${apps}/a/status?value=OUT_OF_SERVICE&lastDirtyTimestamp=1`)).status, 200);
  assert.equal(await shown(), 'OUT_OF_SERVICE OUT_OF_SERVICE MODIFIED');
  assert.equal((await ours.send(`PUT ${apps}/a/status?value=down`)).status, 400);
  assert.equal((await ours.send(`DELETE ${apps}/a/status?value=UP`)).status, 200);
  assert.equal(await shown(), 'UP UNKNOWN MODIFIED');
  await ours.stop();
});

test('metadata is merged, the first of two with one name, and cannot make an instance another one', async () => {
  const ours = await served();
  await post(ours, 'a');
  assert.equal((await ours.send(`PUT ${apps}/a/metadata?color=blue&color=red&empty`)).status, 200);
  const { instance } = JSON.parse((await ours.send(`GET ${apps}/a`)).text);
  assert.deepEqual(instance.metadata, { zone: 'zone-a', 'management.port': '18720', empty: '', color: 'blue' });
  assert.equal((await ours.send(`PUT ${apps}/a/metadata?flotilla.service=payments`)).status, 400);
  assert.equal(ours.registry.size, 1);
  await ours.stop();
});

test('status is for operators, metadata for the owner', async () => {
  const ours = await served([aUser('order-service', 'instance'), aUser('ops', 'operator'), aUser('other', 'instance')]);
  const as = (name: string) => ({ headers: { authorization: basicOf(name) } });
  const status = async (line: string, name: string) => (await ours.send(line, as(name))).status;
  await ours.send(`POST ${apps}`, { ...as('order-service'), json: registration(dirty, { instanceId: 'a' }) });
  assert.equal(await status(`PUT ${apps}/a/status?value=DOWN`, 'order-service'), 403);
  assert.equal(await status(`DELETE ${apps}/a/status`, 'order-service'), 403);
  assert.equal(await status(`PUT ${apps}/a/status?value=DOWN`, 'ops'), 200);
  assert.equal(await status(`PUT ${apps}/a/metadata?a=b`, 'other'), 403);
  assert.equal(await status(`PUT ${apps}/a/metadata?a=b`, 'order-service'), 200);
  await ours.stop();
});
