import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { integer, loadConfig, type Origin, settings } from '@flotilla/config';
import { z } from 'zod';
import { joinSchema } from './join/settings.ts';
import { serviceSchema } from './platform-settings.ts';

test('the defaults of a service', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(loadConfig(serviceSchema(undefined)).values)), {
    bind: '127.0.0.1',
    port: 0,
    registry: ['http://127.0.0.1:8761'],
    weight: 1,
    metadata: {},
    stateDir: '.flotilla/state',
    instances: 1,
    maxBodyBytes: 1_048_576,
    transport: 'auto',
    placement: {},
    openapi: false,
    store: 'memory:',
    clients: {},
    server: { concurrency: {}, shedding: {}, queue: {}, rateLimit: {}, idempotency: {} },
    management: { bind: '127.0.0.1', port: 0 },
    log: { level: 'info', format: 'auto' },
    drainNoticeMs: 5_000,
    tls: { serve: false, clientAuth: 'none', minVersion: 'TLSv1.2' },
    drainMs: 30_000,
    settings: {},
  });
});

/** Keys and defaults in the tables of one section. */
function documentedIn(section: string): Map<string, string> {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, text = ''] = readme.split(`\n## ${section}\n`);
  const [tables = ''] = text.split('\n## ');
  const documented = new Map<string, string>();
  for (const [, keys = '', fallback = ''] of tables.matchAll(/^\| (`[^|]+) \| ([^|]*) \| [^|]+ \|$/gm)) {
    for (const [, key = ''] of keys.matchAll(/`([^`]+)`/g)) documented.set(key, fallback.replaceAll('`', '').trim());
  }
  return documented;
}

function assertDocumented(documented: ReadonlyMap<string, string>, origins: readonly Origin[]): void {
  assert.deepEqual([...documented.keys()].sort(), origins.map(({ key }) => key).sort());
  for (const { key, value } of origins) {
    const words = documented.get(key);
    if (value === null || !words || words === 'chosen') continue;
    assert.equal(words, Array.isArray(value) ? value.join(',') : String(value), key);
  }
}

test('the README lists exactly the keys, with their defaults; those of `server` are in docs/resilience.md', () => {
  const { origins } = loadConfig(serviceSchema(undefined));
  const own = origins.filter(({ key }) => key !== 'settings' && !key.startsWith('server.'));
  assertDocumented(documentedIn('Configuration'), own);
});

test('an app that joins has these keys, without what it serves by itself, and those of its health, all in the README', () => {
  const { origins } = loadConfig(joinSchema);
  const service = [...documentedIn('Configuration').keys()].filter(
    (key) => key !== 'maxBodyBytes' && key !== 'transport' && key !== 'placement',
  );
  const health = origins.filter(({ key }) => key.startsWith('health.'));
  const documented = documentedIn('Joining with an app that is there');
  assertDocumented(new Map([...documented].filter(([key]) => key.startsWith('health.'))), health);
  const keys = origins.map(({ key }) => key).filter((key) => !key.startsWith('health.'));
  assert.deepEqual(keys.sort(), service.sort());
});

for (const [name, own] of [
  ['settings()', settings({ maxItems: integer({ default: 5, min: 1, max: 10 }) })],
  ['zod', z.object({ maxItems: z.int().min(1).max(10).default(5) })],
] as const) {
  test(`a service's own settings by ${name} stand under "settings", from file, environment and flags`, () => {
    const schema = serviceSchema<{ readonly maxItems: number }>(own);
    const file = {
      name: 'flotilla.yaml',
      text: 'services:\n  a:\n    settings: { maxItems: 7 }\n',
      at: ['services', 'a'],
    };
    assert.equal(loadConfig(schema).values.settings.maxItems, 5);
    assert.equal(loadConfig(schema, { files: [file] }).values.settings.maxItems, 7);
    const env = { FLOTILLA_SETTINGS_MAX_ITEMS: '8' };
    assert.equal(loadConfig(schema, { files: [file], env }).values.settings.maxItems, 8);
    assert.equal(loadConfig(schema, { env, flags: ['--settings.max-items=9'] }).values.settings.maxItems, 9);
  });

  test(`mistakes in settings by ${name} are named with line and nearest key, all at once`, () => {
    const text = 'services:\n  a:\n    prot: 1\n    settings: { maxItems: 70 }\n';
    assert.throws(
      () => loadConfig(serviceSchema(own), { files: [{ name: 'flotilla.yaml', text, at: ['services', 'a'] }] }),
      (error: Error) => {
        assert.match(error.message, /flotilla\.yaml:3.*prot.*"port"/s);
        assert.match(error.message, /flotilla\.yaml:4.*settings\.maxItems/s);
        return true;
      },
    );
  });
}
