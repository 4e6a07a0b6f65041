import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aUser, basicOf } from '@flotilla/core/testing';
import { MemoryEngine } from '@flotilla/registry/server';
import { registration, type Sent, type Served, served } from '../testing/served.ts';

const dirty = 1_767_225_600_000;
const apps = '/eureka/apps/ORDER-SERVICE';
const one = `${apps}/127.0.0.1:order-service:18720`;

test('an empty registry is written as a Java server writes it', async () => {
  const { send, stop } = await served();
  const { status, headers, text } = await send('GET /eureka/apps/', {
    headers: { accept: 'application/json, application/*+json' },
  });
  assert.equal(status, 200);
  assert.equal(headers.get('content-type'), 'application/json');
  assert.equal(text, '{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}');
  await stop();
});

test("a Spring client's whole life: register, read, heartbeat, read, leave", async () => {
  const { clock, registry, send, stop } = await served();
  const registered = await send(`POST ${apps}`, { json: registration(dirty) });
  assert.deepEqual([registered.status, registered.text], [204, '']);
  assert.equal(
    registry.get({ service: 'order-service', id: '127.0.0.1:order-service:18720' })?.instance.zone,
    'zone-a',
  );

  await clock.advance(3_000);
  const heartbeat = await send(`PUT ${one}?status=UP&lastDirtyTimestamp=${dirty}`);
  assert.deepEqual([heartbeat.status, heartbeat.text, heartbeat.headers.get('content-type')], [200, '', undefined]);

  const listed =
    '{"instanceId":"127.0.0.1:order-service:18720","hostName":"127.0.0.1","app":"ORDER-SERVICE","ipAddr":"10.0.0.51",' +
    '"status":"UP","overriddenStatus":"UNKNOWN","port":{"$":18720,"@enabled":"true"},"securePort":{"$":443,"@enabled":"false"},' +
    '"countryId":1,"dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},' +
    `"leaseInfo":{"renewalIntervalInSecs":3,"durationInSecs":90,"registrationTimestamp":${dirty},` +
    `"lastRenewalTimestamp":${dirty + 3_000},"evictionTimestamp":0,"serviceUpTimestamp":${dirty}},` +
    '"metadata":{"zone":"zone-a","management.port":"18720"},"homePageUrl":"http://127.0.0.1:18720/",' +
    '"statusPageUrl":"http://127.0.0.1:18720/actuator/info","healthCheckUrl":"http://127.0.0.1:18720/actuator/health",' +
    '"vipAddress":"order-service","secureVipAddress":"order-service","isCoordinatingDiscoveryServer":"false",' +
    `"lastUpdatedTimestamp":"${dirty}","lastDirtyTimestamp":"${dirty}","actionType":"ADDED"}`;
  assert.equal((await send(`GET ${one}`)).text, `{"instance":${listed}}`);
  assert.equal((await send('GET /eureka/instances/127.0.0.1:order-service:18720')).text, `{"instance":${listed}}`);
  assert.equal((await send(`GET ${apps}`)).text, `{"application":{"name":"ORDER-SERVICE","instance":[${listed}]}}`);
  assert.equal(
    (await send('GET /eureka/apps')).text,
    `{"applications":{"versions__delta":"1","apps__hashcode":"UP_1_","application":[{"name":"ORDER-SERVICE","instance":[${listed}]}]}}`,
  );

  const left = await send(`DELETE ${one}`);
  assert.deepEqual([left.status, left.text], [200, '']);
  assert.equal(registry.size, 0);
  await stop();
});

test('stopping as Spring does: DOWN, a late copy of an earlier registration, and nobody comes back', async () => {
  const { registry, send, stop } = await served();
  await send(`POST ${apps}`, { json: registration(dirty) });
  await send(`POST ${apps}`, { json: registration(dirty + 1, { status: 'DOWN' }) });
  assert.match((await send('GET /eureka/apps')).text, /"apps__hashcode":"DOWN_1_"/);
  await send(`DELETE ${one}`);
  const late = await send(`POST ${apps}`, { json: registration(dirty + 1, { status: 'DOWN' }) });
  assert.deepEqual([late.status, registry.size], [204, 0]);
  assert.equal((await send(`PUT ${one}?lastDirtyTimestamp=${dirty + 1}`)).status, 404);
  await send(`POST ${apps}`, { json: registration(dirty + 2) });
  assert.equal(registry.size, 1);
  await stop();
});

const heartbeats: readonly [claim: string, query: string, status: number][] = [
  ['without a timestamp, as eureka-js-client sends it', '', 200],
  ['with the known timestamp', `?lastDirtyTimestamp=${dirty}`, 200],
  ['with an older one', `?lastDirtyTimestamp=${dirty - 1}`, 200],
  ['with a newer one: what is known is outdated', `?lastDirtyTimestamp=${dirty + 1}`, 404],
  ['with one that is no number', '?lastDirtyTimestamp=x', 400],
  ['with an empty one', '?lastDirtyTimestamp=', 400],
];
for (const [claim, query, status] of heartbeats) {
  test(`a heartbeat ${claim} is ${status}, without a body`, async () => {
    const { send, stop } = await served();
    await send(`POST ${apps}`, { json: registration(dirty) });
    // Jersey 3 sends {}, RestClient a type without a body.
    for (const sent of [{}, { json: {} }, { headers: { 'content-type': 'application/json' } }]) {
      const answer = await send(`PUT ${one}${query}`, sent);
      assert.deepEqual([answer.status, answer.text], [status, '']);
    }
    await stop();
  });
}

test('a heartbeat or farewell of somebody unknown is 404 without a body', async () => {
  const { send, stop } = await served();
  for (const line of [`PUT ${one}?status=UP`, `DELETE ${one}`]) {
    const answer = await send(line);
    assert.deepEqual([answer.status, answer.text], [404, '']);
  }
  await stop();
});

test('a timestamp from the future is taken for now, and its owner is not sent to register each time', async () => {
  const { clock, registry, send, stop } = await served();
  const future = clock.wallNow() + 3_600_000;
  await send(`POST ${apps}`, { json: registration(future) });
  assert.equal(registry.find('order-service', '127.0.0.1:order-service:18720')?.instance.incarnation, clock.wallNow());
  await clock.advance(3_000);
  assert.equal((await send(`PUT ${one}?lastDirtyTimestamp=${future}`)).status, 200);
  await stop();
});

const reasons: readonly [text: string, changes: Record<string, unknown>][] = [
  ['Missing instanceId', { instanceId: '', hostName: '', ipAddr: '' }],
  ['Missing hostname', { hostName: null }],
  ['Missing ip address', { ipAddr: '' }],
  ['Missing appName', { app: '' }],
  ['Mismatched appName, expecting ORDER-SERVICE but was OTHER', { app: 'other' }],
  ['Missing dataCenterInfo', { dataCenterInfo: null }],
];
for (const [text, changes] of reasons) {
  test(`refused in the words of a Java server: ${text}`, async () => {
    const { registry, send, stop } = await served();
    const answer = await send(`POST ${apps}`, { json: registration(dirty, changes) });
    assert.deepEqual([answer.status, answer.text, registry.size], [400, text, 0]);
    await stop();
  });
}

const broken: readonly [claim: string, sent: Sent, status: number][] = [
  ['a bare-number port', { json: registration(dirty, { port: 8080 }) }, 400],
  ['metadata as a list, which hangs a Java server', { json: registration(dirty, { metadata: [] }) }, 400],
  ['no JSON', { json: '{nope' }, 400],
  ['null', { json: 'null' }, 400],
  ['no root', { json: registration(dirty).instance }, 400],
  ['a second root', { json: { ...registration(dirty), x: 1 } }, 400],
  ['XML of nothing', { json: '<instance/>', headers: { 'content-type': 'application/xml' } }, 400],
  ['text/xml', { json: '<instance/>', headers: { 'content-type': 'text/xml' } }, 415],
  ['a body without a type', { json: '{}', headers: { 'content-type': '' } }, 415],
  ['text', { json: 'x', headers: { 'content-type': 'text/plain' } }, 415],
  ['a body of more than 1 MB', { json: `{"instance":"${'x'.repeat(1_048_576)}"}` }, 413],
  ['metadata over our bounds', { json: registration(dirty, { metadata: { k: 'v'.repeat(2_000) } }) }, 400],
  ['a page that is no http', { json: registration(dirty, { homePageUrl: 'javascript:alert(1)' }) }, 400],
];
for (const [claim, sent, status] of broken) {
  test(`refused: ${claim}`, async () => {
    const { registry, send, stop } = await served();
    const answer = await send(`POST ${apps}`, sent);
    assert.deepEqual([answer.status, registry.size], [status, 0]);
    assert.notEqual(answer.text, '');
    await stop();
  });
}

test('what cannot be parsed is said as a Java server says it', async () => {
  const { send, stop } = await served();
  const { text } = await send(`POST ${apps}`, { json: registration(dirty, { port: 8080 }) });
  assert.equal(JSON.parse(text).error, 'cannot parse request body');
  assert.match(JSON.parse(text).detail, /"port" must be an object/);
  await stop();
});

test('every prefix leads to the same, with and without a trailing slash, whatever the case of the application', async () => {
  const { send, stop } = await served();
  await send('POST /eureka/v2/apps/order-service/', { json: registration(dirty) });
  for (const prefix of ['/eureka', '/eureka/v2', '/v2']) {
    for (const path of ['/apps', '/apps/Order-Service', '/apps/ORDER-SERVICE/127.0.0.1:order-service:18720']) {
      for (const slash of ['', '/']) {
        const { status, text } = await send(`GET ${prefix}${path}${slash}`);
        assert.equal(status, 200, `${prefix}${path}${slash}`);
        assert.match(text, /"instanceId":"127\.0\.0\.1:order-service:18720"/);
      }
    }
  }
  await stop();
});

const [json, xml] = ['application/json', 'application/xml'];
/** What a list is in, and what an instance by itself. */
const accepts: readonly [accept: string, list: string | undefined, single: string | undefined][] = [
  ['', xml, xml],
  ['*/*', xml, xml],
  ['application/*', xml, xml],
  [xml, xml, xml],
  [json, json, json],
  ['APPLICATION/JSON', json, json],
  ['application/json, application/*+json', json, json],
  ['application/xml, application/json', json, xml],
  ['application/json, application/xml', json, json],
  ['application/json;q=0.5, application/xml', json, xml],
  ['application/xml;q=0.5, application/json', json, json],
  ['*/*, application/json', json, json],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', xml, xml],
  ['application/json;charset=utf-8', json, json],
  ['application/json;q=0, */*', json, xml],
  ['text/xml', undefined, undefined],
  ['nonsense', undefined, undefined],
  ['application/vnd.spring+json', undefined, undefined],
  ['text/html', undefined, undefined],
  ['text/plain', undefined, undefined],
];
for (const [accept, list, single] of accepts) {
  test(`who accepts ${accept || 'nothing in particular'} gets lists in ${list} and instances in ${single}`, async () => {
    const { send, stop } = await served();
    await send(`POST ${apps}`, { json: registration(dirty) });
    const got = async (path: string) => {
      const { status, headers, text } = await send(`GET ${path}`, { headers: { accept } });
      if (status !== 200) return status === 406 ? undefined : status;
      assert.equal(text.startsWith('<') ? xml : json, headers.get('content-type'));
      return headers.get('content-type');
    };
    for (const path of ['/eureka/apps', '/eureka/apps/delta', apps, '/eureka/vips/order-service'])
      assert.equal(await got(path), list, path);
    for (const path of [one, '/eureka/instances/127.0.0.1:order-service:18720'])
      assert.equal(await got(path), single, path);
    await stop();
  });
}

test('406 comes before anything is done', async () => {
  const { registry, send, stop } = await served();
  const headers = { accept: 'text/plain' };
  assert.equal((await send(`POST ${apps}`, { headers, json: registration(dirty) })).status, 406);
  assert.equal(registry.size, 0);
  await send(`POST ${apps}`, { json: registration(dirty) });
  for (const line of [`DELETE ${one}`, `PUT ${one}/status?value=DOWN`, `PUT ${one}`])
    assert.deepEqual(await statusAndText(send, line, headers), [406, ''], line);
  assert.equal(registry.find('order-service', '127.0.0.1:order-service:18720')?.instance.override, undefined);
  await stop();
});

const others: readonly [line: string, status: number, allow?: string][] = [
  ['GET /eureka/apps/NOBODY', 404],
  ['GET /eureka/apps/NOBODY/x', 404],
  ['GET /eureka/instances/x', 404],
  ['GET /eureka/nothing', 404],
  ['GET /v1/services', 404],
  ['POST /eureka/apps/BOOKS/h1:books:8080', 405, 'DELETE,GET,OPTIONS,PUT'],
  ['DELETE /eureka/apps', 405, 'GET,OPTIONS'],
  ['POST /eureka/apps/delta', 405, 'GET,OPTIONS'],
  ['PATCH /eureka/apps/delta', 405, 'GET,OPTIONS'],
  ['OPTIONS /eureka/apps/BOOKS', 200, 'HEAD,GET,OPTIONS,POST'],
  ['HEAD /eureka/apps', 200],
  ['HEAD /eureka/apps/BOOKS', 404],
  ['GET /eureka/v3/apps', 404],
  ['GET /eureka/v2/nothing', 404],
  ['POST /eureka/nothing', 404],
  ['PUT /eureka/asg/group/status?value=DISABLED', 400],
  ['GET /serverinfo/statusoverrides', 200],
  ['GET /eureka/apps/delta/', 200],
  ['PUT /eureka/apps/BOOKS/x/status?value=OUT_OF_SERVICE', 404],
  ['DELETE /eureka/apps/BOOKS/x/status', 404],
  ['PUT /eureka/apps/BOOKS/x/metadata?a=b', 404],
  ['GET /eureka/vips/books', 200],
  ['POST /eureka/peerreplication/batch/', 500],
];
for (const [line, status, allow] of others) {
  test(`${line} is ${status}`, async () => {
    const { send, stop } = await served();
    const answer = await send(line, line.startsWith('POST') ? { json: {} } : {});
    assert.equal(answer.status, status);
    if (allow) assert.equal(answer.headers.get('allow'), allow);
    await stop();
  });
}

test('draining is OUT_OF_SERVICE to Eureka, with a note for ours, and never an override', async () => {
  const { registry, send, stop } = await served();
  await send(`POST ${apps}`, { json: registration(dirty) });
  registry.setStatus({ service: 'order-service', id: '127.0.0.1:order-service:18720' }, 'draining');
  const { instance } = JSON.parse((await send(`GET ${one}`)).text);
  assert.deepEqual([instance.status, instance.overriddenStatus], ['OUT_OF_SERVICE', 'UNKNOWN']);
  assert.equal(instance.metadata['flotilla.status'], 'draining');
  await stop();
});

test('the whole list is true right after each change', async () => {
  const { clock, registry, send, stop } = await served();
  const hash = async () => JSON.parse((await send('GET /eureka/apps')).text).applications.apps__hashcode;
  await send(`POST ${apps}`, { json: registration(dirty) });
  assert.equal(await hash(), 'UP_1_');
  await send(`POST ${apps}`, { json: registration(dirty, { instanceId: 'b', status: 'STARTING' }) });
  assert.equal(await hash(), 'STARTING_1_UP_1_');
  await clock.advance(90_000);
  assert.equal(await hash(), '');
  assert.equal(registry.size, 0);
  await stop();
});

const users = [aUser('order-service', 'instance'), aUser('ops', 'operator'), aUser('console', 'reader')];
const as = (name: string) => ({ authorization: basicOf(name) });

test('with users, an instance speaks for its own application alone', async () => {
  const { registry, send, stop } = await served(users);
  assert.equal((await send('GET /eureka/apps')).status, 401);
  assert.equal((await send('GET /eureka/apps', { headers: as('console') })).status, 200);
  const post = async (name: string, path: string, changes: Record<string, unknown> = {}) =>
    (await send(`POST ${path}`, { headers: as(name), json: registration(dirty, changes) })).status;
  assert.equal(await post('console', apps), 403);
  assert.equal(await post('order-service', '/eureka/apps/PAYMENTS', { app: 'PAYMENTS', vipAddress: 'payments' }), 403);
  assert.equal(
    await post('order-service', apps, { metadata: { 'flotilla.service': 'payments' } }),
    403,
    'nor by a note',
  );
  assert.equal(registry.size, 0);
  assert.equal(await post('order-service', apps, { overriddenStatus: 'OUT_OF_SERVICE' }), 204);
  assert.equal(registry.find('order-service', '127.0.0.1:order-service:18720')?.instance.override, undefined);
  assert.equal((await send(`PUT ${one}`, { headers: as('console') })).status, 403);
  assert.equal((await send(`DELETE ${one}`, { headers: as('console') })).status, 403);
  assert.equal((await send(`DELETE ${one}`, { headers: as('ops') })).status, 200);
  await stop();
});

async function statusAndText(
  send: Served['send'],
  line: string,
  headers: Readonly<Record<string, string>>,
): Promise<[number, string]> {
  const { status, text } = await send(line, { headers });
  return [status, text];
}

test('a change that the shared engine does not have is refused while it is slow, and said while it is away', async () => {
  const engine = new MemoryEngine();
  const { clock, registry, send, stop } = await served(undefined, { engine: engine.node() });
  engine.pause();
  const slow = send(`POST ${apps}`, { json: registration(dirty) });
  await clock.advance(2_000);
  const refused = await slow;
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
  engine.resume();
  await registry.settled();
  engine.down();
  // Clients in JavaScript take nothing but 204 for success.
  const taken = await send(`POST ${apps}`, { json: registration(dirty + 1) });
  assert.deepEqual([taken.status, taken.headers.get('flotilla-engine')], [204, 'unsynced']);
  const left = await send(`DELETE ${one}`);
  assert.deepEqual([left.status, left.headers.get('flotilla-engine')], [200, 'unsynced']);
  await stop();
});
