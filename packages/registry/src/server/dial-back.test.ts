import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import type { Address } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { socketDialer } from '../engines/socket-dialer.ts';
import { anInstance } from '../testing/instances.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { AddressRules } from './address-rules.ts';
import { DialBack, type DialBackOptions, type Dialled, explain } from './dial-back.ts';
import { createRegistry } from './registry.ts';

const at = (host: string, port = 8080): { addresses: readonly Address[] } => ({
  addresses: [{ protocol: 'http', host, port }],
});
const key = { service: 'orders', id: 'a' };

async function world(outcome: () => Dialled | Promise<Dialled>, options: Partial<DialBackOptions> = {}) {
  const [clock, logger] = [new ManualClock(), recordingLogger()];
  const registry = createRegistry({ clock, random: seededRandom(1) });
  await registry.start();
  const dialled: string[] = [];
  const dialBack = new DialBack({
    registry,
    clock,
    logger,
    dialer: {
      dial: async ({ host, port }) => {
        dialled.push(`${host}:${port}`);
        return outcome();
      },
    },
    ...options,
  });
  const register = async (parts: Parameters<typeof anInstance>[0] = {}, from = '10.0.0.7') => {
    const judged = await dialBack.judge(anInstance({ ...at('10.0.0.7'), ...parts }), from);
    registry.register(judged.instance);
    return judged;
  };
  const status = () => registry.get(key)?.instance.status;
  return { clock, logger, registry, dialBack, dialled, register, status };
}

const reached: Dialled = { outcome: 'reached', detail: 'connected' };
const closed: Dialled = { outcome: 'closed', address: '10.0.0.7', detail: 'ECONNREFUSED' };

test('who can be reached is listed as up', async () => {
  const { register, status, dialled, dialBack } = await world(() => reached);
  assert.equal((await register()).problem, undefined);
  assert.deepEqual([status(), dialled, dialBack.problems], ['up', ['10.0.0.7:8080'], []]);
});

test('who cannot is listed as starting with the reason, and as up as soon as it can, without a word of its owner', async () => {
  let now = closed;
  const { register, status, clock, logger, dialBack, dialled } = await world(() => now);
  const { problem } = await register();
  assert.equal(status(), 'starting');
  assert.match(problem?.reason ?? '', /nobody listens on 10\.0\.0\.7:8080: ECONNREFUSED/);
  assert.deepEqual(dialBack.problems, [{ ...key, ...problem }]);
  await clock.advance(10_000);
  assert.equal(status(), 'starting');
  now = reached;
  await clock.advance(10_000);
  assert.equal(status(), 'up');
  assert.deepEqual(dialBack.problems, []);
  await clock.advance(60_000);
  assert.equal(dialled.length, 3);
  assert.deepEqual(
    logger.lines.map(({ level, message }) => [level, message]),
    [
      ['warn', 'an advertised address cannot be reached: listed as starting'],
      ['info', 'the advertised address is reached: listed as up'],
    ],
  );
});

test('who is listed as up is not dialled again, unless its address is another one', async () => {
  const { register, dialled } = await world(() => reached);
  await register();
  await register({ incarnation: 2 });
  await register({ incarnation: 3, ...at('10.0.0.8') });
  assert.deepEqual(dialled, ['10.0.0.7:8080', '10.0.0.8:8080']);
});

test('who registers again and again while it cannot be reached is not dialled each time', async () => {
  const { register, dialled, status } = await world(() => closed);
  for (let incarnation = 1; incarnation <= 20; incarnation++) await register({ incarnation });
  assert.deepEqual([dialled.length, status()], [1, 'starting']);
});

test('who says itself that it is not up, has no address, or left meanwhile is left alone', async () => {
  const { register, registry, status, clock, dialled } = await world(() => closed);
  await register({ status: 'down' });
  await register({ id: 'b', addresses: [] });
  assert.deepEqual([dialled, status()], [[], 'down']);
  await register({ incarnation: 2 });
  registry.setStatus(key, 'draining', 3);
  await clock.advance(30_000);
  assert.deepEqual([status(), dialled.length], ['draining', 2]);
});

test('loopback that is advertised from another machine is not dialled', async () => {
  for (const host of ['127.0.0.1', 'localhost', '::1']) {
    const { register, dialled, status } = await world(() => reached, { allow: ['127.0.0.0/8', '::1/128'] });
    const { problem } = await register(at(host), '10.0.0.7');
    assert.match(problem?.reason ?? '', /is loopback: whoever looks it up would call itself; .* came from 10\.0\.0\.7/);
    assert.match(problem?.hint ?? '', /set FLOTILLA_ADVERTISE .*10\.0\.0\.7/);
    assert.deepEqual([dialled, status()], [[], 'starting']);
  }
});

test('so many are dialled at a time; beyond a queue they are listed unchecked', async () => {
  const answers: (() => void)[] = [];
  const pending = () => new Promise<Dialled>((resolve) => answers.push(() => resolve(closed)));
  const { dialBack, dialled } = await world(pending, { maxConcurrent: 2 });
  const judged = Array.from({ length: 1_010 }, (_, n) => dialBack.judge(anInstance({ id: `i${n}` }), '10.0.0.7'));
  await settle();
  assert.equal(dialled.length, 2);
  const unchecked = await Promise.all(judged.slice(1_002));
  assert.deepEqual([...new Set(unchecked.map(({ instance }) => instance.status))], ['up']);
  while (dialled.length < 1_002 || answers.length > 0) {
    answers.shift()?.();
    await settle();
  }
  assert.equal((await judged[1_001])?.instance.status, 'starting');
  await dialBack.stop();
});

test('who waits for its turn for half a second is listed unchecked', async () => {
  const { dialBack, clock } = await world(() => new Promise<Dialled>(() => {}), { maxConcurrent: 1 });
  void dialBack.judge(anInstance({ id: 'first' }), '10.0.0.7');
  const second = dialBack.judge(anInstance({ id: 'second' }), '10.0.0.7');
  await settle();
  await clock.advance(500);
  assert.equal((await second).instance.status, 'up');
});

const words: readonly (readonly [string, string, Dialled, string | undefined, RegExp, RegExp])[] = [
  [
    'a refused port',
    '10.0.0.7',
    closed,
    '10.0.0.7',
    /^nobody listens on 10\.0\.0\.7:8080/,
    /compare the advertised port.*"bind"/,
  ],
  [
    'a time-out',
    '10.0.0.7',
    { outcome: 'silent', detail: 'no answer within 1500 ms' },
    '10.0.0.7',
    /does not answer: no answer within/,
    /firewall/,
  ],
  [
    "Docker's bridge",
    '172.17.0.3',
    { outcome: 'silent', detail: 'x' },
    '10.0.0.7',
    /address of Docker's bridge/,
    /publish the port, and set .*10\.0\.0\.7/,
  ],
  [
    'a name of nobody',
    'orders-7f9c',
    { outcome: 'unresolved', detail: 'ENOTFOUND' },
    '10.0.0.7',
    /the name "orders-7f9c" means no address here: ENOTFOUND/,
    /DNS/,
  ],
  [
    'no way',
    '10.9.9.9',
    { outcome: 'unreachable', detail: 'EHOSTUNREACH' },
    undefined,
    /no way leads .*EHOSTUNREACH/,
    /the address that others reach it by/,
  ],
  [
    'metadata',
    'evil.example',
    { outcome: 'forbidden', address: '169.254.169.254', detail: 'link-local' },
    '10.0.0.7',
    /means 169\.254\.169\.254, which a registry does not dial/,
    /registry\.checkAddresses\.allow/,
  ],
];
for (const [claim, host, dialled, from, reason, hint] of words) {
  test(`${claim}: says why, and what to set`, () => {
    const problem = explain({ host, port: 8080 }, dialled, from);
    assert.match(problem.reason, reason);
    assert.match(problem.hint, hint);
    assert.equal(problem.address, `${host}:8080`);
  });
}

test('addresses that a registry must not dial, in all their clothes', () => {
  const rules = new AddressRules();
  const never = [
    ...[
      '127.0.0.1',
      '127.8.8.8',
      '0.0.0.0',
      '169.254.169.254',
      '169.254.1.1',
      '224.0.0.1',
      '239.1.1.1',
      '255.255.255.255',
    ],
    ...[
      '100.100.100.200',
      '::1',
      '::',
      'fe80::1',
      'fe80::1%eth0',
      'ff02::1',
      '::ffff:127.0.0.1',
      '::ffff:169.254.169.254',
    ],
    ...[
      '::ffff:a9fe:a9fe',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      'fd00:ec2::254',
      'localhost',
      '',
      '127.1',
      '0x7f000001',
    ],
  ];
  for (const address of never) assert.notEqual(rules.refuses(address), undefined, address);
  for (const address of ['10.0.0.7', '172.17.0.2', '192.168.1.1', '203.0.113.9', '2001:db8::1', 'fd12::1']) {
    assert.equal(rules.refuses(address), undefined, address);
  }
  const developer = new AddressRules(['127.0.0.0/8']);
  assert.equal(developer.refuses('::ffff:127.0.0.1'), undefined);
  assert.notEqual(developer.refuses('169.254.169.254'), undefined);
  assert.throws(() => new AddressRules(['everything']), { code: 'CONFIG_INVALID' });
});

/** A listener that counts who comes: nobody may. */
async function trap(): Promise<{ readonly port: number; readonly caught: () => number; readonly server: Server }> {
  let caught = 0;
  const server = createServer((socket) => {
    caught++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, caught: () => caught, server };
}

test('sockets: a listener is reached, a closed port says so, and nothing is sent', async (t) => {
  const { port, server, caught } = await trap();
  t.after(() => server.close());
  const limits = { timeoutMs: 1_500, refuses: () => undefined };
  const dialer = socketDialer();
  assert.equal((await dialer.dial({ host: '127.0.0.1', port }, limits)).outcome, 'reached');
  assert.equal((await dialer.dial({ host: 'localhost', port }, limits)).outcome, 'reached');
  server.close();
  assert.deepEqual(await dialer.dial({ host: '127.0.0.1', port }, limits), {
    outcome: 'closed',
    address: '127.0.0.1',
    detail: 'ECONNREFUSED',
  });
  assert.equal(caught() >= 1, true);
});

test('sockets: what a name means is judged after it was resolved, and only what was judged is dialled', async (t) => {
  const { port, server, caught } = await trap();
  t.after(() => server.close());
  let asked = 0;
  // The first time harmless, from then on this machine: a name that is resolved twice would lead into the trap.
  const rebinding = socketDialer({
    resolve: async () => {
      asked++;
      return asked === 1 ? ['192.0.2.1'] : ['127.0.0.1'];
    },
  });
  const rules = new AddressRules();
  const limits = { timeoutMs: 50, refuses: (address: string) => rules.refuses(address) };
  const first = await rebinding.dial({ host: 'rebind.example', port }, limits);
  assert.equal(['silent', 'unreachable', 'closed'].includes(first.outcome), true, first.outcome);
  assert.deepEqual([asked, first.address], [1, '192.0.2.1'], 'resolved once for one attempt');
  const second = await rebinding.dial({ host: 'rebind.example', port }, limits);
  assert.deepEqual([second.outcome, second.detail], ['forbidden', 'loopback']);
  for (const host of ['127.0.0.1', '::ffff:127.0.0.1', '::1', 'localhost']) {
    const { outcome } = await socketDialer().dial({ host, port }, limits);
    assert.equal(outcome, 'forbidden', host);
  }
  const several = socketDialer({ resolve: async () => ['127.0.0.1', '169.254.169.254', '::1'] });
  assert.equal((await several.dial({ host: 'many.example', port }, limits)).outcome, 'forbidden');
  assert.equal(caught(), 0, 'nobody came into the trap');
});

test('sockets: a name of nobody, and a resolver that is silent, are told', async () => {
  const limits = { timeoutMs: 30, refuses: () => undefined };
  const gone = socketDialer({ resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) });
  assert.deepEqual(await gone.dial({ host: 'x.invalid', port: 1 }, limits), {
    outcome: 'unresolved',
    detail: 'ENOTFOUND',
  });
  const silent = socketDialer({ resolve: () => new Promise(() => {}) });
  assert.match((await silent.dial({ host: 'x.invalid', port: 1 }, limits)).detail, /no answer within 30 ms/);
});
