import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clientPolicyDefaults, serverPolicyDefaults } from '../src/index.ts';

const pages = [
  ['hedge.md', { hedge: clientPolicyDefaults.hedge }],
  [
    'shared-answers.md',
    {
      singleFlight: clientPolicyDefaults.singleFlight,
      cache: clientPolicyDefaults.cache,
      batch: clientPolicyDefaults.batch,
    },
  ],
  ['idempotency.md', { idempotency: serverPolicyDefaults.idempotency }],
] as const;

for (const [page, groups] of pages) {
  test(`the defaults in docs/resilience/${page} are those of the code`, () => {
    const text = readFileSync(new URL(`../../../docs/resilience/${page}`, import.meta.url), 'utf8');
    const documented = Object.fromEntries(
      [...text.matchAll(/^\| `(\w+\.\w+)` +\| (\S+) +\|/gm)].map(([, name = '', value]) => [name, value]),
    );
    const real = Object.entries(groups).flatMap(([group, settings]) =>
      Object.entries(settings).map(([name, value]) => [`${group}.${name}`, String(value)]),
    );
    assert.deepEqual(documented, Object.fromEntries(real));
  });
}
