import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeInstance } from '../instance.ts';
import { registration, served } from '../testing/served.ts';
import { readXml } from '../xml/read-xml.ts';

const dirty = 1_767_225_600_000;
const apps = '/eureka/apps/ORDER-SERVICE';
const id = '127.0.0.1:order-service:18720';
const wantXml = { accept: 'application/xml' };

test('status, in JSON: this process, its replicas, itself', async () => {
  const replicas = () => [
    { url: 'http://registry-2:8761/eureka/', isAvailable: true },
    { url: 'http://registry-3:8761/eureka/', isAvailable: false },
    { url: 'http://registry-4:8761/eureka/', isAvailable: false },
  ];
  const { clock, send, stop } = await served(undefined, {}, { replicas });
  await clock.advance((2 * 1_440 + 61) * 60_000);
  const { generalStats, applicationStats, instanceInfo } = JSON.parse((await send('GET /eureka/status')).text);
  assert.match(generalStats['num-of-cpus'], /^[1-9]\d*$/);
  assert.match(generalStats['total-avail-memory'], /^\d+mb$/);
  assert.match(generalStats['current-memory-usage'], /^\d+mb \(\d+%\)$/);
  assert.equal(generalStats['server-uptime'], '2 days 01:01');
  assert.deepEqual(applicationStats, {
    'registered-replicas':
      'http://registry-2:8761/eureka/, http://registry-3:8761/eureka/, http://registry-4:8761/eureka/',
    'available-replicas': 'http://registry-2:8761/eureka/,',
    'unavailable-replicas': 'http://registry-3:8761/eureka/,http://registry-4:8761/eureka/,',
  });
  assert.deepEqual(
    [instanceInfo.instanceId, instanceInfo.hostName, instanceInfo.status, instanceInfo.port.$],
    ['registry:eureka:8761', 'registry', 'UP', 8761],
  );
  await stop();
});

test('status, in XML; a registry that warms up is STARTING', async () => {
  const { send, stop } = await served();
  const { name, children } = readXml((await send('GET /eureka/status', { headers: wantXml })).bytes);
  assert.equal(name, 'com.netflix.eureka.util.StatusInfo');
  assert.deepEqual(
    children.map((child) => child.name),
    ['generalStats', 'applicationStats', 'instanceInfo'],
  );
  assert.equal(children[2]?.children.find((child) => child.name === 'status')?.text, 'STARTING');
  assert.equal(children[1]?.children.find((child) => child.name === 'available-replicas')?.text, '');
  await stop();
});

test('who came and who went, the newest first, a thousand of each at most', async () => {
  const { clock, registry, send, stop } = await served();
  const instance = decodeInstance(registration(dirty).instance, dirty);
  const ids = Array.from({ length: 1_005 }, (_, at) => `i${at}`);
  for (const id of ids) registry.register({ ...instance, id });
  await send(`DELETE ${apps}/i7`);
  await clock.advance(45_000);
  for (const id of ids) if (id !== 'i9') registry.renew({ service: 'order-service', id });
  await clock.advance(45_000);
  const { lastRegistered, lastCanceled } = JSON.parse((await send('GET /eureka/lastn')).text);
  assert.equal(lastRegistered.length, 1_000);
  assert.deepEqual(lastRegistered[0], [dirty, 'ORDER-SERVICE(i1004)']);
  assert.deepEqual(lastCanceled, [
    [dirty + 90_000, 'ORDER-SERVICE(i9)'],
    [dirty, 'ORDER-SERVICE(i7)'],
  ]);
  await stop();
});

test('the last changes as a page: text of instances stays text', async () => {
  const { send, stop } = await served();
  await send(`POST ${apps}`, { json: registration(dirty, { instanceId: '<script>alert(1)</script>' }) });
  for (const path of ['/lastn', '/eureka/lastn', '/v2/lastn/']) {
    const { headers, text } = await send(`GET ${path}`, { headers: { accept: 'text/html' } });
    assert.equal(headers.get('content-type'), 'text/html;charset=UTF-8');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.match(text, /<td>2026-01-01T00:00:00\.000Z<td>ORDER-SERVICE\(&lt;script&gt;alert\(1\)&lt;\/script&gt;\)/);
    assert.doesNotMatch(text, /<script/);
  }
  await stop();
});

test("operators' words by instance, in JSON and XML, below the prefixes and where Netflix has them", async () => {
  const { send, stop } = await served();
  await send(`POST ${apps}`, { json: registration(dirty) });
  await send(`POST ${apps}`, { json: registration(dirty, { instanceId: 'other' }) });
  await send(`PUT ${apps}/${id}/status?value=OUT_OF_SERVICE`);
  for (const path of ['/serverinfo/statusoverrides', '/eureka/serverinfo/statusoverrides'])
    assert.equal((await send(`GET ${path}`)).text, `{"${id}":"OUT_OF_SERVICE"}`);
  const { name, children } = readXml((await send('GET /serverinfo/statusoverrides', { headers: wantXml })).bytes);
  assert.deepEqual([name, children.map(({ text }) => text)], ['map', ['OUT_OF_SERVICE']]);
  await stop();
});
