import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Addition, planAddition } from './plan-addition.ts';

const files: Readonly<Record<string, string>> = {
  'flotilla.yaml': 'gateway: { routes: door.yaml }\nservices:\n  a: { run: services/a.ts }\n',
  'door.yaml': 'routes:\n  - { id: a, path: /a, to: service://a, auth: public }\n',
};

const plan = (addition: Addition, changed: Readonly<Record<string, string | undefined>> = {}) =>
  planAddition(addition, { read: (path) => ({ ...files, ...changed })[path] });

test('a backend gets its contract, program, test and place in the fleet, and no route', () => {
  const { created, changed } = plan({ kind: 'service', name: 'order-desk' });
  assert.deepEqual(
    created.map(({ path }) => path),
    ['contracts/order-desk.ts', 'services/order-desk.ts', 'services/order-desk.test.ts'],
  );
  assert.deepEqual(
    changed.map(({ path }) => path),
    ['flotilla.yaml'],
  );
  assert.match(changed[0]?.text ?? '', /\n {2}order-desk:\n {4}run: services\/order-desk\.ts\n$/);
});

test('an edge service gets a route in the file that the fleet names, open only when it was said', () => {
  for (const auth of ['public', 'required'] as const) {
    const { changed, next } = plan({ kind: 'edge', name: 'mobile', auth });
    assert.deepEqual(
      changed.map(({ path }) => path),
      ['flotilla.yaml', 'door.yaml'],
    );
    assert.match(
      changed[1]?.text ?? '',
      new RegExp(`path: /mobile/\\*\\*\n    to: service://mobile\n    auth: ${auth}\n$`),
    );
    assert.equal(next.join().includes('401'), auth === 'required');
  }
  assert.throws(() => plan({ kind: 'edge', name: 'mobile' }), /say who may use it: --auth public/);
  assert.throws(() => plan({ kind: 'service', name: 'x', auth: 'public' }), /--auth is for edge services/);
});

test('what does not fit is refused before anything is written', () => {
  const service = { kind: 'service', name: 'b' } as const;
  assert.throws(() => plan({ kind: 'service', name: 'B' }), { code: 'INVALID_INPUT' });
  assert.throws(() => plan({ kind: 'service', name: 'a' }), /it has a service "a" already/);
  assert.throws(() => plan(service, { 'flotilla.yaml': undefined }), /no flotilla\.yaml here; .* --folder/);
  assert.throws(() => plan(service, { 'contracts/b.ts': '' }), /contracts\/b\.ts exists already; nothing was written/);
  assert.throws(() => plan(service, { 'flotilla.yaml': 'servces: {}\n' }), { code: 'CONFIG_INVALID' });
  assert.throws(
    () => plan({ kind: 'edge', name: 'm', auth: 'public' }, { 'door.yaml': undefined }),
    /"door\.yaml" is not there/,
  );
  assert.throws(
    () => plan({ kind: 'edge', name: 'm', auth: 'public' }, { 'door.yaml': 'routes: [{ id: x }]\n' }),
    /door\.yaml/,
  );
});
