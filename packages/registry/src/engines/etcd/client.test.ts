import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type FlotillaError, systemClock, systemRandom } from '@flotilla/core';
import { until } from '@flotilla/core/testing';
import { EtcdServer, etcdMissing } from '../../testing/etcd-server.ts';
import { EtcdClient, type EtcdClientOptions, type EtcdEvent, isCompacted } from './client.ts';
import { prefixEnd } from './keys.ts';

const run = promisify(execFile);
const skip = etcdMissing() ?? false;

function clientOf(endpoints: readonly string[], options: Partial<EtcdClientOptions> = {}): EtcdClient {
  return new EtcdClient({ endpoints, clock: systemClock, random: systemRandom, ...options });
}

/** Everything that a watch says, in its order. */
function listening() {
  const events: EtcdEvent[] = [];
  const said: string[] = [];
  return {
    events,
    said,
    told: () => events.map(({ kind, key, value }) => `${kind} ${key}=${value}`),
    listener: {
      events: (some: readonly EtcdEvent[]) => void events.push(...some),
      compacted: () => void said.push('compacted'),
      armed: () => void said.push('armed'),
      interrupted: () => void said.push('interrupted'),
    },
  };
}

test('a prefix ends before the first key that does not begin with it', () => {
  assert.deepEqual(prefixEnd('a/'), Buffer.from('a0'));
  assert.deepEqual(prefixEnd(''), Buffer.from([0]));
});

for (const endpoints of [[], ['127.0.0.1:2379'], ['ftp://a'], ['http://a/path'], ['http://user@a']]) {
  test(`${JSON.stringify(endpoints)} are no endpoints`, () =>
    assert.throws(() => clientOf(endpoints), { code: 'CONFIG_INVALID' }));
}

test('an endpoint where nobody listens is told as such, with nothing done', async () => {
  const client = clientOf(['http://127.0.0.1:1']);
  await assert.rejects(client.put('a', '1'), { code: 'CONNECT_FAILED', executed: 'no' });
  client.close();
});

describe('one real etcd', { skip }, () => {
  let server: EtcdServer;
  let client: EtcdClient;
  before(async () => {
    server = await EtcdServer.start();
    client = clientOf(server.endpoints);
  });
  after(async () => {
    client.close();
    await server.end();
  });

  test('what was put is found, by key and by prefix, and in pages as of one revision', async () => {
    for (let i = 0; i < 7; i++) await client.put(`pages/${i}`, `value ${i} ü`);
    const { pairs } = await client.range({ key: 'pages/3' });
    assert.deepEqual(
      pairs.map(({ key, value }) => `${key}=${value}`),
      ['pages/3=value 3 ü'],
    );
    const seen: string[] = [];
    const revisions = new Set<number>();
    for await (const page of client.pages('pages/', 3)) {
      revisions.add(page.revision);
      seen.push(...page.pairs.map(({ key }) => key));
      await client.put('pages/late', ''); // after the first page: not of that revision
    }
    assert.deepEqual(
      seen,
      [0, 1, 2, 3, 4, 5, 6].map((i) => `pages/${i}`),
    );
    assert.equal(revisions.size, 1);
  });

  test('a write that compares wins once', async () => {
    const put = (value: string) => [{ kind: 'put', key: 'fence', value } as const];
    const compare = [{ key: 'fence', modRevision: 0 }];
    const failure = [{ kind: 'get', key: 'fence' } as const];
    const first = await client.transact({ compare, success: put('first'), failure });
    assert.equal(first.succeeded, true);
    const second = await client.transact({ compare, success: put('second'), failure });
    assert.equal(second.succeeded, false);
    assert.equal(second.found[0]?.[0]?.value.toString(), 'first');
    assert.equal(second.found[0]?.[0]?.modRevision, first.revision);
  });

  test('transactions in one request each go by their own comparisons, and have one revision', async () => {
    const before = await client.put('each/taken', 'before');
    const put = (key: string, modRevision: number) => ({
      compare: [{ key, modRevision }],
      success: [{ kind: 'put', key, value: 'mine' } as const],
      failure: [{ kind: 'get', key } as const],
    });
    const answers = await client.transactEach([put('each/new', 0), put('each/taken', 0), put('each/other', 0)]);
    assert.deepEqual(
      answers.map(({ succeeded, revision }) => [succeeded, revision - before]),
      [
        [true, 1],
        [false, 1],
        [true, 1],
      ],
    );
    assert.equal(answers[1]?.found[0]?.[0]?.value.toString(), 'before');
    const { pairs } = await client.range({ prefix: 'each/' });
    assert.deepEqual(
      pairs.map(({ key, value, modRevision }) => `${key}=${value} ${modRevision - before}`),
      ['each/new=mine 1', 'each/other=mine 1', 'each/taken=before 0'],
    );
    const many = Array.from({ length: 127 }, (_, i) => put(`each/many/${i}`, 0));
    assert.ok((await client.transactEach(many)).every(({ succeeded }) => succeeded));
    await assert.rejects(client.transactEach([...many, put('each/more', 0)]), { code: 'INVALID_INPUT' });
  });

  test('a watch tells changes from a revision on, in order, deletions too', async () => {
    const start = await client.put('watched/a', '1');
    const { events, told, listener } = listening();
    const watch = client.watch({ prefix: 'watched/' }, start, listener);
    await client.put('watched/a', '2');
    await client.put('elsewhere', '');
    await client.delete({ key: 'watched/a' });
    await until('three events', () => events.length >= 3);
    watch.close();
    assert.deepEqual(told(), ['put watched/a=1', 'put watched/a=2', 'delete watched/a=']);
  });

  test('a key ends with its lease, and a lease that ended says so', async () => {
    const lease = await client.grantLease(60);
    await client.put('leased', 'x', lease);
    assert.equal(await client.keepAlive(lease), 60);
    assert.equal((await client.range({ key: 'leased' })).pairs[0]?.lease, lease);
    assert.equal(await client.revokeLease(lease), true);
    assert.equal((await client.range({ key: 'leased' })).pairs.length, 0);
    assert.equal(await client.keepAlive(lease), 0);
    assert.equal(await client.revokeLease(lease), false);
  });

  test('a watch whose history is compacted says so and ends', async () => {
    const old = await client.put('compacted', '1');
    const now = await client.put('compacted', '2');
    await client.compact(now);
    const { said, listener } = listening();
    client.watch({ key: 'compacted' }, old, listener);
    await until('the end of the watch', () => said.includes('compacted'));
    await assert.rejects(client.range({ key: 'compacted', revision: old }), (error) => isCompacted(error));
  });

  test('a watch lives through a restart of the server and misses nothing', async () => {
    const { events, said, told, listener } = listening();
    const watch = client.watch({ prefix: 'restart/' }, undefined, listener);
    await until('armed', () => said.includes('armed'));
    await client.put('restart/a', '1');
    await server.kill();
    await assert.rejects(client.put('restart/a', '2'));
    await until('interrupted', () => said.includes('interrupted'));
    server.startMember();
    await server.ready();
    const other = clientOf(server.endpoints);
    await other.put('restart/b', '1');
    await until('both events', () => events.length >= 2);
    await other.put('restart/c', '1');
    await until('the next event', () => events.length >= 3);
    assert.deepEqual(told(), ['put restart/a=1', 'put restart/b=1', 'put restart/c=1']);
    assert.deepEqual(said, ['armed', 'interrupted', 'armed']);
    other.close();
    watch.close();
  });

  test('a server that stands still fails requests in time, and an idle watch notices it', async () => {
    const quick = clientOf(server.endpoints, { requestTimeoutMs: 1_000, idleProbeMs: 200 });
    const { events, said, listener } = listening();
    const watch = quick.watch({ prefix: 'paused/' }, undefined, listener);
    await until('armed', () => said.includes('armed'));
    await server.pause();
    await assert.rejects(quick.put('paused/a', '1'), { code: 'DEADLINE_EXCEEDED', executed: 'unknown' });
    await until('interrupted', () => said.includes('interrupted'));
    server.resume();
    await until('a write', async () => quick.put('paused/b', '1').then(Boolean, () => false));
    await until('its event', () => events.some(({ key }) => key === 'paused/b'));
    watch.close();
    quick.close();
  });
});

test('with three members, one that dies or stands still is passed over', { skip }, async () => {
  const server = await EtcdServer.start({ members: 3 });
  const client = clientOf(server.endpoints, { requestTimeoutMs: 10_000, idleProbeMs: 300 });
  const { events, said, told, listener } = listening();
  try {
    const watch = client.watch({ prefix: 'k/' }, undefined, listener);
    await until('armed', () => said.includes('armed'));
    await client.put('k/0', '');
    const first = client.endpoint;
    await server.kill(server.endpoints.indexOf(first));
    await until('a write elsewhere', () => client.put('k/1', '').then(Boolean, () => false));
    assert.notEqual(client.endpoint, first);
    await until('its event', () => events.some(({ key }) => key === 'k/1'));
    server.startMember(server.endpoints.indexOf(first));
    await server.ready();

    const second = client.endpoint;
    await server.pause(server.endpoints.indexOf(second));
    assert.equal((await client.range({ prefix: 'k/' })).pairs.length, 2, 'a read goes on at another member');
    assert.notEqual(client.endpoint, second);
    await until('a write elsewhere', () => client.put('k/2', '').then(Boolean, () => false));
    await until('its event', () => events.some(({ key }) => key === 'k/2'));
    server.resume(server.endpoints.indexOf(second));
    assert.deepEqual([...new Set(told())], ['put k/0=', 'put k/1=', 'put k/2=']);
    watch.close();
  } finally {
    client.close();
    await server.end();
  }
});

test('users and passwords: a wrong one is told, a token that was forgotten is renewed', { skip }, async () => {
  // A token of this etcd is forgotten after one second without use.
  const server = await EtcdServer.start({ args: ['--auth-token-ttl', '1'] });
  const [endpoint = ''] = server.endpoints;
  const admin = async (path: string, fields: object) => {
    const response = await fetch(`${endpoint}${path}`, { method: 'POST', body: JSON.stringify(fields) });
    assert.equal(response.status, 200, await response.text());
  };
  await admin('/v3/auth/user/add', { name: 'root', password: 'a-long-password' });
  await admin('/v3/auth/user/grant', { user: 'root', role: 'root' });
  await admin('/v3/auth/enable', {});
  const client = clientOf([endpoint], { username: 'root', password: 'a-long-password' });
  const wrong = clientOf([endpoint], { username: 'root', password: 'another-password' });
  const nobody = clientOf([endpoint]);
  try {
    await client.put('a', '1');
    await assert.rejects(wrong.put('a', '2'), { code: 'UNAUTHENTICATED', executed: 'no' });
    await assert.rejects(nobody.put('a', '2'), { code: 'UNAUTHENTICATED' });
    const { events, said, listener } = listening();
    client.watch({ key: 'a' }, undefined, listener);
    await until('armed', () => said.includes('armed'));
    await server.kill();
    server.startMember(); // knows no token any more
    await server.ready();
    await until('the token is renewed', () => client.put('a', '3').then(Boolean, () => false));
    await until('the watch is armed again', () => events.length > 0);
    assert.equal(events[0]?.value.toString(), '3');
  } finally {
    for (const each of [client, wrong, nobody]) each.close();
    await server.end();
  }
});

test('https: the certificate is verified, and a client certificate shown', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-etcd-tls-'));
  const file = (name: string) => join(folder, name);
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', [...made, ...names, '-keyout', file('key.pem'), '-out', file('cert.pem')]);
  const tls = { cert: file('cert.pem'), key: file('key.pem'), clientCa: file('cert.pem') };
  const server = await EtcdServer.start({ tls });
  const [cert, key] = await Promise.all([readFile(file('cert.pem')), readFile(file('key.pem'))]);
  const client = clientOf(server.endpoints, { tls: { ca: cert, cert, key } });
  const unknown = clientOf(server.endpoints, { tls: { ca: cert } });
  const distrusting = clientOf(server.endpoints);
  try {
    await until('etcd answers', () => client.put('a', '1').then(Boolean, () => false));
    await assert.rejects(distrusting.put('a', '2'), { code: 'CONNECT_FAILED', message: /self-signed/ });
    await assert.rejects(unknown.put('a', '2'), (error: FlotillaError) => /certificate/.test(error.message));
    assert.equal((await client.range({ key: 'a' })).pairs[0]?.value.toString(), '1');
  } finally {
    for (const each of [client, unknown, distrusting]) each.close();
    await server.end();
    await rm(folder, { recursive: true });
  }
});
