import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import type { RegistryUser } from '../server/users.ts';
import { anInstance } from '../testing/instances.ts';
import { World } from '../testing/world.ts';

const both = ['http://one:8761', 'http://two:8761'];
const user = (name: string, password: string): RegistryUser => ({
  name,
  role: 'instance',
  services: ['*'],
  password: new Secret(password),
});

test('each registry gets its own credentials', async () => {
  const world = new World();
  const one = await world.registry('one', { users: [user('a', 'password at one')] });
  const two = await world.registry('two', { users: [user('b', 'word: at/two@%')] });
  const client = world.client(['http://a:password%20at%20one@one:8761', 'http://b:word%3A%20at%2Ftwo%40%25@two:8761']);
  client.registrar.register(anInstance());
  await settle();
  assert.equal(one.registry.size, 1);
  await one.stop();
  await world.clock.advance(60_000);
  assert.equal(two.registry.size, 1);
  assert.deepEqual(world.messages('error'), []);
  await world.end();
});

test('wrong credentials are said once, with host, user and what to do, never the password; the next registry is used', async () => {
  const world = new World();
  await world.registry('one', { users: [user('orders', 'the right password')] });
  const two = await world.registry('two');
  const client = world.client(['http://orders:the-wrong-password@one:8761', 'http://two:8761']);
  const seen = world.watch(client, { service: 'orders' });
  client.registrar.register(anInstance());
  await settle();
  await world.clock.advance(300_000);
  assert.equal(two.registry.size, 1);
  assert.deepEqual(seen.ids(), ['a']);
  const said = world.lines.filter(({ message }) => message === 'a registry refuses our credentials');
  assert.equal(said.length, 1);
  assert.match(
    String(said[0]?.fields['reason']),
    /the registry http:\/\/one:8761 does not know the user "orders" with this password: compare "registry" here with "registry.users" there/,
  );
  assert.doesNotMatch(JSON.stringify(world.lines), /wrong-password|dGhlLXdyb25n/);
  await world.end();
});

test('a registry that wants credentials and gets none is named, with how to write them', async () => {
  const world = new World();
  await world.registry('one', { users: [user('orders', 'the right password')] });
  const client = world.client(['http://one:8761']);
  client.registrar.register(anInstance());
  await settle();
  assert.deepEqual(
    world.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['reason']),
    ['the registry http://one:8761 wants credentials: write user:password@ before its host in "registry"'],
  );
  await world.end();
});

test('when the first registry goes, everything of a process moves to the second, and back when the first returns', async () => {
  const world = new World();
  const one = await world.registry('one');
  const two = await world.registry('two');
  const [orders, caller] = [world.client(both), world.client(both)];
  orders.registrar.register(anInstance());
  const seen = world.watch(caller, { service: 'orders' });
  await settle();
  assert.deepEqual([one.registry.size, two.registry.size, seen.ids()], [1, 0, ['a']]);

  await one.stop();
  await world.clock.advance(60_000);
  assert.equal(two.registry.size, 1);
  assert.deepEqual(seen.ids(), ['a'], 'nobody was lost on the way');

  const again = await world.registry('one');
  await world.clock.advance(40_000); // returnEveryMs and its jitter
  assert.equal(again.registry.size, 1, 'the owner is back');
  assert.equal(two.registry.size, 1, 'its lease at the second one runs out by itself');
  const before = seen.sets.length;
  again.registry.setStatus({ service: 'orders', id: 'a' }, 'draining');
  await settle();
  assert.equal(seen.sets.at(-1)?.instances[0]?.status, 'draining', 'and the caller follows the first one again');
  assert.ok(seen.sets.length > before);
  await world.clock.advance(120_000);
  assert.deepEqual([again.registry.size, two.registry.size, seen.ids()], [1, 0, ['a']]);
  await world.end();
});

test('a process that only watches returns too', async () => {
  const world = new World();
  const one = await world.registry('one');
  const two = await world.registry('two');
  two.registry.register(anInstance({ id: 'at-two' }));
  const seen = world.watch(world.client(both), { service: 'orders' });
  await settle();
  await one.stop();
  await world.clock.advance(10_000);
  assert.deepEqual(seen.ids(), ['at-two']);
  const again = await world.registry('one');
  again.registry.register(anInstance({ id: 'at-one' }));
  await world.clock.advance(40_000);
  assert.ok(seen.ids()?.includes('at-one'));
  await world.end();
});
