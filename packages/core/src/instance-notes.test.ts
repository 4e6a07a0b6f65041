import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identity } from './identity.ts';
import type { Instance } from './instance.ts';
import {
  type InstanceFacts,
  isHost,
  isNoteName,
  isProtocol,
  noteLimit,
  readNotes,
  readOwn,
  writeNotes,
  writeOwn,
} from './instance-notes.ts';

const native: InstanceFacts = {
  id: 'h1:8080',
  identity: identity('orders'),
  incarnation: 5,
  addresses: [{ protocol: 'http', host: 'h1', port: 8080 }],
  contracts: [],
  status: 'up',
  weight: 1,
  revision: 0,
};

function changed(change: Partial<Instance>): Instance {
  return { ...native, metadata: {}, bags: {}, ...change };
}

/** One row per fact: the change, and the one note that carries it. */
const rows: readonly [change: Partial<Instance>, name: string, text: string][] = [
  [{ id: 'a/b' }, 'flotilla.id', 'a/b'],
  [{ identity: identity('orders', { namespace: 'prod' }) }, 'flotilla.namespace', 'prod'],
  [{ identity: identity('orders', { group: 'eu' }) }, 'flotilla.group', 'eu'],
  [{ identity: identity('Orders') }, 'flotilla.service', 'Orders'],
  [{ identity: identity('orders', { version: '2' }) }, 'flotilla.version', '2'],
  [{ incarnation: 6 }, 'flotilla.incarnation', '6'],
  [{ addresses: [] }, 'flotilla.addresses', '[]'],
  [
    { contracts: [{ name: 'catalog', version: 2, hash: 'ab=' }] },
    'flotilla.contracts',
    '[{"name":"catalog","version":2,"hash":"ab="}]',
  ],
  [{ calls: [{ name: 'stock', version: 1, hash: '' }] }, 'flotilla.calls', '[{"name":"stock","version":1,"hash":""}]'],
  [{ status: 'draining' }, 'flotilla.status', 'draining'],
  [{ override: 'down' }, 'flotilla.override', 'down'],
  [{ zone: 'a' }, 'flotilla.zone', 'a'],
  [{ cluster: 'blue' }, 'flotilla.cluster', 'blue'],
  [{ weight: 0.1 }, 'flotilla.weight', '0.1'],
  [{ lease: { renewEveryMs: 500, lastsMs: 1_500 } }, 'flotilla.lease', '{"renewEveryMs":500,"lastsMs":1500}'],
  [{ startedAt: 0 }, 'flotilla.startedAt', '0'],
  [{ revision: 7 }, 'flotilla.revision', '7'],
];

for (const [change, name, text] of rows) {
  test(`${name} is written when only it differs, and read back`, () => {
    const instance = changed(change);
    const written = writeNotes(instance, native);
    assert.deepEqual(written, [[name, text]]);
    const { metadata: _, bags: __, ...facts } = instance;
    assert.deepEqual(readNotes(native, written), facts);
    assert.ok(isNoteName(name));
  });
}

test('what foreign fields say already needs no note', () => {
  assert.deepEqual(writeNotes(changed({}), native), []);
});

test('a note can say that a fact is absent although a foreign field has it', () => {
  const full: InstanceFacts = {
    ...native,
    override: 'down',
    calls: [],
    zone: 'a',
    lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
    startedAt: 3,
  };
  const written = writeNotes(changed({}), full);
  assert.deepEqual(written, [
    ['flotilla.calls', 'none'],
    ['flotilla.override', 'none'],
    ['flotilla.zone', ''],
    ['flotilla.lease', 'none'],
    ['flotilla.startedAt', ''],
  ]);
  assert.deepEqual(readNotes(full, written), native);
});

test('entries that are no notes are passed over', () => {
  assert.deepEqual(
    readNotes(native, [
      ['zone', 'b'],
      ['flotilla.later', 'x'],
      ['__proto__', 'y'],
    ]),
    native,
  );
});

const refused: readonly [name: string, text: string][] = [
  ['flotilla.id', ''],
  ['flotilla.group', 'a/b'],
  ['flotilla.incarnation', '1.5'],
  ['flotilla.revision', '-1'],
  ['flotilla.weight', 'NaN'],
  ['flotilla.addresses', '{}'],
  ['flotilla.addresses', 'not json'],
  ['flotilla.addresses', '[null]'],
  ['flotilla.addresses', '[{"protocol":"http","host":"a b","port":1}]'],
  ['flotilla.addresses', '[{"protocol":"http","host":"h","port":65536}]'],
  ['flotilla.contracts', '[{"name":"x"}]'],
  ['flotilla.lease', '{"renewEveryMs":0,"lastsMs":1}'],
  ['flotilla.status', 'UP'],
  ['flotilla.zone', 'a\u0000'],
  ['flotilla.startedAt', ' '],
  ['flotilla.cluster', 'x'.repeat(noteLimit + 1)],
];

for (const [name, text] of refused) {
  test(`${name} refuses ${JSON.stringify(text.slice(0, 50))}, naming itself`, () => {
    assert.throws(() => readNotes(native, [[name, text]]), { code: 'INVALID_INPUT', detail: new RegExp(name) });
  });
}

test('a host has no blanks, brackets or URL delimiters', () => {
  for (const host of ['h1', '10.0.0.1', 'fe80::1%eth0', 'xn--bcher-kva.example']) assert.ok(isHost(host), host);
  for (const host of ['', 'a b', '[::1]', 'a/b', 'u@h', 'a\n', 'x'.repeat(256)]) assert.ok(!isHost(host), host);
});

test("an owner's entry that would be taken for something else is escaped, and found again", () => {
  const metadata = Object.fromEntries([
    ['color', 'blue'],
    ['flotilla.status', 'mine'],
    ['flotilla.user.x', 'mine'],
    ['flotilla.later', 'mine'],
    ['zone', 'mine'],
    ['__proto__', 'mine'],
    ['', 'mine'],
  ]);
  const means = (name: string): boolean => name === 'zone' || name === '';
  const written = writeOwn(metadata, means);
  assert.deepEqual(
    written.map(([name]) => name),
    [
      'color',
      'flotilla.user.flotilla.status',
      'flotilla.user.flotilla.user.x',
      'flotilla.later',
      'flotilla.user.zone',
      '__proto__',
      'flotilla.user.',
    ],
  );
  assert.deepEqual(
    Object.fromEntries(readOwn([...written, ['zone', 'a'], ['flotilla.status', 'up']], means)),
    metadata,
  );
});

test('a protocol is written like the scheme of a URL', () => {
  for (const protocol of ['http', 'tri', 'h2c+x', 'A1.b-c']) assert.ok(isProtocol(protocol), protocol);
  for (const protocol of ['', '1a', 'a b', 'a:', 'x'.repeat(65)]) assert.ok(!isProtocol(protocol), protocol);
});
