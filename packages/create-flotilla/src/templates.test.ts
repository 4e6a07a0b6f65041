import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { edgeFiles, fleetFiles, serviceFiles } from './templates.ts';

const root = new URL('../../../package.json', import.meta.url);

test('a service gets its name in texts and paths, and its identifier in code', () => {
  const [contract, service, tests] = serviceFiles('order-desk');
  assert.equal(contract?.path, 'contracts/order-desk.ts');
  assert.match(contract?.text ?? '', /export const OrderDeskItem = z\.object/);
  assert.match(contract?.text ?? '', /export const orderDesk = contract\(\n {2}\{ name: 'order-desk', version: 1 \}/);
  assert.match(contract?.text ?? '', /location: '\/order-desk\/\{id\}'/);
  assert.ok(service?.text.includes("import { type OrderDeskItem, orderDesk } from '../contracts/order-desk.ts'"));
  assert.ok(tests?.text.includes("import { app } from './order-desk.ts'"));
  for (const file of serviceFiles('order-desk')) assert.doesNotMatch(file.text, /notes|Notes/, file.path);
});

test('an edge service is named everywhere', () => {
  assert.deepEqual(
    edgeFiles('mobile').map(({ path }) => path),
    ['contracts/mobile.ts', 'edge/mobile.ts', 'edge/mobile.test.ts'],
  );
  for (const file of edgeFiles('mobile')) assert.doesNotMatch(file.text, /sample/i, file.path);
});

test('a fleet with its own name starts what it was told', () => {
  const paths = (start: 'edge' | 'backend') => fleetFiles('shop', start).map(({ path }) => path);
  assert.ok(paths('edge').includes('edge/web.ts'));
  assert.ok(!paths('backend').some((path) => path.includes('web')));
  for (const start of ['edge', 'backend'] as const) {
    const files = new Map(fleetFiles('shop', start).map(({ path, text }) => [path, text]));
    assert.match(files.get('flotilla.yaml') ?? '', /^fleet: shop$/m);
    assert.equal(files.get('flotilla.yaml')?.includes('edge/web.ts'), start === 'edge');
    assert.equal(files.get('.gitignore'), 'node_modules/\n.flotilla/\n');
    for (const [path, text] of files) assert.doesNotMatch(text, /my-fleet/, path);
  }
});

test('a backend alone has the routes and services of the whole, without the edge', () => {
  const read = (path: string): string => readFileSync(new URL(`../templates/${path}`, import.meta.url), 'utf8');
  for (const file of ['flotilla.yaml', 'gateway.yaml']) {
    const alone = read(`backend-only/${file}`).split('\n').filter(Boolean);
    const whole = read(`fleet/${file}`).split('\n');
    for (const line of alone) assert.ok(whole.includes(line), `${file}: ${line}`);
  }
});

test('the versions of a fleet are those of this repository', () => {
  const here = JSON.parse(readFileSync(root, 'utf8'));
  const fleet = JSON.parse(readFileSync(new URL('../templates/fleet/package.json', import.meta.url), 'utf8'));
  assert.deepEqual(fleet.optionalDependencies, here.optionalDependencies);
  const own = { ...fleet.dependencies, ...fleet.devDependencies };
  for (const [name, version] of Object.entries(own)) {
    assert.equal(version, /flotilla/.test(name) ? here.version : here.devDependencies[name], name);
  }
});
