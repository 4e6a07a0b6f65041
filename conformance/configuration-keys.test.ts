import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  flag,
  flagName,
  group,
  integer,
  type Layers,
  list,
  loadConfig,
  map,
  number,
  type Setting,
  secret,
  settings,
  text,
  variableName,
} from '@flotilla/config';
import { FlotillaError } from '@flotilla/core';

interface Row<Given> {
  readonly given: Given;
  readonly gives?: unknown;
  readonly refused?: string;
}

interface Golden {
  readonly names: readonly { readonly key: string; readonly variable: string; readonly flag: string }[];
  readonly collisions: readonly { readonly keys: readonly [string, string]; readonly name: string }[];
  readonly environment: readonly Row<Record<string, string>>[];
  readonly flags: readonly Row<string[]>[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/configuration-keys.json', import.meta.url), 'utf8'));

/** The schema that the golden file describes. */
const schema = settings({
  text: text({ optional: true }),
  count: integer({ optional: true, min: 0, max: 100 }),
  ratio: number({ optional: true }),
  on: flag({ optional: true }),
  names: list(text(), { default: ['untouched'] }),
  counts: list(integer(), { default: [0] }),
  labels: map(text(), { default: { untouched: '' } }),
  limits: map(group({ max: integer() }), { default: { untouched: { max: 0 } } }),
  http: group({ idleMs: integer({ optional: true }) }),
  apiKey: secret({ optional: true }),
});

describe('golden configuration keys', () => {
  for (const { key, variable, flag } of golden.names) {
    it(`${key} is ${variable} and ${flag}`, () => {
      assert.equal(variableName(key.split('.'), 'FLOTILLA'), variable);
      assert.equal(flagName(key.split('.')), flag);
    });
  }

  for (const { keys, name } of golden.collisions) {
    it(`${keys.join(' and ')} may not be keys of one schema`, () => {
      const members = keys.map((key) => membersOf(key.split('.')));
      assert.throws(
        () => settings(Object.assign({}, ...members)),
        (error: Error) => {
          assert(error instanceof TypeError);
          return error.message.includes(`have one name, …_${name}`);
        },
      );
    });
  }

  for (const row of golden.environment) {
    it(`the environment ${JSON.stringify(row.given)} ${outcomeOf(row)}`, () => check({ env: row.given }, row));
  }

  for (const row of golden.flags) {
    it(`the flags ${JSON.stringify(row.given)} ${outcomeOf(row)}`, () => check({ flags: row.given }, row));
  }
});

function membersOf([step = '', ...rest]: readonly string[]): Record<string, Setting<unknown>> {
  return { [step]: rest.length === 0 ? integer() : group(membersOf(rest)) };
}

function outcomeOf({ gives, refused }: Row<unknown>): string {
  return refused === undefined ? `gives ${JSON.stringify(gives)}` : 'is refused';
}

function check(layers: Layers, { gives, refused }: Row<unknown>): void {
  if (refused === undefined) {
    assert.deepEqual(writtenPart(layers), gives);
    return;
  }
  assert.throws(
    () => loadConfig(schema, layers),
    (error: unknown) => {
      assert(error instanceof FlotillaError);
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.equal(error.detail, `one mistake in the configuration\n  ${refused}`);
      return true;
    },
  );
}

/** The values that a layer set, without the defaults. */
function writtenPart(layers: Layers): unknown {
  const { values, origins } = loadConfig(schema, layers);
  const set = new Set(origins.filter(({ source }) => source !== 'default').map(({ key }) => key.split('.')[0]));
  return JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(values).filter(([key]) => set.has(key)))));
}
