import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pickPolicies } from './picks/pick.ts';
import { ruleNames } from './rules/rule.ts';
import { balanceDefaults } from './settings.ts';

const page = readFileSync(new URL('../../../docs/balancing.md', import.meta.url), 'utf8');

function section(title: string): string {
  const [, rest = ''] = page.split(`\n## ${title}\n`);
  return rest.split('\n## ')[0] ?? '';
}

/** First cells in code of the tables of a section, with the second ones. */
function rows(title: string): Map<string, string> {
  return new Map(
    [...section(title).matchAll(/^\| `([^`]+)`[^|]*\| ([^|]*) \|/gm)].map(([, key = '', cell = '']) => [key, cell]),
  );
}

function flat(values: object, at = ''): [string, string][] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null
      ? flat(value, `${at}${name}.`)
      : [[`${at}${name}`, `\`${String(value)}\``]],
  );
}

test('docs/balancing.md lists every setting with its default, and no others', () => {
  assert.deepEqual(Object.fromEntries(rows('Settings')), Object.fromEntries(flat(balanceDefaults)));
});

test('docs/balancing.md lists every pick, and every rule in its order', () => {
  assert.deepEqual([...rows('Picks').keys()].toSorted(), pickPolicies.toSorted());
  assert.deepEqual([...rows('Rules').keys()], ruleNames);
});
