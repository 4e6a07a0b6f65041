import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { SaxesParser } from 'saxes';
import { type EurekaServed, serveEureka } from './eureka-served.ts';

// Whatever a registration says, in JSON or in XML: it is taken or refused with 400, never more, and what was taken breaks
// no list for those who read it.

const data = process.env['FLOTILLA_TEST_DATA'];
const needs = (folder: string): string | false =>
  data !== undefined && existsSync(join(data, folder))
    ? false
    : `SKIPPED LOUDLY: set FLOTILLA_TEST_DATA to a folder that holds ${folder}/`;

const now = 1_767_225_600_000;
const plain = 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo';
const amazon = 'com.netflix.appinfo.AmazonInfo';
const asJson: [string, string][] = [['content-type', 'application/json']];
const asXml: [string, string][] = [['content-type', 'application/xml']];

/** A field of the intake: where its text stands in either format. */
interface Field {
  readonly name: string;
  /** The members of an otherwise good registration in which it is `value`. */
  json(value: unknown): object;
  /** The same in XML; `text` is escaped already. */
  xml(text: string): string;
  /** Whether XML takes other texts for it than JSON: there only whole numbers, here anything that counts as one. */
  readonly isStricterInXml?: boolean;
}

const member = (name: string, xmlName = name): Field => ({
  name,
  json: (value) => ({ [name]: value }),
  xml: (text) => `<${xmlName}>${text}</${xmlName}>`,
});
const numberMember = (name: string): Field => ({ ...member(name), isStricterInXml: true });

const fields: readonly Field[] = [
  ...['instanceId', 'hostName', 'ipAddr', 'sid', 'status', 'appGroupName', 'vipAddress', 'secureVipAddress'].map(
    (name) => member(name),
  ),
  ...['homePageUrl', 'statusPageUrl', 'healthCheckUrl', 'secureHealthCheckUrl', 'asgName', 'actionType'].map((name) =>
    member(name),
  ),
  member('overriddenStatus', 'overriddenstatus'),
  {
    name: 'metadata value',
    json: (value) => ({ metadata: { key: value } }),
    xml: (text) => `<metadata><key>${text}</key></metadata>`,
  },
  {
    name: "Amazon's fact",
    json: (value) => ({ dataCenterInfo: { '@class': amazon, name: 'Amazon', metadata: { key: value } } }),
    xml: (text) => `<dataCenterInfo><name>Amazon</name><metadata><key>${text}</key></metadata></dataCenterInfo>`,
  },
  {
    name: "Amazon's instance-id",
    json: (value) => ({ dataCenterInfo: { '@class': amazon, name: 'Amazon', metadata: { 'instance-id': value } } }),
    xml: (text) =>
      `<dataCenterInfo><name>Amazon</name><metadata><instance-id>${text}</instance-id></metadata></dataCenterInfo>`,
  },
  {
    name: 'data center',
    json: (value) => ({ dataCenterInfo: { '@class': plain, name: value } }),
    xml: (text) => `<dataCenterInfo><name>${text}</name></dataCenterInfo>`,
    isStricterInXml: true,
  },
  {
    name: 'port',
    json: (value) => ({ port: { $: value } }),
    xml: (text) => `<port>${text}</port>`,
    isStricterInXml: true,
  },
  {
    name: 'port enabled',
    json: (value) => ({ port: { '@enabled': value } }),
    xml: (text) => `<port enabled="${text}">1</port>`,
    isStricterInXml: true,
  },
  {
    name: 'duration',
    json: (value) => ({ leaseInfo: { durationInSecs: value } }),
    xml: (text) => `<leaseInfo><durationInSecs>${text}</durationInSecs></leaseInfo>`,
    isStricterInXml: true,
  },
  ...['countryId', 'lastDirtyTimestamp', 'lastUpdatedTimestamp', 'isCoordinatingDiscoveryServer'].map(numberMember),
  { ...member('app'), isStricterInXml: true },
];

const least = {
  instanceId: 'i',
  hostName: 'h1',
  app: 'BOOKS',
  ipAddr: '10.0.0.1',
  dataCenterInfo: { '@class': plain, name: 'MyOwn' },
  lastDirtyTimestamp: now,
};

function jsonBody(members: object): string {
  return JSON.stringify({ instance: { ...least, ...members } });
}

/** Of two members with one name the last counts, in XML too. */
function xmlBody(members: string, id = 'i'): string {
  return (
    `<instance><instanceId>${id}</instanceId><hostName>h1</hostName><app>BOOKS</app><ipAddr>10.0.0.1</ipAddr>` +
    `<dataCenterInfo><name>MyOwn</name></dataCenterInfo><lastDirtyTimestamp>${now}</lastDirtyTimestamp>${members}</instance>`
  );
}

suite('naughty strings in every field', { skip: needs('naughty-strings') }, () => {
  for (const field of fields) {
    test(field.name, async () => {
      const naughty = naughtyStrings();
      const [inJson, inXml, inJsonAlone] = [await serveEureka(now), await serveEureka(now), await serveEureka(now)];
      for (const [at, text] of naughty.entries()) {
        const id = `i${at}`;
        const json = jsonBody({ instanceId: id, ...field.json(text) });
        const statusInXml = await register(inXml, asXml, xmlBody(field.xml(xmlText(text)), id));
        const statusInJson = await register(isXml(text) ? inJson : inJsonAlone, asJson, json);
        assert.ok([204, 400].includes(statusInJson) && [204, 400].includes(statusInXml), JSON.stringify(text));
        if (!isXml(text)) assert.equal(statusInXml, 400, `${JSON.stringify(text)} is no XML`);
        else if (!field.isStricterInXml) assert.equal(statusInXml, statusInJson, JSON.stringify(text));
      }
      for (const served of [inJson, inXml, inJsonAlone]) await assertReadable(served);
      if (!field.isStricterInXml) assert.deepEqual(await shown(inXml), await shown(inJson));
      await Promise.all([inJson.stop(), inXml.stop(), inJsonAlone.stop()]);
    });
  }

  test('a name of metadata', async () => {
    const [inJson, inXml] = [await serveEureka(now), await serveEureka(now)];
    for (const [at, text] of naughtyStrings().entries()) {
      if (text === '') continue; // no element has no name
      const id = `i${at}`;
      const statusInJson = await register(inJson, asJson, jsonBody({ instanceId: id, metadata: { [text]: 'x' } }));
      const name = Array.from({ length: text.length }, (_, unit) => escapedUnit(text.charCodeAt(unit))).join('');
      const xml = xmlBody(`<metadata><${name}>x</${name}></metadata>`, id);
      assert.equal(await register(inXml, asXml, xml), statusInJson, JSON.stringify(text));
    }
    await assertReadable(inJson);
    assert.deepEqual(await shown(inXml), await shown(inJson));
    await Promise.all([inJson.stop(), inXml.stop()]);
  });

  test('an application, and an id in the path', async () => {
    const served = await serveEureka(now);
    for (const text of naughtyStrings()) {
      const segment = encodeURIComponent(text.toWellFormed());
      await register(served, asJson, jsonBody({ app: text }), `/eureka/apps/${segment}`);
      for (const line of [`GET /eureka/apps/${segment}`, `PUT /eureka/apps/BOOKS/${segment}`]) {
        const status = await statusOf(served, line);
        assert.ok([200, 400, 404, 405].includes(status), `${line} is ${status}`);
      }
    }
    await assertReadable(served);
    await served.stop();
  });
});

suite('the JSON test suite of Nicolas Seriot in every field', { skip: needs('json-test-suite') }, () => {
  for (const field of fields) {
    test(field.name, async () => {
      const served = await serveEureka(now);
      const [head = '', tail = ''] = jsonBody(field.json('@@')).split('"@@"');
      for (const { file, bytes } of suiteFiles()) {
        const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(tail)]);
        const status = await register(served, asJson, body);
        assert.ok(status === 204 || status === 400, `${file}: ${status}`);
      }
      await assertReadable(served);
      await served.stop();
    });
  }

  test('as text in XML', async () => {
    const served = await serveEureka(now);
    const [head = '', tail = ''] = xmlBody('<metadata><key>@@</key></metadata>').split('@@');
    for (const { file, bytes } of suiteFiles()) {
      const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(tail)]);
      const status = await register(served, asXml, body);
      assert.ok(status === 204 || status === 400, `${file}: ${status}`);
    }
    await assertReadable(served);
    await served.stop();
  });

  test('as the whole body', async () => {
    const served = await serveEureka(now);
    for (const { file, bytes } of suiteFiles()) {
      for (const type of [asJson, asXml]) assert.equal(await register(served, type, bytes), 400, file);
    }
    await served.stop();
  });
});

const bomb = `<!DOCTYPE instance [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 9 }, (_, at) => {
  const [from, to] = [String.fromCharCode(97 + at), String.fromCharCode(98 + at)];
  return `<!ENTITY ${to} "${`&${from};`.repeat(10)}">`;
}).join('')}]>`;
const trap = '<!DOCTYPE instance [<!ENTITY a SYSTEM "file:///etc/passwd">]>';
const deep = 100_000;

/** Each is refused with 400, and names what is wrong with it. */
const bad: readonly [claim: string, type: [string, string][], body: string, names: RegExp][] = [
  ['entities that expand to gigabytes', asXml, `${bomb}${xmlBody('<vipAddress>&j;</vipAddress>')}`, /DOCTYPE/],
  ['an entity from a file', asXml, `${trap}${xmlBody('<vipAddress>&a;</vipAddress>')}`, /DOCTYPE/],
  ['an entity of nobody', asXml, xmlBody('<vipAddress>&a;</vipAddress>'), /entity/],
  ['a schema to fetch', asXml, `<?xml-model href="http://127.0.0.1/"?>${xmlBody('')}`, /processing instruction/],
  ['100,000 elements deep', asXml, xmlBody(`${'<a>'.repeat(deep)}${'</a>'.repeat(deep)}`), /deeper than 64/],
  [
    '100,000 lists deep',
    asJson,
    jsonBody({}).replace('{', `{"a":${'['.repeat(deep)}${']'.repeat(deep)},`),
    /deeper than 64/,
  ],
  ['100,000 objects deep', asJson, `${'{"instance":'.repeat(60_000)}1${'}'.repeat(60_000)}`, /deeper than 64/],
  ['a class to load', asJson, jsonBody({ dataCenterInfo: { '@class': 'java.lang.Runtime', name: 'MyOwn' } }), /@class/],
  ['a list for metadata', asJson, jsonBody({ metadata: [] }), /metadata/],
  ['an object in metadata', asJson, jsonBody({ metadata: { a: {} } }), /metadata\.a/],
  ['an element in metadata', asXml, xmlBody('<metadata><a><b/></a></metadata>'), /metadata\.a/],
  ['65 entries', asJson, jsonBody({ metadata: entries(65) }), /65 entries/],
  ['10,000 entries', asJson, jsonBody({ metadata: entries(10_000) }), /10000 entries/],
  ['65 entries in XML', asXml, xmlBody(`<metadata>${xmlEntries(65)}</metadata>`), /65 entries/],
  ['100,000 entries in XML', asXml, xmlBody(`<metadata>${'<a/>'.repeat(100_000)}</metadata>`), /100000 elements/],
  ['an entry of half a megabyte', asJson, jsonBody({ metadata: { a: 'x'.repeat(500_000) } }), /metadata "a" takes/],
  ['a name of half a megabyte', asJson, jsonBody({ metadata: { ['x'.repeat(500_000)]: '' } }), /metadata "x+" takes/],
  [
    'metadata called __proto__',
    asJson,
    jsonBody({}).replace('{"inst', '{"instance":{"metadata":{"__proto__":"x"}},"inst'),
    /__proto__/,
  ],
  [
    'metadata called __proto__ in XML',
    asXml,
    xmlBody('<metadata><____proto____>x</____proto____></metadata>'),
    /__proto__/,
  ],
  ['an id with a control character', asJson, jsonBody({ instanceId: 'a\u0007' }), /instanceId/],
  ['an id with a control character in XML', asXml, xmlBody('', 'a&#7;'), /no character/],
  ['an id with a line feed in XML', asXml, xmlBody('', 'a&#10;b'), /instanceId/],
  ['a host with a path', asJson, jsonBody({ hostName: 'h1/path' }), /hostName/],
  ['a page that is a script', asXml, xmlBody('<homePageUrl>javascript:alert(1)</homePageUrl>'), /homePageUrl/],
  ['a page with a password', asJson, jsonBody({ statusPageUrl: 'http://u:p@h1/' }), /statusPageUrl/],
];
suite('refused with 400, quickly, saying why', () => {
  for (const [claim, type, body, names] of bad) {
    test(claim, async () => {
      const served = await serveEureka(now);
      const before = process.cpuUsage();
      const answer = await served.ask('POST /eureka/apps/BOOKS', type, body);
      const spent = process.cpuUsage(before).user;
      assert.match(answer.line, / 400$/);
      assert.match(answer.body, names);
      assert.ok(answer.body.length < 1_000, `the answer has ${answer.body.length} characters`);
      assert.ok(spent < 1_000_000, `it took ${spent / 1_000} ms of the processor`);
      assert.equal(served.registry.size, 0);
      await assertReadable(served);
      await served.stop();
    });
  }

  test('more than a megabyte is 413', async () => {
    const served = await serveEureka(now);
    for (const type of [asJson, asXml]) assert.equal(await register(served, type, ' '.repeat(1_048_577)), 413);
    await served.stop();
  });
});

suite('wrong types', () => {
  const wrong = [{}, [], { a: 1 }, [[]], true, 0, -1, 1.5, 1e300, '', null];
  for (const field of fields) {
    test(field.name, async () => {
      const served = await serveEureka(now);
      for (const value of wrong) {
        const status = await register(served, asJson, jsonBody(field.json(value)));
        assert.ok(status === 204 || status === 400, `${JSON.stringify(value)}: ${status}`);
        if (typeof value === 'object' && value !== null) assert.equal(status, 400, JSON.stringify(value));
      }
      await assertReadable(served);
      await served.stop();
    });
  }
});

test('ids with slashes and percent signs register, and are addressed as far as a path can hold them', async () => {
  const served = await serveEureka(now);
  const ids: readonly [id: string, addressed: boolean][] = [
    ['100%', true],
    ['a%2Fb', true],
    ['%00', true],
    ['a b', true],
    ['a;b=c', true],
    ['a?b#c', true],
    ['<&>', true],
    ['ü😀', true],
    ['a/b', false],
    ['a\\b', false],
    ['..', false],
  ];
  for (const [id, isAddressed] of ids) {
    assert.equal(await register(served, asJson, jsonBody({ instanceId: id })), 204, id);
    const status = await statusOf(served, `PUT /eureka/apps/BOOKS/${encodeURIComponent(id)}`);
    assert.equal(status === 200, isAddressed, `${id}: ${status}`);
  }
  await assertReadable(served);
  const listed = JSON.parse(await list(served, 'application/json')).applications.application[0].instance;
  assert.deepEqual(
    new Set(listed.map((each: { instanceId: string }) => each.instanceId)),
    new Set(ids.map(([id]) => id)),
  );
  await served.stop();
});

test('old dirty timestamps change nothing, those of the future pin nothing', async () => {
  const served = await serveEureka(now);
  const say = (status: string, lastDirtyTimestamp: number) =>
    register(served, asJson, jsonBody({ status, lastDirtyTimestamp }));
  const listed = async () =>
    JSON.parse(await list(served, 'application/json')).applications.application[0]?.instance[0];
  await say('UP', now - 1_000);
  for (const replayed of [0, 1, now - 1_001]) assert.equal(await say('DOWN', replayed), 204);
  assert.equal((await listed()).status, 'UP');
  assert.equal(await say('DOWN', 9_000_000_000_000_000), 204);
  assert.ok(Number((await listed()).lastDirtyTimestamp) < now + 60_000);
  assert.equal(await say('UP', now + 50_000), 204);
  assert.ok(['UP', 'DOWN'].includes((await listed()).status));
  await served.stop();
});

function naughtyStrings(): readonly string[] {
  const naughty = JSON.parse(readFileSync(join(data ?? '', 'naughty-strings', 'blns.json'), 'utf8')) as string[];
  assert.ok(naughty.length > 400, `only ${naughty.length} naughty strings`);
  return naughty;
}

function suiteFiles(): { readonly file: string; readonly bytes: Uint8Array }[] {
  const folder = join(data ?? '', 'json-test-suite');
  const files = readdirSync(folder).filter((file) => /^[yni]_/.test(file));
  assert.ok(files.length > 300, `only ${files.length} files in ${folder}`);
  return files.map((file) => ({ file, bytes: readFileSync(join(folder, file)) }));
}

function register(
  served: EurekaServed,
  type: [string, string][],
  body: string | Uint8Array,
  path = '/eureka/apps/BOOKS',
): Promise<number> {
  return statusOf(served, `POST ${path}`, type, body);
}

/** A path that is none is refused by whoever listens, before it comes here. */
async function statusOf(
  served: EurekaServed,
  line: string,
  headers: [string, string][] = [],
  body?: string | Uint8Array,
): Promise<number> {
  try {
    return Number((await served.ask(line, headers, body)).line.split(' ')[1]);
  } catch (thrown) {
    if (thrown instanceof FlotillaError && thrown.httpStatus < 500) return thrown.httpStatus;
    throw thrown;
  }
}

async function list(served: EurekaServed, accept: string, form = 'full'): Promise<string> {
  const { line, body } = await served.ask('GET /eureka/apps', [
    ['accept', accept],
    ['x-eureka-accept', form],
  ]);
  assert.match(line, / 200$/);
  return body;
}

/** Every form of the whole list is what it says it is. */
async function assertReadable(served: EurekaServed): Promise<void> {
  for (const form of ['full', 'compact']) {
    JSON.parse(await list(served, 'application/json', form));
    const parser = new SaxesParser({ xmlns: true });
    parser.on('error', (error) => {
      throw error;
    });
    parser.write(await list(served, 'application/xml', form)).close();
  }
}

/** Everybody's documents, without the instants that differ because requests take time. */
async function shown(served: EurekaServed): Promise<unknown> {
  const text = (await list(served, 'application/json')).replace(madeUp, '$1"T"');
  return JSON.parse(text).applications.application;
}

const madeUp = /("(?:registrationTimestamp|lastRenewalTimestamp|serviceUpTimestamp|lastUpdatedTimestamp)":)"?\d+"?/g;

/** Characters as references, so that the text comes through as it is. */
function xmlText(text: string): string {
  return text.replace(/[&<>"'\r\n\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Whether XML 1.0 can hold it. */
function isXml(text: string): boolean {
  return text.isWellFormed() && !/(?![\t\n\r\u007f-\u009f])[\p{Cc}\ufffe\uffff]/u.test(text);
}

function escapedUnit(code: number): string {
  return `_.${code.toString(16).padStart(4, '0')}`;
}

function entries(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'x']));
}

function xmlEntries(count: number): string {
  return Array.from({ length: count }, (_, at) => `<k${at}>x</k${at}>`).join('');
}
