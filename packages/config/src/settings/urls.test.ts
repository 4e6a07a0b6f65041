import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../load.ts';
import { settings } from './settings.ts';
import { urls } from './urls.ts';

const schema = settings({ registry: urls({ default: ['http://127.0.0.1:8761'] }) });
const [one, two] = ['http://a:b@h1:8761', 'https://h2/eureka/'];

const rows: readonly [name: string, layers: Parameters<typeof loadConfig>[1], read: readonly string[]][] = [
  ['nothing is the default', {}, ['http://127.0.0.1:8761']],
  ['a list in YAML', { files: [{ name: 'f', text: `registry: [${one}, "${two}"]` }] }, [one, two]],
  ['text with commas in YAML', { files: [{ name: 'f', text: `registry: ${one}, ${two}` }] }, [one, two]],
  [
    'a list of such texts',
    { files: [{ name: 'f', text: `registry:\n  - ${one},${two}\n  - ${one}` }] },
    [one, two, one],
  ],
  ['a variable', { env: { FLOTILLA_REGISTRY: `${one},${two},` } }, [one, two]],
  ['flags', { flags: [`--registry=${one}`, `--registry=${two}`] }, [one, two]],
];
for (const [name, layers, read] of rows) {
  test(`urls: ${name}`, () => assert.deepEqual(loadConfig(schema, layers).values.registry, read));
}

const mistakes: readonly [text: string, said: RegExp][] = [
  ['registry: []', /registry: must have at least one URL/],
  ['registry: ","', /registry: must have at least one URL/],
  ['registry: 7', /registry: must be a URL/],
  ['registry: {a: b}', /registry: must be a URL/],
  ['registry: ["ftp://h"]', /registry.*: must be a URL that begins with "http:\/\/" or "https:\/\/"/],
];
for (const [text, said] of mistakes) {
  test(`urls refuse ${text}`, () => {
    assert.throws(() => loadConfig(schema, { files: [{ name: 'f', text }] }), said);
  });
}

test('no password of a URL is shown, neither as a value nor in a mistake', () => {
  const secrets = ['first-secret', 'second/secret', 'third@secret', 'fourth,secret'];
  const written = secrets.map((secret) => `http://u:${secret}@h:1`).join(',');
  const { origins } = loadConfig(schema, {
    files: [{ name: 'f', text: 'registry: "http://u:first-secret@h,http://v:w%2Fx-secret@i/p"' }],
  });
  assert.deepEqual(origins[0]?.value, ['http://u:***@h', 'http://v:***@i/p']);
  try {
    loadConfig(schema, { files: [{ name: 'f', text: `registry: "x,${written}"` }] });
    assert.fail('it has to be refused');
  } catch (thrown) {
    assert.match(String(thrown), /must be a URL/);
    assert.doesNotMatch(`${thrown} ${JSON.stringify(thrown)}`, /secret/);
  }
});

test('a token in a parameter is not shown either', () => {
  const consul = settings({ registry: urls({ protocols: ['consul+http'] }) });
  const text = 'registry: "consul+http://h:8500?dc=x&token=one-secret, consul+http://i?token=two-secret&dc=y"';
  const { origins, values } = loadConfig(consul, { files: [{ name: 'f', text }] });
  assert.equal(values.registry[0], 'consul+http://h:8500?dc=x&token=one-secret');
  assert.deepEqual(origins[0]?.value, ['consul+http://h:8500?dc=x&token=***', 'consul+http://i?token=***&dc=y']);
});

test('a scheme with a colon needs no //', () => {
  const schema = settings({ registry: urls({ protocols: ['http', 'file:'] }) });
  const read = (text: string): readonly string[] =>
    loadConfig(schema, { files: [{ name: 'f', text }] }).values.registry;
  assert.deepEqual(read('registry: "file:/a.yaml, file:///b.yaml"'), ['file:/a.yaml', 'file:///b.yaml']);
  assert.throws(() => read('registry: "http:/a"'), /must be a URL that begins with "http:\/\/" or "file:"/);
});
