import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Call, FlotillaError, type LogFields, type Logger, nullLogger, systemClock } from '@flotilla/core';
import { Authority, freePorts, ManualClock, seededRandom, TcpLink, until } from '@flotilla/core/testing';
import { createClient } from '@redis/client';
import { openStore } from '../../open-store.ts';
import { RedisServer, redisMissing } from '../../testing/index.ts';
import { createRedisStore, redisStoreDefaults } from './index.ts';

/** Writes down what it is told. */
function recording(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const write = (message: string, fields?: LogFields) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, logger: { ...nullLogger, info: write, warn: write } };
}

const away = { code: 'UNAVAILABLE', executed: 'no' };
const lost = { code: 'UNAVAILABLE', executed: 'unknown' };
const patient = { timeoutMs: 10_000 };

test('the defaults are these', () => {
  assert.deepEqual(redisStoreDefaults, { prefix: 'flotilla:', timeoutMs: 500, maxValueBytes: 1_048_576 });
});

test('what cannot be used is refused by name, and no password is shown', () => {
  assert.throws(() => createRedisStore({}), /^RangeError: a store in Redis wants a url or a client$/);
  for (const url of ['http://x:1', 'redis:', 'redis://', 'secret']) {
    assert.throws(
      () => createRedisStore({ url }),
      (error: Error) => /redis:\/\/host:port/.test(error.message) && !/secret/.test(error.message),
      url,
    );
  }
  assert.throws(() => createRedisStore({ url: 'redis://h', timeoutMs: 0 }), /^RangeError: timeoutMs must be greater/);
  assert.throws(() => createRedisStore({ url: 'redis://h', maxValueBytes: -1 }), /^RangeError: maxValueBytes must/);
  assert.equal(createRedisStore({ url: 'redis://me:secret@h' }).name, 'redis at h:6379');
  assert.equal(createRedisStore({ url: 'rediss://[::1]:7000' }).name, 'redis at [::1]:7000');
});

test('a URL names the engine', async () => {
  assert.equal((await openStore('memory:')).name, 'memory');
  await assert.rejects(openStore('etcd://x'), /^RangeError: .*begins with memory:, redis:, rediss:; got "etcd:"$/);
});

describe('a store in Redis', { skip: redisMissing() ?? false }, () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.end());

  test('before the start and after the close it refuses', async () => {
    const store = createRedisStore({ url: server.url });
    await assert.rejects(store.get('a'), { ...away, message: /was not started/ });
    await store.close();
    await store.close();
    await assert.rejects(store.get('a'), { ...away, message: /is closed/ });
  });

  test('a server that comes later is found, without another start', async () => {
    const own = await RedisServer.start();
    await own.kill();
    const { lines, logger } = recording();
    const store = createRedisStore({ url: own.url.replace('//', '//default:secret@'), timeoutMs: 50, logger });
    await store.start();
    assert.equal(store.connected, false);
    await assert.rejects(store.put('a', 'x', 1_000), { ...away, message: /has no connection/ });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /store cannot be reached; trying again/);
    assert.doesNotMatch(lines[0] ?? '', /secret/);
    await store.close();
    const later = createRedisStore({ url: own.url, ...patient });
    const starting = later.start();
    await own.run();
    await starting;
    await until('the store is connected', () => later.connected);
    await later.put('a', 'x', 60_000);
    await later.close();
    await own.end();
  });

  test('after a restart it goes on, and the server learns the scripts anew', async () => {
    const { lines, logger } = recording();
    const own = await RedisServer.start();
    const store = createRedisStore({ url: own.url, ...patient, logger });
    await store.start();
    const set = () => store.compareAndSet('a', { expected: undefined, value: 'x', ttlMs: 60_000 });
    assert.deepEqual(await set(), { swapped: true });
    await own.kill();
    await until('the store has noticed', () => !store.connected);
    await assert.rejects(set(), away);
    await own.run();
    await until('the store is connected', () => store.connected);
    assert.deepEqual(await set(), { swapped: true });
    assert.equal((await store.increment('a', { ttlMs: 60_000 })).value, 1);
    assert.deepEqual(
      lines.map((line) => line.split(' {')[0]),
      ['store cannot be reached; trying again', 'store is reached again'],
    );
    await store.close();
    await own.end();
  });

  test('a command whose connection breaks has an unknown outcome', async () => {
    const link = await TcpLink.to(server.port);
    const store = createRedisStore({ url: `redis://127.0.0.1:${link.port}`, ...patient });
    await store.start();
    await store.put('a', 'x', 60_000);
    await server.pause();
    const reading = assert.rejects(store.get('a'), { ...lost, message: /lost its connection/ });
    link.cut();
    await reading;
    server.resume();
    link.heal();
    await until('the store is connected', () => store.connected);
    assert.equal(await store.get('a'), 'x');
    await store.close();
    await link.end();
  });

  test('a server that stands still costs timeoutMs, not more', async () => {
    const clock = new ManualClock();
    const store = createRedisStore({ url: server.url, clock });
    await store.start();
    await server.pause();
    const reading = assert.rejects(store.get('a'), { ...lost, message: /no answer within 500 ms; see timeoutMs/ });
    await clock.advance(510);
    await reading;
    server.resume();
    await store.close();
  });

  test('a call that is cancelled waits no longer', async () => {
    const store = createRedisStore({ url: server.url, ...patient });
    await store.start();
    await server.pause();
    const call = new Call({ clock: systemClock, random: seededRandom(1) });
    const reading = assert.rejects(store.get('a', call), { code: 'CANCELLED', detail: 'enough' });
    call.cancel(new FlotillaError('CANCELLED', 'enough'));
    await reading;
    server.resume();
    assert.equal(await store.get('never'), undefined);
    await store.close();
  });

  test('what the server refuses is told in its words', async () => {
    const own = await RedisServer.start(['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction']);
    const store = createRedisStore({ url: own.url, ...patient });
    await store.start();
    await assert.rejects(
      async () => {
        for (let index = 0; index < 20; index++) await store.put(`${index}`, 'x'.repeat(500_000), 60_000);
      },
      { ...lost, message: /answered "OOM command not allowed/ },
    );
    await store.close();
    await own.end();
  });

  test('a wrong password is said once, without it', async () => {
    const own = await RedisServer.start(['--requirepass', 'right']);
    const { lines, logger } = recording();
    const wrong = createRedisStore({ url: `redis://:wrong@127.0.0.1:${own.port}`, timeoutMs: 200, logger });
    await wrong.start();
    await assert.rejects(wrong.get('a'), away);
    assert.equal(lines.length, 1);
    assert.doesNotMatch(lines.join(), /:wrong/);
    const right = createRedisStore({ url: `redis://:right@127.0.0.1:${own.port}`, ...patient });
    await right.start();
    assert.equal(await right.get('a'), undefined);
    await Promise.all([wrong.close(), right.close()]);
    await own.end();
  });

  test('TLS, with an authority of our own and a certificate of the client', async () => {
    const authority = new Authority();
    const { cert, key } = authority.issue({ name: 'redis', names: 'IP:127.0.0.1' });
    const [port = 0] = await freePorts(1);
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', authority.ca];
    const own = await RedisServer.start(['--tls-port', String(port), ...files]);
    const [ca, own1, own2] = [authority.ca, cert, key].map((file) => readFileSync(file));
    const store = await openStore(`rediss://127.0.0.1:${port}`, { tls: { ca, cert: own1, key: own2 } });
    await until('the store is connected', () =>
      store.get('a').then(
        () => true,
        () => false,
      ),
    );
    await store.close();
    await own.end();
    authority.remove();
  });

  test('a client that somebody else owns is used and left open', async () => {
    const client = createClient({ url: server.url });
    await client.connect();
    const store = createRedisStore({ client, ...patient });
    await store.start();
    await store.put('mine', 'x', 60_000);
    assert.equal(await client.get('flotilla:v:mine'), 'x');
    await store.close();
    assert.equal(client.isReady, true);
    client.destroy();
  });

  test('a fleet of its own prefix sees nothing of others', async () => {
    const [one, two] = [
      createRedisStore({ url: server.url, prefix: 'a:' }),
      createRedisStore({ url: server.url, prefix: 'b:' }),
    ];
    await Promise.all([one.start(), two.start()]);
    await one.put('k', 'x', 60_000);
    assert.equal(await two.get('k'), undefined);
    await Promise.all([one.close(), two.close()]);
  });
});
