import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError, Secret } from '@flotilla/core';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { minValue, object, pipe, number as valibotNumber, integer as whole } from 'valibot';
import { z } from 'zod';
import { type Layers, loadConfig } from './load.ts';
import type { ConfigSchema } from './schema.ts';
import { group, list, map } from './settings/collections.ts';
import { flag, integer, text, url } from './settings/scalars.ts';
import { secret } from './settings/secret.ts';
import { settings } from './settings/settings.ts';

const Shop = settings({
  port: integer({ default: 8080, min: 1, max: 65_535 }),
  name: text({ default: 'shop' }),
  http: group({ maxBodyBytes: integer({ default: 1_000, min: 1 }), keepAlive: flag({ default: true }) }),
  hosts: list(text(), { default: [] }),
  labels: map(text(), { default: {} }),
  store: url({ optional: true, protocols: ['redis'] }),
  apiKey: secret({ optional: true }),
});

function file(text: string, name = 'flotilla.yaml'): { files: { name: string; text: string }[] } {
  return { files: [{ name, text }] };
}

function mistakesOf(schema: ConfigSchema<unknown>, layers: Layers): string[] {
  try {
    loadConfig(schema, layers);
  } catch (error) {
    assert(error instanceof FlotillaError, String(error));
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.detail
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe('loadConfig', () => {
  it('lays flags over environment over files over defaults, and says where each value came from', () => {
    const { values, origins } = loadConfig(Shop, {
      files: [
        {
          name: 'base.yaml',
          text: 'port: 1\nname: a\nhttp:\n  keepAlive: false\nhosts:\n  - x\nlabels: {team: red, tier: 1}',
        },
        { name: 'prod.yaml', text: '# prod\nport: 2\nlabels: {team: blue}' },
      ],
      env: { FLOTILLA_PORT: '3', FLOTILLA_HTTP_MAX_BODY_BYTES: '5', HOME: '/x' },
      flags: ['--port', '4'],
    });
    assert.equal(values.port, 4);
    assert.deepEqual(
      origins.map(({ key, value, source, where }) => [key, value, source, where]),
      [
        ['port', 4, 'flag', '--port'],
        ['name', 'a', 'file', 'base.yaml:2'],
        ['http.maxBodyBytes', 5, 'env', 'FLOTILLA_HTTP_MAX_BODY_BYTES'],
        ['http.keepAlive', false, 'file', 'base.yaml:4'],
        ['hosts', ['x'], 'file', 'base.yaml:5'],
        ['labels.team', 'blue', 'file', 'prod.yaml:3'],
        ['labels.tier', '1', 'file', 'base.yaml:7'],
        ['store', null, 'default', ''],
        ['apiKey', null, 'default', ''],
      ],
    );
  });

  it('gives frozen defaults when nothing is written', () => {
    const { values, origins } = loadConfig(Shop);
    assert.equal(values.http.maxBodyBytes, 1_000);
    assert(Object.isFrozen(values) && Object.isFrozen(values.http) && Object.isFrozen(values.labels));
    assert(origins.every(({ source }) => source === 'default'));
  });

  it('takes null and an absent sub-tree as absent', () => {
    const text = 'services:\n  catalog:\n    settings:\n      port: ~\n      http:\n';
    const at = ['services', 'catalog', 'settings'];
    assert.equal(loadConfig(Shop, { files: [{ name: 'f', text, at }] }).values.port, 8080);
    assert.equal(loadConfig(Shop, { files: [{ name: 'f', text: 'other: 1', at }] }).values.port, 8080);
    assert.deepEqual(mistakesOf(Shop, { files: [{ name: 'f', text: 'services: 5', at }] }), [
      'f:1:11: services: must be a map of keys to values',
    ]);
  });

  it('names every mistake at once, with line, value, range and the nearest key', () => {
    const layers = {
      ...file(
        'port: 99999\nnam: x\nhttp:\n  maxBodyBytes: lots\n  prot: 1\nhosts: 5\nlabels:\n  a: [1]\nstore: http://x\nkeepAlive: no',
      ),
      env: { FLOTILLA_PROT: '1', FLOTILLA_HTTP: '{}', FLOTILLA_OTHER_THING: '1', FLOTILLA_LISTEN_FD: '3' },
      flags: ['--htp.keep-alive=1', '--http.keepAlive', 'false', 'stray', '--port'],
      reserved: ['FLOTILLA_LISTEN_FD'],
    };
    assert.deepEqual(mistakesOf(Shop, layers), [
      'FLOTILLA_HTTP: is a group; set its keys one by one: FLOTILLA_HTTP_MAX_BODY_BYTES, FLOTILLA_HTTP_KEEP_ALIVE',
      'FLOTILLA_OTHER_THING: no key has this variable',
      'FLOTILLA_PROT: no key has this variable; did you mean FLOTILLA_PORT?',
      '--htp.keep-alive: no key has this flag; did you mean --http.keep-alive?',
      '--http.keepAlive: no key has this flag; did you mean --http.keep-alive?',
      '"stray": is not a flag; flags are written --key=value',
      '--port: port: needs a value: write it after "="',
      'flotilla.yaml:2:1: nam: no such key; did you mean "name"?',
      'flotilla.yaml:10:1: keepAlive: no such key here; did you mean "http.keepAlive"?',
      'flotilla.yaml:5:3: http.prot: no such key; known here: "maxBodyBytes", "keepAlive"',
      'flotilla.yaml:1:7: port: must be an integer from 1 to 65535, got 99999',
      'flotilla.yaml:4:17: http.maxBodyBytes: must be an integer of at least 1, got "lots"',
      'flotilla.yaml:6:8: hosts: must be a list, got 5',
      'flotilla.yaml:8:6: labels.a: must be a text, got a list',
      'flotilla.yaml:9:8: store: must be a URL that begins with "redis://", got "http://x"',
    ]);
  });

  it('says how to set a value that is required', () => {
    const schema = settings({ db: group({ userName: text() }) });
    const problem = 'db.userName: is required; set it in f.yaml, as SHOP_DB_USER_NAME, or as --db.user-name';
    assert.deepEqual(mistakesOf(schema, { ...file('db: {}', 'f.yaml'), envPrefix: 'SHOP' }), [
      `f.yaml:1:5: ${problem}`,
    ]);
    assert.deepEqual(mistakesOf(schema, { ...file('', 'f.yaml'), envPrefix: 'SHOP' }), [problem]);
  });

  it('does not look for missing values in a file that could not be read', () => {
    assert.deepEqual(mistakesOf(settings({ a: text() }), file('a: "x')), ['flotilla.yaml:1:6: Missing closing "quote']);
  });

  it('tells 50 mistakes and counts the rest', () => {
    const text = Array.from({ length: 20_000 }, (_, i) => `key${i}: 1`).join('\n');
    const told = mistakesOf(Shop, file(text));
    assert.equal(told.length, 51);
    assert.equal(told.at(-1), 'and 19950 more');
  });

  it('reads a text as it was written', () => {
    assert.equal(loadConfig(Shop, file('name: 1.10')).values.name, '1.10');
    assert.equal(loadConfig(Shop, file('port: "81"')).values.port, 81);
  });

  it('refuses names that reach into prototypes, in every layer', () => {
    assert.match(mistakesOf(Shop, file('labels: {__proto__: x}')).join(), /"__proto__" is not allowed as a key/);
    assert.match(mistakesOf(Shop, { env: { FLOTILLA_LABELS: '{"__proto__": "x"}' } }).join(), /FLOTILLA_LABELS:1:2/);
    assert.match(mistakesOf(Shop, { flags: ['--labels.__proto__=x'] }).join(), /no key has this flag/);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });
});

describe('secrets in configuration', () => {
  it('are Secrets in the values and *** wherever they are shown', () => {
    const { values, origins } = loadConfig(Shop, {
      env: { FLOTILLA_API_KEY: 'kX9-hj2-qq71-vL', FLOTILLA_STORE: 'redis://app:hunter2@cache:6379' },
    });
    assert(values.apiKey instanceof Secret);
    const shown = JSON.stringify(origins);
    assert(!shown.includes('kX9') && !shown.includes('hunter2'), shown);
    assert(shown.includes('redis://app:***@cache:6379'));
  });

  it('are not shown in mistakes', () => {
    assert.deepEqual(mistakesOf(Shop, { env: { FLOTILLA_API_KEY: 'hunter2' } }), [
      'FLOTILLA_API_KEY: apiKey: must have at least 12 characters, got ***',
    ]);
    const foreign = z.object({ token: z.string().refine(() => false, { error: (issue) => `not "${issue.input}"` }) });
    assert.deepEqual(mistakesOf(foreign, file('token: hunter2')), ['flotilla.yaml:1:8: token: not "***", got ***']);
  });

  it('come from a file that …_FILE names', () => {
    const env = { FLOTILLA_API_KEY_FILE: '/run/key' };
    const read = (found: { text: string } | { problem: string }): Layers => ({
      env,
      secretFiles: new Map([['FLOTILLA_API_KEY_FILE', found]]),
    });
    const { values, origins } = loadConfig(Shop, read({ text: 'kX9-hj2-qq71-vL\n' }));
    assert.equal(values.apiKey?.reveal(), 'kX9-hj2-qq71-vL');
    assert.equal(origins.find(({ key }) => key === 'apiKey')?.where, 'FLOTILLA_API_KEY_FILE');
    assert.deepEqual(mistakesOf(Shop, read({ problem: 'there is no such file' })), [
      'FLOTILLA_API_KEY_FILE: apiKey: the file "/run/key" cannot be used: there is no such file',
    ]);
    assert.deepEqual(mistakesOf(Shop, { env: { ...env, FLOTILLA_API_KEY: 'kX9-hj2-qq71-vL' } }), [
      'FLOTILLA_API_KEY_FILE: apiKey: set beside FLOTILLA_API_KEY; set one of them',
    ]);
    assert.match(mistakesOf(Shop, { env: { FLOTILLA_NAME_FILE: '/x' } }).join(), /FLOTILLA_NAME_FILE: no key has/);
  });
});

describe('loadConfig with other libraries’ schemas', () => {
  const zod = z.object({
    port: z.int().min(1).max(65_535).default(8080),
    ratio: z.number().optional(),
    db: z.object({ password: z.string().meta({ writeOnly: true }), pool: z.int().default(5) }),
    hosts: z.array(z.string()).default([]),
    labels: z.record(z.string(), z.string()).optional(),
    debug: z.boolean().nullable().default(false),
  });

  it('coerces texts by its JSON Schema, masks writeOnly, and names lines', () => {
    const { values, origins } = loadConfig(zod, {
      ...file('db:\n  password: hunter2'),
      env: { FLOTILLA_PORT: '81', FLOTILLA_RATIO: '-0.5e1', FLOTILLA_DEBUG: 'true', FLOTILLA_HOSTS: 'a, b' },
      flags: ['--labels.team=blue'],
    });
    assert.deepEqual(values, {
      port: 81,
      ratio: -5,
      db: { password: 'hunter2', pool: 5 },
      hosts: ['a', 'b'],
      labels: { team: 'blue' },
      debug: true,
    });
    assert.deepEqual(
      origins.find(({ key }) => key === 'db.password'),
      {
        key: 'db.password',
        value: '***',
        source: 'file',
        where: 'flotilla.yaml:2',
      },
    );
    assert.deepEqual(
      mistakesOf(zod, { ...file('prot: 1\nport: 0\ndb: {poool: 3}'), env: { FLOTILLA_RATIO: 'half' } }),
      [
        'flotilla.yaml:1:1: prot: no such key; did you mean "port"?',
        'flotilla.yaml:3:6: db.poool: no such key; did you mean "pool"?',
        'flotilla.yaml:2:7: port: Too small: expected number to be >=1, got 0',
        'FLOTILLA_RATIO: ratio: Invalid input: expected number, received string, got "half"',
        'flotilla.yaml:3:5: db.password: is required; set it in flotilla.yaml, as FLOTILLA_DB_PASSWORD, or as --db.password',
      ],
    );
  });

  it('reads a schema that refers to itself', () => {
    type Category = { name: string; parent?: Category | undefined };
    const category: z.ZodType<Category> = z.object({ name: z.string(), parent: z.lazy(() => category.optional()) });
    assert.deepEqual(loadConfig(z.object({ root: category }), file('root: {name: a, parent: {name: b}}')).values, {
      root: { name: 'a', parent: { name: 'b' } },
    });
    assert.match(mistakesOf(category, file('name: a\nparent:\n  nme: b')).join(), /3:3: parent\.nme: no such key/);
  });

  it('takes valibot', () => {
    const schema = toStandardJsonSchema(object({ port: pipe(valibotNumber(), whole(), minValue(1)) }));
    assert.deepEqual(loadConfig(schema, { env: { FLOTILLA_PORT: '5' } }).values, { port: 5 });
    assert.match(mistakesOf(schema, file('port: 0')).join(), /flotilla\.yaml:1:7: port: .*got 0/);
  });

  it('refuses a schema that has no JSON Schema or answers later', () => {
    const later = z.object({ a: z.string().refine(async () => true) });
    assert.throws(() => loadConfig(later, file('a: x')), /asynchronous|Promise/);
    const bare = { '~standard': { version: 1, vendor: 'mine', validate: (value: unknown) => ({ value }) } } as const;
    assert.throws(() => loadConfig(bare as never), /the schema \(of "mine"\) offers no JSON Schema/);
  });
});
