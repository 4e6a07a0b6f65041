import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '@flotilla/core/testing';
import { encodeEvent, HttpHeaders } from '@flotilla/http';
import { anInstance } from '../testing/instances.ts';
import { World } from '../testing/world.ts';
import { type LeftOut, mostInstances, readChange, readSnapshot } from './answers.ts';

const at = (host: string, port: number) => ({ protocol: 'http', host, port });
const snapshotOf = (...instances: unknown[]) => JSON.stringify({ cursor: 'a:1', warming: false, instances });

const unusable: readonly [name: string, instance: unknown, said: RegExp][] = [
  ['port 0', anInstance({ addresses: [at('10.0.0.1', 0)] }), /"a" of "orders": nobody can call 10\.0\.0\.1:0/],
  ['the unspecified address', anInstance({ addresses: [at('0.0.0.0', 80), at('::', 80)] }), /nobody can call/],
  ['multicast', anInstance({ addresses: [at('239.1.1.1', 80), at('ff02::1', 80)] }), /nobody can call/],
  ['broadcast', anInstance({ addresses: [at('255.255.255.255', 80)] }), /nobody can call/],
  [
    'a port that is none',
    { ...anInstance(), addresses: [at('h', 70_000)] },
    /"a" of "orders": .*port must be a whole number/,
  ],
  ['a port as text', { ...anInstance(), addresses: [{ ...at('h', 1), port: '80' }] }, /port must be/],
  ['a host with a slash', { ...anInstance(), addresses: [at('h/../x', 80)] }, /host must be/],
  ['a status of its own', { ...anInstance(), status: 'fine' }, /status must be one of/],
  ['weight below zero', { ...anInstance(), weight: -1 }, /weight/],
  ['metadata that is a list', { ...anInstance(), metadata: [] }, /metadata/],
  ['a hundred addresses', { ...anInstance(), addresses: Array(100).fill(at('h', 1)) }, /at most 16/],
  ['a number', 7, /something nameless of something nameless/],
  ['null', null, /something nameless/],
  ['a list', [], /something nameless/],
];
for (const [name, instance, said] of unusable) {
  test(`an instance with ${name} is left out by name, the rest is used; pushed, it is gone`, () => {
    const told: LeftOut[] = [];
    const { instances } = readSnapshot(snapshotOf(anInstance({ id: 'good' }), instance), (facts) => told.push(facts));
    assert.deepEqual(
      instances.map(({ id }) => id),
      ['good'],
    );
    assert.equal(told.length, 1);
    assert.equal(told[0]?.count, 1);
    assert.match(told[0]?.examples[0] ?? '', said);

    const change = readChange(JSON.stringify({ kind: 'put', instance }), (facts) => told.push(facts));
    assert.equal(told.length, 2);
    const named = typeof instance === 'object' && instance !== null && !Array.isArray(instance);
    const gone = { kind: 'gone', service: 'orders', id: 'a', reason: 'changed' } as const;
    assert.deepEqual(change, named ? gone : undefined);
  });
}

test('of several addresses those that can be called count', () => {
  const instance = anInstance({ addresses: [at('0.0.0.0', 80), at('10.0.0.1', 80)] });
  const { instances } = readSnapshot(snapshotOf(instance), () => assert.fail('it is used'));
  assert.deepEqual(instances[0]?.addresses, [at('10.0.0.1', 80)]);
});

test('an endless list is cut; a thousand bad instances are one line in the log', () => {
  const told: LeftOut[] = [];
  const many = Array.from({ length: mostInstances + 3 }, () => 0);
  const text = JSON.stringify({ cursor: 'a:1', warming: false, instances: many });
  const { instances } = readSnapshot(text, (facts) => told.push(facts));
  assert.equal(instances.length, 0);
  assert.equal(told.length, 1);
  assert.equal(told[0]?.count, mostInstances + 3);
  assert.equal(told[0]?.examples.length, 6);
  assert.match(told[0]?.examples[5] ?? '', /3 instances beyond the limit/);
});

test('one poisoned change does not stop the changes after it', async () => {
  const world = new World();
  const push = (kind: string, revision: number, data: unknown) =>
    encodeEvent({ event: kind, id: `a:${revision}`, data: JSON.stringify(data) });
  let connections = 0;
  await world.registry('registry', {
    wrap: () => async (_, call) => {
      connections++;
      const frames = [
        push('snapshot', 1, {
          cursor: 'a:1',
          warming: false,
          instances: [anInstance({ id: 'a' }), anInstance({ id: 'b' })],
        }),
        push('change', 2, { kind: 'put', instance: { ...anInstance({ id: 'a' }), addresses: [at('h', -1)] } }),
        push('change', 3, { kind: 'put', instance: { nobody: 'knows' } }),
        push('change', 4, { kind: 'put', instance: anInstance({ id: 'c' }) }),
      ];
      return {
        status: 200,
        headers: new HttpHeaders([['content-type', 'text/event-stream']]),
        body: (async function* () {
          yield* frames;
          await new Promise<void>((resolve) => call.onEnd(() => resolve()));
        })(),
      };
    },
  });
  const seen = world.watch(world.client(), { service: 'orders' });
  await settle();
  assert.deepEqual(seen.ids(), ['b', 'c']);
  assert.equal(connections, 1);
  assert.equal(world.messages('warn').filter((message) => message.includes('left out')).length, 2);
  seen.close();
  await world.end();
});
