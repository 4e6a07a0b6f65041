import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { openLeaseEngine, parseEngineUrl } from './open-engine.ts';

const read: readonly [
  url: string,
  kind: string,
  secure: boolean,
  hosts: readonly string[],
  path: string | undefined,
][] = [
  ['etcd://a', 'etcd', false, ['a:2379'], undefined],
  ['etcd://a:1,b.c:2,[::1]:3/x/y', 'etcd', false, ['a:1', 'b.c:2', '[::1]:3'], '/x/y'],
  ['etcds://a/', 'etcd', true, ['a:2379'], undefined],
  ['zookeeper://a,b', 'zookeeper', false, ['a:2181', 'b:2181'], undefined],
  ['zookeepers://[::1]/flotilla', 'zookeeper', true, ['[::1]:2181'], '/flotilla'],
];
for (const [url, kind, secure, hosts, path] of read) {
  test(`${url} is read`, () => assert.deepEqual(parseEngineUrl(url), { kind, secure, hosts, path }));
}

const refused: readonly [url: string, why: RegExp][] = [
  ['', /looks like etcd:/],
  ['redis://a', /looks like etcd:/],
  ['etcd://', /looks like etcd:/],
  ['etcd://a,', /"" is no host/],
  ['etcd://a:99999', /"a:99999" is no host/],
  ['etcd://a:x', /"a:x" is no host/],
  ['etcd://a b', /"a b" is no host/],
  ['etcd://a?x=1', /"a\?x=1" is no host/],
  ['etcd://a/../b', /its path is/],
  ['etcd://a//b', /its path is/],
  ['zookeeper://a/b?c', /its path is/],
];
for (const [url, why] of refused) {
  test(`"${url}" is refused`, () => assert.throws(() => parseEngineUrl(url), { code: 'CONFIG_INVALID', message: why }));
}

test('a password in a URL is refused, and not repeated', () => {
  const saysNothing = ({ message }: Error) => /settings of their own/.test(message) && !message.includes('hush');
  assert.throws(() => parseEngineUrl('etcd://me:hush@a'), saysNothing);
});

test('an engine is made without connecting; what contradicts itself is refused', async () => {
  const parts = { clock: new ManualClock(), random: seededRandom(1) };
  assert.equal((await openLeaseEngine('etcd://127.0.0.1:1,127.0.0.1:2', parts)).name, 'etcd at http://127.0.0.1:1');
  const password = new Secret('a-long-password');
  const zookeeper = await openLeaseEngine('zookeepers://127.0.0.1:1', { ...parts, user: 'me', password });
  assert.equal(zookeeper.name, 'ZooKeeper at 127.0.0.1:1');
  assert.equal(parts.clock.pendingTimers, 0);
  await assert.rejects(openLeaseEngine('etcd://a', { ...parts, tls: { ca: '' } }), /has to be etcds:/);
  await assert.rejects(openLeaseEngine('etcd://a', { ...parts, user: 'me' }), /a user and a password/);
});
