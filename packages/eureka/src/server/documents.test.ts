import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { formats, writeInstance, writeList } from '../formats.ts';
import { readEurekaInstance } from '../read-document.ts';
import { registration, type Served, served } from '../testing/served.ts';

const dirty = 1_767_225_600_000;
const apps = '/eureka/apps/ORDER-SERVICE';
const one = `${apps}/127.0.0.1:order-service:18720`;
const asXml = { 'content-type': 'application/xml' };
const wantXml = { accept: 'application/xml' };
const compact = { 'x-eureka-accept': 'Compact' };

/** The registration as a client writes it in XML. */
function xmlRegistration(changes: Record<string, unknown> = {}): string {
  const { instance } = registration(dirty, changes);
  return writeInstance(readEurekaInstance(instance, dirty), 'application/xml');
}

async function instanceOf({ send }: Served, headers: Record<string, string> = {}): Promise<string> {
  return (await send(`GET ${one}`, { headers })).text;
}

const registrations: readonly Record<string, unknown>[] = [
  {},
  { metadata: {} },
  { metadata: { a_b: '<&>"\'', 'c d$': '', '2é': 'ü\n\t😀' } },
  { status: 'STARTING', port: { $: 1, '@enabled': 'false' }, securePort: { $: 2, '@enabled': 'true' } },
  { sid: 'x', asgName: 'group', appGroupName: 'GROUP', countryId: 49, homePageUrl: null },
  { dataCenterInfo: { '@class': 'com.netflix.appinfo.AmazonInfo', name: 'Amazon', metadata: { 'ami-id': 'a' } } },
];
for (const changes of registrations) {
  test(`the same in JSON and in XML is the same instance: ${JSON.stringify(changes)}`, async () => {
    const [inJson, inXml] = [await served(), await served()];
    assert.equal((await inJson.send(`POST ${apps}`, { json: registration(dirty, changes) })).status, 204);
    const sent = await inXml.send(`POST ${apps}`, { json: xmlRegistration(changes), headers: asXml });
    assert.deepEqual([sent.status, sent.text], [204, '']);
    assert.equal(await instanceOf(inXml), await instanceOf(inJson));
    // What is read in XML can be registered again, and is the same then.
    const again = await inXml.send(`POST ${apps}`, { json: await instanceOf(inXml, wantXml), headers: asXml });
    assert.equal(again.status, 204);
    assert.equal(await instanceOf(inXml), await instanceOf(inJson));
    await Promise.all([inJson.stop(), inXml.stop()]);
  });
}

test('lists in their four forms', async () => {
  const { send, stop } = await served();
  await send(`POST ${apps}`, { json: registration(dirty) });
  const document = JSON.parse((await send(`GET ${one}`)).text).instance;
  const forms = [
    ['json', {}],
    ['jsonCompact', compact],
    ['xml', wantXml],
    ['xmlCompact', { ...wantXml, ...compact }],
  ] as const;
  for (const [name, headers] of forms) {
    const get = async (path: string) => (await send(`GET ${path}`, { headers })).text;
    const list = (version: number) => writeList(formats[name], [document], { version, hashCode: 'UP_1_' });
    assert.equal(await get('/eureka/apps'), list(1));
    assert.equal(await get(apps), formats[name].application('ORDER-SERVICE', [document]));
    assert.equal(await get('/eureka/vips/order-service'), list(-1));
    assert.match(await get('/eureka/apps/delta'), /order-service/);
  }
  const single = (await send(`GET ${one}`, { headers: compact })).text;
  assert.deepEqual(JSON.parse(single).instance, document, 'a single instance has no compact form');
  await stop();
});

test('deltas are counted together whatever their form, and by themselves for who names regions', async () => {
  const { send, stop } = await served();
  const version = async (path: string, headers: Record<string, string> = {}) =>
    /versions__delta[">:]+(\d+)/.exec((await send(`GET ${path}`, { headers })).text)?.[1];
  assert.equal(await version('/eureka/apps/delta'), '1');
  assert.equal(await version('/eureka/apps/delta'), '1', 'nothing happened');
  assert.equal(await version('/eureka/apps/delta', wantXml), '2');
  assert.equal(await version('/eureka/apps/delta?regions=eu-west-1'), '1');
  assert.equal(await version('/eureka/apps/delta?regions='), '1');
  await send(`POST ${apps}`, { json: registration(dirty) });
  assert.equal(await version('/eureka/apps/delta'), '3');
  assert.equal(await version('/eureka/apps?regions=eu-west-1'), '1');
  await stop();
});

const encodings: readonly [acceptEncoding: string, path: string, gzip: boolean][] = [
  ['gzip', '/eureka/apps', true],
  ['gzip, x-gzip, deflate', '/eureka/apps/', true],
  ['x-gzip', '/eureka/apps/delta', true],
  ['gzip;q=0', '/eureka/apps', true],
  ['GZIP', '/eureka/apps', false],
  ['deflate, br', '/eureka/apps', false],
  ['', '/eureka/apps', false],
  ['gzip', apps, false],
  ['gzip', one, false],
  ['gzip', '/eureka/vips/order-service', false],
];
for (const [acceptEncoding, path, gzip] of encodings) {
  test(`"${acceptEncoding}" for ${path} gets ${gzip ? 'gzip' : 'plain text'}`, async () => {
    const { send, stop } = await served();
    await send(`POST ${apps}`, { json: registration(dirty) });
    const plain = await send(`GET ${path}`);
    const { headers, bytes } = await send(`GET ${path}`, { headers: { 'accept-encoding': acceptEncoding } });
    assert.equal(headers.get('content-encoding'), gzip ? 'gzip' : undefined);
    assert.equal(uncounted((gzip ? gunzipSync(bytes) : bytes).toString()), uncounted(plain.text));
    await stop();
  });
}

test('a write is in the next compressed list', async () => {
  const { send, stop } = await served();
  const list = async () =>
    gunzipSync((await send('GET /eureka/apps', { headers: { 'accept-encoding': 'gzip' } })).bytes);
  assert.match((await list()).toString(), /"apps__hashcode":""/);
  await send(`POST ${apps}`, { json: registration(dirty) });
  assert.match((await list()).toString(), /"apps__hashcode":"UP_1_"/);
  await stop();
});

const failures: readonly [accept: string, type: string | undefined, pattern: RegExp][] = [
  [
    '',
    'application/json',
    /^\{"timestamp":"2026-01-01T00:00:00\.000\+00:00","status":404,"error":"Not Found","message":"no instance of [^}]+","path":"\/eureka\/apps\/NOBODY"\}$/,
  ],
  ['*/*', 'application/json', /^\{/],
  ['application/json', 'application/json', /^\{/],
  [
    'application/xml',
    'application/xml;charset=UTF-8',
    /^<Map><timestamp>2026-01-01T00:00:00\.000\+00:00<\/timestamp><status>404<\/status><error>Not Found<\/error><message>no instance of the application &quot;NOBODY&quot; is registered<\/message><path>\/eureka\/apps\/NOBODY<\/path><\/Map>$/,
  ],
  [
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'text/html;charset=UTF-8',
    /<h1>404 Not Found<\/h1><p>no instance of the application &quot;NOBODY&quot; is registered</,
  ],
];
for (const [accept, type, pattern] of failures) {
  test(`who accepts "${accept}" is told of an error in ${type}`, async () => {
    const { send, stop } = await served();
    const { status, headers, text } = await send('GET /eureka/apps/NOBODY', { headers: { accept } });
    assert.deepEqual([status, headers.get('content-type')], [404, type]);
    assert.match(text, pattern);
    await stop();
  });
}

test('who accepts nothing that is written here is told so without a body', async () => {
  const { send, stop } = await served();
  for (const [accept, type] of [
    ['text/plain', undefined],
    ['text/xml', 'text/xml;charset=UTF-8'],
  ] as const) {
    const { status, headers, text } = await send('GET /eureka/apps', { headers: { accept } });
    assert.deepEqual([status, headers.get('content-type'), text !== ''], [406, type, type !== undefined]);
  }
  await stop();
});

const refusals: readonly [json: string, type: string, answer: RegExp][] = [
  ['{', 'application/json', /^\{"error":"cannot parse request body","detail":"[^}]+"\}$/],
  [
    '<nope',
    'application/xml',
    /^<error><message>cannot parse request body<\/message><detail>the XML document[^<]+<\/detail><\/error>$/,
  ],
];
for (const [json, type, answer] of refusals) {
  test(`a body that cannot be parsed is refused in its own type, ${type}, whatever is accepted`, async () => {
    const { send, stop } = await served();
    for (const accept of ['application/json', 'application/xml', '']) {
      const { status, headers, text } = await send(`POST ${apps}`, { json, headers: { 'content-type': type, accept } });
      assert.deepEqual([status, headers.get('content-type')], [400, type]);
      assert.match(text, answer);
    }
    await stop();
  });
}

test('a JSON body may begin with a byte order mark', async () => {
  const { send, stop } = await served();
  const json = `\ufeff${JSON.stringify(registration(dirty))}`;
  assert.equal((await send(`POST ${apps}`, { json })).status, 204);
  await stop();
});

test('a compressed body is no document', async () => {
  const { registry, send, stop } = await served();
  const headers = { 'content-encoding': 'gzip', 'content-type': 'application/json' };
  assert.equal((await send(`POST ${apps}`, { headers, json: '\u001f\u008b\u0008\u0000' })).status, 400);
  assert.equal(registry.size, 0);
  await stop();
});

/** Each delta that is made has its number, and each form is made by itself. */
function uncounted(text: string): string {
  return text.replace(/"versions__delta":"\d+"/, '');
}
