import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { group, list, map } from './collections.ts';
import { flag, integer, oneOf, text } from './scalars.ts';
import { secret } from './secret.ts';
import { type SettingsValues, settings } from './settings.ts';

const Shop = settings({
  port: integer({ default: 8080, min: 0, max: 65_535, describe: 'Where it listens.' }),
  mode: oneOf(['fast', 'safe'], { default: 'safe' }),
  hosts: list(text(), { default: ['a'] }),
  labels: map(text(), { default: {} }),
  http: group({ keepAlive: flag({ default: true }), idleMs: integer({ optional: true }) }),
  apiKey: secret({ optional: true }),
});

/** Fails to compile when the inferred type is another one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const flat: Same<
  SettingsValues<typeof Shop>['http'],
  { readonly keepAlive: boolean; readonly idleMs: number | undefined }
> = true;
const chosen: Same<SettingsValues<typeof Shop>['mode'], 'fast' | 'safe'> = true;

describe('settings', () => {
  it('is a Standard Schema: an empty value gives the defaults, frozen', () => {
    assert(flat && chosen);
    const result = Shop['~standard'].validate({});
    assert(!(result instanceof Promise) && !result.issues);
    assert.deepEqual(JSON.parse(JSON.stringify(result.value)), {
      port: 8080,
      mode: 'safe',
      hosts: ['a'],
      labels: {},
      http: { keepAlive: true },
    });
    assert(Object.isFrozen(result.value) && Object.isFrozen(result.value.http) && Object.isFrozen(result.value.hosts));
  });

  it('names every mistake with its path', () => {
    const result = Shop['~standard'].validate({ prot: 1, hosts: ['a', 2], http: { keepAlive: 1, x: 1 }, labels: [] });
    assert(!(result instanceof Promise));
    assert.deepEqual(result.issues, [
      { path: ['prot'], message: 'no such key; did you mean "port"?' },
      { path: ['hosts', 1], message: 'must be a text' },
      { path: ['labels'], message: 'must be a map of names to values' },
      { path: ['http', 'x'], message: 'no such key; known here: "keepAlive", "idleMs"' },
      { path: ['http', 'keepAlive'], message: 'must be true or false' },
    ]);
  });

  it('gives a JSON Schema for documentation', () => {
    const schema = Shop['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
    const { port, apiKey } = schema['properties'] as Record<string, unknown>;
    assert.deepEqual(port, {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      description: 'Where it listens.',
      default: 8080,
    });
    assert.deepEqual(apiKey, { type: 'string', format: 'password', writeOnly: true, minLength: 12 });
    assert.equal(schema['additionalProperties'], false);
    assert.throws(() => Shop['~standard'].jsonSchema.input({ target: 'openapi-3.0' }), TypeError);
  });

  it('refuses keys that are not camel case and keys that share a name', () => {
    assert.throws(() => settings({ 'max-size': integer() }), /a key must be camel case.*"max-size"/);
    assert.throws(
      () => settings({ httpPort: integer(), http: group({ port: integer() }) }),
      /the keys "httpPort" and "http\.port" have one name, …_HTTP_PORT/,
    );
    assert.throws(
      () => settings({ key: secret(), keyFile: text() }),
      /the keys "key" and "keyFile" have one name, …_KEY_FILE/,
    );
  });

  it('keeps names out of the prototype', () => {
    const names = map(integer());
    const issues: { path: unknown; message: string }[] = [];
    const value = names.read(JSON.parse('{"__proto__": 1, "toString": 2}'), [], issues as never);
    assert.deepEqual(Object.keys(value), ['toString']);
    assert.deepEqual(issues, [{ path: ['__proto__'], message: 'is not allowed as a name' }]);
  });
});
