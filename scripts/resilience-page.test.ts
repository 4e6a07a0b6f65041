import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  batchFields,
  breakerFields,
  bulkheadFields,
  cacheFields,
  clientPolicyDefaults,
  hedgeFields,
  type PolicyFields,
  rateLimitFields,
  resilienceFields,
  serverPolicyDefaults,
  serverPolicyFields,
  singleFlightFields,
} from '@flotilla/resilience';
import { root } from './packages.ts';
import { picturesOfPolicies } from './pictures/policies.ts';

const page = readFileSync(join(root, 'docs/resilience.md'), 'utf8');
const [, numbers = ''] = page.split('\n## Numbers\n');
const [clients = '', servers = ''] = numbers.split('\nUnder `server`:\n');

/** Keys with their defaults, as a table shows them. */
function documented(table: string): ReadonlyMap<string, string> {
  const rows = table.matchAll(/^\| `([\w.]+)`(?: \*)? \| ([^|]+) \| [^|]+ \|$/gm);
  return new Map(Array.from(rows, ([, key = '', value = '']) => [key, value]));
}

function inCode(fields: PolicyFields<object>, defaults: object, at = ''): [string, string][] {
  return Object.keys(fields).map((name) => [`${at}${name}`, shown((defaults as Record<string, unknown>)[name])]);
}

function shown(value: unknown): string {
  if (value === Infinity) return 'unlimited';
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}

test('the tables of docs/resilience.md list exactly the keys, with their defaults', () => {
  const { breaker, bulkhead, rateLimit, hedge, singleFlight, batch, cache } = clientPolicyDefaults;
  const ofClients = [
    ...inCode(resilienceFields, clientPolicyDefaults),
    ...inCode(breakerFields, breaker, 'breaker.'),
    ...inCode(bulkheadFields, bulkhead, 'bulkhead.'),
    ...inCode(rateLimitFields, rateLimit, 'rateLimit.'),
    ...inCode(hedgeFields, hedge, 'hedge.'),
    ...inCode(singleFlightFields, singleFlight, 'singleFlight.'),
    ...inCode(batchFields, batch, 'batch.'),
    ...inCode(cacheFields, cache, 'cache.'),
  ];
  assert.deepEqual(Object.fromEntries(documented(clients)), Object.fromEntries(ofClients));
  const ofServers = Object.entries(serverPolicyFields).flatMap(([group, fields]) =>
    inCode(fields, serverPolicyDefaults[group as keyof typeof serverPolicyDefaults], `${group}.`),
  );
  assert.deepEqual(Object.fromEntries(documented(servers)), Object.fromEntries(ofServers));
});

test('the table of events lists exactly the policies and kinds that there are', () => {
  const source = readFileSync(join(root, 'packages/resilience/src/events.ts'), 'utf8');
  const [, kinds = ''] = /export interface PolicyKinds \{\n([\s\S]*?)\n\}/.exec(source) ?? [];
  const inSource = Array.from(kinds.matchAll(/^ {2}(\w+):([^;]+);/gm), ([, policy = '', names = '']) => [
    policy,
    Array.from(names.matchAll(/'(\w+)'/g), ([, name]) => name),
  ]);
  const rows = page.matchAll(/^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|$/gm);
  const onPage = Array.from(rows, ([, policy = '', names = '']) => [
    policy,
    Array.from(names.matchAll(/`(\w+)`/g), ([, name]) => name),
  ]);
  assert.ok(inSource.length > 5);
  assert.deepEqual(Object.fromEntries(onPage), Object.fromEntries(inSource));
});

test('the pictures are those that the rules draw: node --conditions=flotilla-source scripts/draw-policies.ts', async () => {
  for (const [name, picture] of Object.entries(await picturesOfPolicies())) {
    assert.equal(readFileSync(join(root, 'docs/resilience', name), 'utf8'), picture, name);
  }
});
