import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { FlotillaError, type Instance, type Json } from '@flotilla/core';
import {
  decodeNacosInstance,
  decodeProviderUrl,
  decodeZnodeName,
  decodeZookeeperInstance,
  encodeNacosInstance,
  encodeProviderUrl,
  encodeZnodeName,
  encodeZookeeperInstance,
} from '@flotilla/dubbo';
import { decodeInstance, type EurekaInstance, encodeInstance, readEurekaInstance } from '@flotilla/eureka';
import fc from 'fast-check';
import { instances, sampling } from './instance-arbitrary.ts';

/** When the client forms without timestamps are read. */
const now = 1_800_000_000_000;

/** A dialect as text ↔ instance, so that all claims below are made once. */
interface Dialect {
  readonly name: string;
  readonly bag: string;
  decode(text: string): Instance;
  encode(instance: Instance): string;
  /** Every golden document, and the full example. */
  readonly texts: readonly string[];
}

interface EurekaCase {
  readonly name: string;
  readonly document: EurekaInstance;
  readonly instance: Instance;
  readonly answer?: EurekaInstance;
  readonly listed?: EurekaInstance;
}

interface TextCase {
  readonly name: string;
  readonly instance: Instance;
}

const eurekaFiles = ['client-variants', 'forms', 'peer-replication', 'rest-template', 'server-answers'];
const eurekaCases = eurekaFiles.flatMap((file) => casesOf<EurekaCase>(`eureka/${file}`));
const urlCases = ['recorded-urls', 'url-forms'].flatMap((file) =>
  casesOf<TextCase & { znode: string; url: string }>(`dubbo/${file}`),
);
const nodeCases = ['recorded-nodes', 'node-forms'].flatMap((file) =>
  casesOf<TextCase & { data: string }>(`dubbo/${file}`),
);
const nacosCases = ['services', 'dubbo'].flatMap((file) => casesOf<TextCase & { document: Json }>(`nacos/${file}`));

const full = load<Record<'eureka' | 'nacos', Json> & Record<'url' | 'node', string>>('instances/full');

const dialects: readonly Dialect[] = [
  {
    name: 'Eureka',
    bag: 'eureka',
    decode: (text) => decodeInstance(JSON.parse(text), now),
    encode: (instance) => JSON.stringify(encodeInstance(instance)),
    texts: [
      JSON.stringify(full.eureka),
      ...eurekaCases.map(({ document, answer }) => JSON.stringify(answer ?? document)),
    ],
  },
  {
    name: 'Dubbo URL',
    bag: 'dubbo',
    decode: (text) => decodeProviderUrl(decodeZnodeName(text)),
    encode: (instance) => encodeZnodeName(encodeProviderUrl(instance)),
    texts: [encodeZnodeName(full.url), ...urlCases.map(({ znode }) => znode)],
  },
  {
    name: 'Dubbo node',
    bag: 'dubbo',
    decode: (text) => decodeZookeeperInstance(JSON.parse(text)),
    encode: (instance) => JSON.stringify(encodeZookeeperInstance(instance)),
    texts: [full.node, ...nodeCases.map(({ data }) => data)],
  },
  {
    name: 'Nacos',
    bag: 'nacos',
    decode: (text) => decodeNacosInstance(JSON.parse(text)),
    encode: (instance) => JSON.stringify(encodeNacosInstance(instance)),
    texts: [full.nacos, ...nacosCases.map(({ instance }) => encodeNacosInstance(instance))].map((document) =>
      JSON.stringify(document),
    ),
  },
];

suite('Eureka: golden documents', () => {
  for (const { name, document, instance, answer } of eurekaCases) {
    test(name, () => {
      assert.deepEqual(decodeInstance(document, now), instance);
      assert.equal(JSON.stringify(encodeInstance(instance)), JSON.stringify(answer ?? document));
    });
  }
  for (const { name, document, listed } of eurekaCases) {
    if (!listed) continue;
    test(`what the server was seen to list is written of the registration: ${name}`, () => {
      const { registrationTimestamp, lastRenewalTimestamp, evictionTimestamp, serviceUpTimestamp } = listed.leaseInfo;
      const registered = { ...decodeInstance(document, now), startedAt: serviceUpTimestamp };
      const lastUpdatedTimestamp = Number(listed.lastUpdatedTimestamp);
      const written = encodeInstance(registered, {
        registrationTimestamp,
        lastRenewalTimestamp,
        evictionTimestamp,
        lastUpdatedTimestamp,
        actionType: listed.actionType ?? null,
      });
      assert.equal(JSON.stringify(written), JSON.stringify(listed));
    });
  }
});

suite('Dubbo: golden URLs and nodes', () => {
  for (const { name, znode, url, instance } of urlCases) {
    test(name, () => {
      assert.equal(decodeZnodeName(znode), url);
      assert.equal(encodeZnodeName(url), znode);
      assert.deepEqual(decodeProviderUrl(url), instance);
      assert.equal(encodeProviderUrl(instance), url);
    });
  }
  for (const { name, data, instance } of nodeCases) {
    test(name, () => {
      assert.deepEqual(decodeZookeeperInstance(JSON.parse(data)), instance);
      assert.equal(JSON.stringify(encodeZookeeperInstance(instance)), data);
    });
  }
});

suite('Nacos: golden documents', () => {
  for (const { name, document, instance } of nacosCases) {
    test(name, () => {
      assert.deepEqual(decodeNacosInstance(document), instance);
      assert.deepEqual(json(encodeNacosInstance(instance)), document);
    });
  }
});

suite('the full example in every dialect', () => {
  const golden = load<{ full: Instance; minimal: Instance }>('instance');
  const rows: readonly [dialect: string, text: string][] = [
    ['Eureka', JSON.stringify(full.eureka)],
    ['Dubbo URL', encodeZnodeName(full.url)],
    ['Dubbo node', full.node],
    ['Nacos', JSON.stringify(full.nacos)],
  ];
  for (const [name, text] of rows) {
    test(`${name}: written as the golden file has it, and read back without loss`, () => {
      const { encode, decode } = dialectNamed(name);
      assert.equal(encode(golden.full), text);
      assert.deepEqual(decode(text), { ...golden.full, bags: {} });
    });
    test(`${name}: the minimal example survives`, () => {
      const { encode, decode } = dialectNamed(name);
      assert.deepEqual(decode(encode(golden.minimal)), golden.minimal);
    });
  }
  test('the neutral form is plain JSON', () => {
    assert.deepEqual(json(golden.full), golden.full);
    assert.deepEqual(
      Object.keys(golden.full).filter((member) => !(member in golden.minimal)),
      ['override', 'zone', 'cluster', 'lease', 'startedAt'],
    );
  });
});

suite('Eureka → model → Nacos', () => {
  interface Journey {
    readonly name: string;
    readonly eureka: Json;
    readonly instance: Instance;
    readonly nacos: Json;
    readonly back: Json;
  }
  for (const { name, eureka, instance, nacos, back } of load<{ cases: Journey[] }>('eureka-to-nacos').cases) {
    test(`${name}: the golden result, and every neutral field comes back`, () => {
      assert.deepEqual(decodeInstance(eureka, now), instance);
      assert.deepEqual(json(encodeNacosInstance(instance)), nacos);
      assert.deepEqual(decodeNacosInstance(nacos), { ...instance, bags: {} });
      assert.deepEqual(json(encodeInstance(decodeNacosInstance(nacos))), back);
    });
  }
});

suite('a bag holds only what no neutral field carries', () => {
  for (const dialect of dialects) {
    test(`${dialect.name}: without its bag a fixture keeps every neutral field`, () => {
      for (const text of dialect.texts) {
        const bare = { ...dialect.decode(text), bags: {} };
        assert.deepEqual(dialect.decode(dialect.encode(bare)), bare);
      }
    });
    test(`${dialect.name}: every member of a bag is needed: without it the document is another`, () => {
      for (const text of dialect.texts) {
        const instance = dialect.decode(text);
        for (const member of Object.keys(membersOf(instance, dialect.bag))) {
          assert.notEqual(dialect.encode(withoutMember(instance, dialect.bag, member)), text, member);
        }
      }
    });
    test(`${dialect.name}: no text of a bag repeats a neutral field`, () => {
      for (const text of dialect.texts) {
        const { bags, ...facts } = dialect.decode(text);
        const neutral = new Set(leavesOf(facts).filter((leaf) => typeof leaf === 'string' && leaf !== ''));
        const hosts = facts.addresses.map(({ host }) => host);
        for (const leaf of leavesOf(bags)) {
          if (typeof leaf !== 'string') continue;
          assert.ok(!neutral.has(leaf), `"${leaf}" is in the bag and in a neutral field`);
          assert.ok(!hosts.includes(hostOf(leaf)), `"${leaf}" repeats the host of an address`);
        }
      }
    });
  }
});

/** One change of each neutral field. `other` differs from what any fixture has there. */
const changes: readonly (readonly [field: string, change: (instance: Instance) => Instance])[] = [
  ['id', (instance) => ({ ...instance, id: 'other-id' })],
  ['identity.namespace', (instance) => withIdentity(instance, { namespace: 'other' })],
  ['identity.group', (instance) => withIdentity(instance, { group: 'other' })],
  ['identity.service', (instance) => withIdentity(instance, { service: 'other' })],
  ['identity.service, its case', (instance) => withIdentity(instance, { service: flipped(instance.identity.service) })],
  ['identity.version', (instance) => withIdentity(instance, { version: 'other' })],
  ['incarnation', (instance) => ({ ...instance, incarnation: instance.incarnation + 1 })],
  ['addresses[0].protocol', (instance) => withAddress(instance, { protocol: 'other' })],
  ['addresses[0].host', (instance) => withAddress(instance, { host: 'other.example' })],
  ['addresses[0].port', (instance) => withAddress(instance, { port: 4_711 })],
  [
    'addresses, one more',
    (instance) => withMore(instance, { protocol: 'rsocket', host: 'other.example', port: 7_000 }),
  ],
  [
    'addresses, one more at the same host',
    (instance) => withMore(instance, { ...firstAddress(instance), port: 4_712 }),
  ],
  ['addresses, none', (instance) => ({ ...instance, addresses: [] })],
  ['addresses, reversed', (instance) => withMore(withMore(instance, other('http')), other('https'))],
  ['contracts', (instance) => ({ ...instance, contracts: [{ name: 'catalog', version: 1, hash: 'abc=' }] })],
  ['contracts[0].name', (instance) => ({ ...instance, contracts: [{ name: 'other', version: 1, hash: 'abc=' }] })],
  ['contracts[0].version', (instance) => ({ ...instance, contracts: [{ name: 'catalog', version: 2, hash: 'abc=' }] })],
  ['contracts[0].hash', (instance) => ({ ...instance, contracts: [{ name: 'catalog', version: 1, hash: 'abd=' }] })],
  ...(['starting', 'up', 'draining', 'down', 'out-of-service', 'unknown'] as const).flatMap((status) => [
    [`status ${status}`, (instance: Instance): Instance => ({ ...instance, status })] as const,
    [`override ${status}`, (instance: Instance): Instance => ({ ...instance, override: status })] as const,
  ]),
  ['override, none', ({ override: _, ...instance }) => instance],
  ['zone', (instance) => ({ ...instance, zone: 'other & zone' })],
  ['zone, none', ({ zone: _, ...instance }) => instance],
  ['cluster', (instance) => ({ ...instance, cluster: 'other' })],
  ['cluster, none', ({ cluster: _, ...instance }) => instance],
  ...[0, 1, 1.25, 0.1, 3, 100].map(
    (weight) => [`weight ${weight}`, (instance: Instance): Instance => ({ ...instance, weight })] as const,
  ),
  ['lease.renewEveryMs', (instance) => ({ ...instance, lease: { renewEveryMs: 1_500, lastsMs: 90_000 } })],
  ['lease.lastsMs', (instance) => ({ ...instance, lease: { renewEveryMs: 30_000, lastsMs: 45_500 } })],
  ['lease, none', ({ lease: _, ...instance }) => instance],
  ['startedAt', (instance) => ({ ...instance, startedAt: (instance.startedAt ?? 0) + 1 })],
  ['startedAt 0', (instance) => ({ ...instance, startedAt: 0 })],
  ['startedAt, none', ({ startedAt: _, ...instance }) => instance],
  ['revision', (instance) => ({ ...instance, revision: 1 })],
  ['metadata, one more', (instance) => withMetadata(instance, [['other', 'a=b&c;d']])],
  ['metadata, none', (instance) => ({ ...instance, metadata: {} })],
  ['metadata, an empty text', (instance) => withMetadata(instance, [['other', '']])],
  ...['zone', 'weight', 'version', 'group', 'timestamp', 'enabled', 'secure', '@class', '__proto__', ''].flatMap(
    (name) =>
      ['2', 'false', 'true', 'x'].map(
        (text) =>
          [
            `metadata "${name}" ${text}`,
            (instance: Instance): Instance => withMetadata(instance, [[name, text]]),
          ] as const,
      ),
  ),
];

for (const dialect of dialects) {
  suite(`${dialect.name}: changing any neutral field changes the encoding, and nothing else is lost`, () => {
    for (const [field, change] of changes) {
      test(field, () => {
        let changed = 0;
        for (const text of dialect.texts) {
          const before = dialect.decode(text);
          const after = change(before);
          const written = dialect.encode(after);
          settles(after, dialect);
          if (same(factsOf(before), factsOf(after))) continue;
          assert.notEqual(written, text);
          changed++;
        }
        assert.ok(changed > 0, 'no fixture was changed');
      });
    }
  });
}

suite('any instance survives any dialect', () => {
  for (const { name, decode, encode } of dialects) {
    test(`${name}: without bags it is the same instance`, () => {
      const survives = (instance: Instance): void => assert.deepEqual(decode(encode(instance)), instance);
      fc.assert(fc.property(instances, survives), sampling(200));
    });
  }
  for (const dialect of dialects) {
    const { name, bag, texts, decode } = dialect;
    test(`${name}: with a fixture's bag it keeps every neutral field`, () => {
      const bags = fc.constantFrom(...texts.map((text) => decode(text).bags));
      fc.assert(
        fc.property(instances, bags, (instance, kept) => settles({ ...instance, bags: kept }, dialect)),
        sampling(200),
      );
    });
    test(`${name}: with a stranger's bag too`, () => {
      const names = [...new Set(texts.flatMap((text) => Object.keys(membersOf(decode(text), bag)))), 'metadataOrder'];
      const value = fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom('javascript:alert(1)', 'a\u0000', true, -1),
      );
      const stranger = fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true });
      fc.assert(
        fc.property(instances, stranger, (instance, kept) => {
          settles({ ...instance, bags: { [bag]: kept as Json } }, dialect);
        }),
        sampling(200),
      );
    });
  }
});

/** Values that mean something in one member of a Eureka document or another. */
const words = [
  'UP',
  'DOWN',
  'OUT_OF_SERVICE',
  'UNKNOWN',
  'true',
  'false',
  '0',
  '5',
  'na',
  'h2',
  'http://h2/',
  'Books',
  8080,
  0,
];

suite('documents from strangers', () => {
  for (const dialect of dialects) {
    const { name, texts } = dialect;
    if (name === 'Dubbo URL') continue;
    test(`${name}: a document with any part replaced is read, or refused by a named error`, () => {
      const mutated = fc
        .constantFrom(...texts)
        .chain((text) =>
          fc
            .tuple(fc.nat(), fc.jsonValue({ maxDepth: 2 }))
            .map(([place, value]) => replaced(text, place, value as Json)),
        );
      fc.assert(
        fc.property(mutated, (text) => settlesOrRefuses(text, dialect)),
        { numRuns: 1_000 },
      );
    });
  }
  test('Eureka: whatever is read is written as a server would store it, text for text', () => {
    const texts = eurekaCases.map(({ document }) => JSON.stringify(document));
    const mutated = fc
      .tuple(fc.constantFrom(...texts), fc.nat(), fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(...words)))
      .map(([text, place, value]) => JSON.parse(replaced(text, place, value as Json)) as unknown);
    let read = 0;
    fc.assert(
      fc.property(mutated, (document) => {
        const stored = storedForm(document);
        if (stored === undefined) return;
        read++;
        assert.equal(JSON.stringify(encodeInstance(decodeInstance(document, now))), stored);
      }),
      sampling(1_500),
    );
    assert.ok(read > 300, `only ${read} documents were read`);
  });
  test('Dubbo URL: any text is read, or refused by a named error', () => {
    const dialect = dialectNamed('Dubbo URL');
    const { texts } = dialect;
    const mutated = fc
      .tuple(fc.constantFrom(...texts), fc.nat(), fc.string({ unit: 'binary', maxLength: 4 }))
      .map(([text, place, other]) => {
        const at = place % text.length;
        return `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string()), (text) => settlesOrRefuses(text, dialect)),
      { numRuns: 1_000 },
    );
  });
});

suite('hostile names', () => {
  for (const { name, decode, encode } of dialects) {
    test(`${name}: metadata named like what every object inherits stays metadata`, () => {
      const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
      const instance = withMetadata(
        load<{ minimal: Instance }>('instance').minimal,
        names.map((each) => [each, 'x']),
      );
      const read = decode(encode(instance));
      assert.deepEqual(read, instance);
      assert.deepEqual(Object.keys(read.metadata).sort(), names.sort());
      assert.equal(Object.getPrototypeOf(read.metadata), Object.prototype);
      assert.equal(({} as Record<string, unknown>)['x'], undefined);
    });
  }

  const file = join(process.env['FLOTILLA_TEST_DATA'] ?? '', 'naughty-strings', 'blns.json');
  const given = process.env['FLOTILLA_TEST_DATA'] !== undefined && existsSync(file);
  const skip = given ? false : 'SKIPPED: set FLOTILLA_TEST_DATA to a folder that holds naughty-strings/blns.json';
  for (const { name, decode, encode } of dialects) {
    test(`${name}: naughty strings survive as names and as texts`, { skip }, () => {
      const naughty = JSON.parse(readFileSync(file, 'utf8')) as string[];
      const { minimal } = load<{ minimal: Instance }>('instance');
      assert.ok(naughty.length > 400);
      for (const text of naughty) {
        const short = text.slice(0, 500);
        const instance = withMetadata(minimal, [
          [short, 'x'],
          ['name', short],
        ]);
        assert.deepEqual(decode(encode(instance)), instance);
      }
    });
  }
});

/** What a server would store of a document, or undefined if it refuses it. */
function storedForm(document: unknown): string | undefined {
  try {
    decodeInstance(document, now);
    return JSON.stringify(readEurekaInstance(document, now));
  } catch (thrown) {
    if (thrown instanceof FlotillaError) return undefined;
    throw thrown;
  }
}

function casesOf<T>(file: string): readonly T[] {
  return load<{ readonly cases: readonly T[] }>(`instances/${file}`).cases;
}

function load<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`golden/${file}.json`, import.meta.url), 'utf8')) as T;
}

function json(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function dialectNamed(name: string): Dialect {
  const found = dialects.find((dialect) => dialect.name === name);
  assert.ok(found);
  return found;
}

function factsOf({ bags: _, ...facts }: Instance): Omit<Instance, 'bags'> {
  return facts;
}

function same(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
}

/**
 * Every neutral field comes back, and writing comes to rest: a bag that fits the instance no more is dropped once, and
 * from then on the same text is written.
 */
function settles(instance: Instance, { decode, encode }: Dialect): void {
  const read = decode(encode(instance));
  assert.deepEqual(factsOf(read), factsOf(instance));
  const again = decode(encode(read));
  assert.deepEqual(factsOf(again), factsOf(instance));
  assert.equal(encode(again), encode(read));
}

function settlesOrRefuses(text: string, dialect: Dialect): void {
  let instance: Instance;
  try {
    instance = dialect.decode(text);
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError)) throw thrown;
    assert.match(thrown.code, /^(MALFORMED_REQUEST|INVALID_INPUT)$/);
    assert.ok(thrown.detail.length < 500, thrown.detail);
    return;
  }
  settles(instance, dialect);
}

function membersOf({ bags }: Instance, name: string): Record<string, Json> {
  return (bags[name] ?? {}) as Record<string, Json>;
}

function withoutMember(instance: Instance, bag: string, member: string): Instance {
  const { [member]: _, ...others } = membersOf(instance, bag);
  return { ...instance, bags: { [bag]: others } };
}

function leavesOf(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  return Object.values(value).flatMap(leavesOf);
}

function hostOf(text: string): string {
  return URL.canParse(text) ? new URL(text).hostname : '';
}

/** The document with the part at `place`, counted over all its members and theirs, replaced. */
function replaced(text: string, place: number, value: Json): string {
  const document = JSON.parse(text) as Record<string, Json>;
  const slots: [holder: Record<string, Json>, name: string][] = [];
  const walk = (holder: Record<string, Json>): void => {
    for (const [name, part] of Object.entries(holder)) {
      slots.push([holder, name]);
      if (typeof part === 'object' && part !== null) walk(part as Record<string, Json>);
    }
  };
  walk(document);
  const [holder, name] = slots[place % slots.length] ?? [document, 'port'];
  holder[name] = value;
  return JSON.stringify(document);
}

function withIdentity(instance: Instance, parts: Partial<Instance['identity']>): Instance {
  return { ...instance, identity: { ...instance.identity, ...parts } };
}

function flipped(text: string): string {
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
}

function other(protocol: string): Instance['addresses'][number] {
  return { protocol, host: 'other.example', port: 4_713 };
}

function firstAddress({ addresses: [first] }: Instance): Instance['addresses'][number] {
  return first ?? other('http');
}

function withAddress(instance: Instance, change: Partial<Instance['addresses'][number]>): Instance {
  const [, ...others] = instance.addresses;
  return { ...instance, addresses: [{ ...firstAddress(instance), ...change }, ...others] };
}

function withMore(instance: Instance, address: Instance['addresses'][number]): Instance {
  return { ...instance, addresses: [...instance.addresses, address] };
}

function withMetadata(instance: Instance, entries: readonly (readonly [string, string])[]): Instance {
  return { ...instance, metadata: Object.fromEntries([...Object.entries(instance.metadata), ...entries]) };
}
