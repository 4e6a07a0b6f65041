import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFleet } from '../fleet.ts';
import { planFleet } from './plan.ts';

const document = `
fleet: shop
services:
  catalog: { run: services/catalog.ts, instances: 2, settings: { dbFile: x.sqlite } }
  web: { run: edge/web.ts }
`;

test('a fleet is one registry first, then every copy of every service and the gateway', () => {
  const fleet = readFleet('flotilla.yaml', document);
  const of = new Map(
    Object.entries({ registry: 8_761, gateway: 8_081, 'catalog.1': 4_001, 'catalog.2': 4_002, 'web.1': 4_003 }).map(
      ([title, port]) => [title, { port, management: port + 10_000 }],
    ),
  );
  const plans = planFleet(fleet, {
    folder: '/shop',
    program: '/flotilla/main.ts',
    ports: { of },
    compileCache: undefined,
    join,
    read: (path) => (path === '/shop/edge/web.ts' ? "import '../contracts/web.ts';" : ''),
  });
  assert.deepEqual(
    plans.map(({ name, copy, stage, env }) => [name, copy, stage, env['FLOTILLA_PORT']]),
    [
      ['registry', 1, 0, '8761'],
      ['catalog', 1, 1, '4001'],
      ['catalog', 2, 1, '4002'],
      ['web', 1, 1, '4003'],
      ['gateway', 1, 1, '8081'],
    ],
  );
  const web = plans.find(({ name }) => name === 'web');
  assert.deepEqual([...(web?.files ?? [])], ['/shop/edge/web.ts', '/shop/contracts/web.ts']);
  assert.equal(web?.env['FLOTILLA_REGISTRY'], 'http://127.0.0.1:8761');
  assert.equal(web?.env['FLOTILLA_MANAGEMENT_PORT'], '14003');
});

test('the gateway shows developers what is inside, but only where its door is on the loopback', () => {
  const developerErrors = (gateway: string): string | undefined => {
    const fleet = readFleet('flotilla.yaml', `gateway: ${gateway}\nservices: {}\n`);
    const of = new Map(['registry', 'gateway'].map((title) => [title, { port: 1, management: 2 }]));
    const needs = { folder: '/', program: '/x', ports: { of }, compileCache: undefined, join, read: () => '' };
    return planFleet(fleet, needs).find(({ name }) => name === 'gateway')?.env['FLOTILLA_DEVELOPER_ERRORS'];
  };
  assert.equal(developerErrors('{}'), 'true');
  assert.equal(developerErrors('{ bind: "0.0.0.0" }'), undefined);
});

test('a service that is placed in another one is no process, unless its part says how many', () => {
  const instancesOf = (services: string): Record<string, number> => {
    const fleet = readFleet('flotilla.yaml', `services:\n${services}`);
    return Object.fromEntries(fleet.services.map(({ name, instances }) => [name, instances]));
  };
  const catalog = '  catalog: { run: services/catalog.ts }\n';
  const web = (placement: string): string => `  web: { run: web.ts, placement: { ${placement} } }\n`;
  assert.deepEqual(instancesOf(catalog + web('catalog: worker')), { catalog: 0, web: 1 });
  assert.deepEqual(instancesOf(catalog + web('catalog: remote')), { catalog: 1, web: 1 });
  assert.deepEqual(instancesOf(`  catalog: { run: c.ts, instances: 2 }\n${web('catalog: process')}`), {
    catalog: 2,
    web: 1,
  });
  const mutual = '  catalog: { run: c.ts, placement: { web: process } }\n';
  assert.deepEqual(instancesOf(mutual + web('catalog: process')), { catalog: 1, web: 1 });
});

test('a process is restarted for the files of what is placed in it', () => {
  const file = 'services:\n  web: { run: web.ts, placement: { catalog: worker } }\n  catalog: { run: catalog.ts }\n';
  const of = new Map(['registry', 'gateway', 'web.1'].map((title) => [title, { port: 1, management: 2 }]));
  const plans = planFleet(readFleet('flotilla.yaml', file), {
    ...{ folder: '/', program: '/x', ports: { of }, compileCache: undefined, join },
    read: (path) => (path === '/catalog.ts' ? "import './stock.ts';" : ''),
  });
  assert.deepEqual(
    plans.map(({ name }) => name),
    ['registry', 'web', 'gateway'],
  );
  assert.deepEqual([...(plans[1]?.files ?? [])], ['/web.ts', '/catalog.ts', '/stock.ts']);
});

test('mistakes of the file are named with line and nearest key, all at once', () => {
  const broken = 'fleet: shop\ngatway: { port: 1 }\nservices:\n  web: { rnu: edge/web.ts, instances: 0 }\n';
  assert.throws(
    () => readFleet('flotilla.yaml', broken),
    (error: Error) => {
      assert.match(error.message, /flotilla\.yaml:2.*gatway.*"gateway"/s);
      assert.match(error.message, /flotilla\.yaml:4.*rnu.*"run"/s);
      assert.match(error.message, /instances.*from 1 to 32/s);
      return true;
    },
  );
});
