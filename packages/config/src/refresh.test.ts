import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { type Loaded, loadConfig } from './load.ts';
import { refreshConfig } from './refresh.ts';
import type { ConfigSchema } from './schema.ts';
import { group, list, map } from './settings/collections.ts';
import { integer, text } from './settings/scalars.ts';
import { secret } from './settings/secret.ts';
import { settings } from './settings/settings.ts';

const Shop = settings({
  port: integer({ default: 8080, restart: true }),
  limit: integer({ default: 10 }),
  http: group({ keepAliveMs: integer({ default: 5 }), backlog: integer({ default: 100, restart: true }) }),
  store: group({ url: text({ default: 'a' }), pool: integer({ default: 1 }) }, { restart: true }),
  hosts: list(text(), { default: [] }),
  labels: map(text(), { default: {} }),
  routes: map(text(), { default: {}, restart: true }),
  apiKey: secret({ optional: true }),
});

const read = (yaml: string) => loadConfig(Shop, { files: [{ name: 'f.yaml', text: yaml }] });
const refresh = (from: string, to: string) => refreshConfig(Shop, read(from), read(to));
const rows = (changes: readonly { key: string; before: unknown; after: unknown }[]) =>
  changes.map(({ key, before, after }) => [key, before, after]);

describe('refreshConfig', () => {
  it('takes what is written in, and says each key with its value before and after', () => {
    const { values, changed, pending } = refresh(
      'limit: 1\nhosts: [a]\nlabels: { team: red, tier: "1" }',
      'limit: 2\nhosts: [a, b]\nlabels: { team: blue, zone: x }\nhttp: { keepAliveMs: 9 }',
    );
    assert.deepEqual([values.limit, values.hosts, { ...values.labels }], [2, ['a', 'b'], { team: 'blue', zone: 'x' }]);
    assert.deepEqual(rows(changed), [
      ['limit', 1, 2],
      ['http.keepAliveMs', 5, 9],
      ['hosts', ['a'], ['a', 'b']],
      ['labels.team', 'red', 'blue'],
      ['labels.tier', '1', null],
      ['labels.zone', null, 'x'],
    ]);
    assert.deepEqual(pending, []);
  });

  it('keeps what counts from the next start only, in a marked group and a marked map too', () => {
    const { values, changed, pending, origins } = refresh(
      'port: 1\nroutes: { a: x }',
      'port: 2\nhttp: { backlog: 7 }\nstore: { pool: 3 }\nroutes: { b: y }\nlimit: 3',
    );
    assert.deepEqual([values.port, values.http.backlog, values.store.pool], [1, 100, 1]);
    assert.deepEqual({ ...values.routes }, { a: 'x' });
    assert.deepEqual(rows(changed), [['limit', 10, 3]]);
    assert.deepEqual(rows(pending), [
      ['port', 1, 2],
      ['http.backlog', 100, 7],
      ['store.pool', 1, 3],
      ['routes.a', 'x', null],
      ['routes.b', null, 'y'],
    ]);
    assert.deepEqual(
      origins.find(({ key }) => key === 'port'),
      {
        key: 'port',
        value: 1,
        source: 'file',
        where: 'f.yaml:1',
        pending: { value: 2, source: 'file', where: 'f.yaml:1' },
      },
    );
    assert.equal(origins.find(({ key }) => key === 'routes.a')?.pending?.value, null);
  });

  it('waits no longer once the value in use is written again', () => {
    const waiting = refreshConfig(Shop, read('port: 1'), read('port: 2'));
    const back = refreshConfig(Shop, waiting, read('port: 1\nlimit: 4'));
    assert.deepEqual([back.pending, rows(back.changed)], [[], [['limit', 10, 4]]]);
    assert.ok(back.origins.every((row) => row.pending === undefined));
  });

  it('keeps the object of a part that did not change', () => {
    const running = read('labels: { a: b }\nhttp: { keepAliveMs: 1 }');
    const next = refreshConfig(Shop, running, read('labels: { a: b }\nhttp: { keepAliveMs: 2 }'));
    assert.equal(next.values.labels, running.values.labels);
    assert.notEqual(next.values.http, running.values.http);
    assert.equal(refreshConfig(Shop, running, read('labels: {a: b}\nhttp: {keepAliveMs: 1}')).values, running.values);
  });

  it('notices a changed secret and does not show it', () => {
    const { changed, values } = refresh('apiKey: correct-horse-9', 'apiKey: battery-staple-4');
    assert.deepEqual(rows(changed), [['apiKey', '***', '***']]);
    assert.equal(values.apiKey?.reveal(), 'battery-staple-4');
    assert.deepEqual(refresh('apiKey: correct-horse-9', 'apiKey: correct-horse-9').changed, []);
  });

  it('reads the mark from schemas of other libraries', () => {
    const Schema = z.object({
      port: z.int().default(1).meta({ 'x-flotilla-restart': true }),
      limit: z.int().default(1),
    });
    const load = (yaml: string) => loadConfig(Schema, { files: [{ name: 'f', text: yaml }] });
    const { values } = refreshConfig(Schema, load(''), load('port: 2\nlimit: 2'));
    assert.deepEqual(values, { port: 1, limit: 2 });
  });

  it('ends, by any two readings, where a start with the written values would end, but for what waits', () => {
    const Plain = settings({
      one: integer({ default: 0 }),
      some: map(group({ x: integer({ default: 0 }), y: list(integer(), { default: [] }) }), { default: {} }),
    });
    const anyValues = fc.record({
      one: fc.integer({ min: 0, max: 2 }),
      some: fc.dictionary(
        fc.constantFrom('a', 'b', 'c'),
        fc.record({ x: fc.integer({ min: 0, max: 2 }), y: fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 2 }) }),
      ),
    });
    const load = (values: unknown): Loaded<unknown> =>
      loadConfig(Plain as ConfigSchema<unknown>, { files: [{ name: 'f', text: JSON.stringify(values) }] });
    fc.assert(
      fc.property(anyValues, anyValues, (from, to) => {
        const next = refreshConfig(Plain as ConfigSchema<unknown>, load(from), load(to));
        assert.deepEqual(JSON.parse(JSON.stringify(next.values)), JSON.parse(JSON.stringify(load(to).values)));
        assert.deepEqual(next.origins, load(to).origins);
        assert.equal(next.changed.length === 0, JSON.stringify(load(from).values) === JSON.stringify(load(to).values));
      }),
    );
  });
});
