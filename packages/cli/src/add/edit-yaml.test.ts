import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { withRoute, withService } from './edit-yaml.ts';

const add = (text: string): string => withService('flotilla.yaml', text, 'new', 'services/new.ts');
const route = { id: 'new', path: '/new/**', to: 'service://new', auth: 'public' } as const;
const addRoute = (text: string): string => withRoute('gateway.yaml', text, route);

test('a service is written after the others; every other byte stays', () => {
  const before = `# The shop.
fleet:   shop   # its name
services:
    # in memory
    a: {run: a.ts,   instances: 2}
    b:
        run: b.ts   # the last one

# The door.
gateway: { port: [8080] }
`;
  const after = add(before);
  assert.equal(after, before.replace('# the last one\n', '# the last one\n    new:\n      run: services/new.ts\n'));
});

test('a route is written after the others; every other byte stays', () => {
  for (const indent of ['', '  ']) {
    const before = `routes:\n${indent}- id: web\n${indent}  methods: [GET, POST]\n\n# end\n`;
    const lines = Object.entries(route).map(([key, value]) => `${key}: ${value}`);
    const added = `${indent}- ${lines.join(`\n${indent}  `)}\n`;
    assert.equal(addRoute(before), before.replace('POST]\n', `POST]\n${added}`));
  }
});

test('a file without services, with none, or in one line, gets its first', () => {
  for (const text of [
    '',
    '# nothing yet\n',
    'services:\n',
    'services: {}\n',
    'services: { a: { run: a.ts } }\n',
    'fleet: x',
  ]) {
    const { services } = parse(add(text));
    assert.deepEqual(services.new, { run: 'services/new.ts' }, text);
  }
  for (const text of ['routes: []\n', 'routes:\n', '']) assert.deepEqual(parse(addRoute(text)).routes, [route]);
  assert.match(add('# nothing yet\n'), /# nothing yet/);
});

test('line ends and a missing last one are kept', () => {
  assert.equal(
    add('services:\r\n  a: { run: a.ts }\r\n'),
    'services:\r\n  a: { run: a.ts }\r\n  new:\r\n    run: services/new.ts\r\n',
  );
  assert.equal(
    add('services:\n  a: { run: a.ts }'),
    'services:\n  a: { run: a.ts }\n  new:\n    run: services/new.ts\n',
  );
});

test('a text of several lines, a list, or nothing at the end of the last entry is not torn', () => {
  for (const last of [
    'text: |\n      one\n      two',
    'list:\n      - 1\n      - 2',
    'none:',
    'deep:\n      deeper:\n        deepest: 1',
  ]) {
    const before = `services:\n  a:\n    run: a.ts\n    ${last}\n# end\n`;
    const { services } = parse(add(before));
    assert.deepEqual(services.a, parse(before).services.a, last);
    assert.deepEqual(services.new, { run: 'services/new.ts' }, last);
  }
});

test('whatever is in the file is in it afterwards too, and the service', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/).filter((text) => text !== 'new');
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string(), { maxLength: 3 }),
  );
  const services = fc.dictionary(name, fc.dictionary(name, value, { maxKeys: 3 }), { maxKeys: 4 });
  fc.assert(
    fc.property(services, fc.dictionary(name, value, { maxKeys: 2 }), fc.boolean(), (some, other, behind) => {
      const rest = stringify(other) === '{}\n' ? '' : stringify(other);
      const listed = stringify({ services: some });
      const text = behind ? listed + rest : rest + listed;
      const read = parse(text);
      assert.deepEqual(parse(add(text)), { ...read, services: { ...read.services, new: { run: 'services/new.ts' } } });
    }),
  );
});

test('what is there already, or cannot be understood, is refused with the file and the reason', () => {
  assert.throws(
    () => add('services:\n  new: { run: x }\n'),
    /flotilla\.yaml cannot be extended: it has a service "new" already/,
  );
  assert.throws(() => add('services: [a]\n'), /"services" is no mapping/);
  assert.throws(() => add('- a\n'), /it is no mapping/);
  assert.throws(() => add('services: {\n'), { code: 'CONFIG_INVALID' });
  assert.throws(
    () => addRoute('routes:\n  - id: new\n'),
    /gateway\.yaml cannot be extended: it has a route "new" already/,
  );
  assert.throws(() => addRoute('routes: 7\n'), /"routes" is no list/);
});
