import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { type HttpHandler, HttpHeaders } from '@flotilla/http';
import { anInstance } from '../testing/instances.ts';
import { World } from '../testing/world.ts';

const key = { service: 'orders', id: 'a' };

/** Counts the requests that reach a registry. */
function counting(): { wrap: (handler: HttpHandler) => HttpHandler; seen: string[] } {
  const seen: string[] = [];
  const wrap =
    (handler: HttpHandler): HttpHandler =>
    (request, call) => {
      seen.push(`${request.method} ${request.path.segments.slice(5).join('/')}`.trim());
      return handler(request, call);
    };
  return { wrap, seen };
}

test('an instance is registered at once, and renewed every 30 s ± 20 % for as long as it lives', async () => {
  const world = new World();
  const { wrap, seen } = counting();
  const { registry } = await world.registry('registry', { wrap });
  const registration = world.client().registrar.register(anInstance());
  await settle();
  assert.equal(registry.get(key)?.instance.status, 'up');
  await world.clock.advance(3_600_000);
  assert.equal(registry.size, 1);
  const renewals = seen.filter((line) => line === 'POST renewal').length;
  assert.ok(renewals >= 100 && renewals <= 150, `${renewals} renewals in an hour`);
  assert.equal(seen.filter((line) => line === 'PUT').length, 1);
  await registration.deregister();
  assert.equal(registry.size, 0);
  await world.end();
});

test('the registry says how often to renew, when it clamps the lease', async () => {
  const world = new World();
  const { wrap, seen } = counting();
  const { registry } = await world.registry('registry', { wrap });
  world.client().registrar.register(anInstance({ lease: { renewEveryMs: 86_400_000, lastsMs: 86_400_000 } }));
  await world.clock.advance(3_700_000);
  assert.equal(registry.size, 1);
  assert.ok(seen.length > 10);
  await world.end();
});

test('a status is pushed at once, as a newer incarnation', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  const registration = world.client().registrar.register(anInstance({ incarnation: 5 }));
  await registration.setStatus('draining');
  const listed = registry.get(key)?.instance;
  assert.equal(listed?.status, 'draining');
  assert.ok((listed?.incarnation ?? 0) > 5);
  const { revision } = registry.cursor;
  await registration.setStatus('draining');
  assert.equal(registry.cursor.revision, revision, 'the same again is no change');
  await world.end();
});

test('it is announced when the registry knows, and no later than its first try when there is none', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  world.network.setLatency('registry:8761', 500);
  let known: boolean | undefined;
  void world
    .client()
    .registrar.register(anInstance())
    .announced.then(() => {
      known = registry.get(key) !== undefined;
    });
  await world.clock.advance(499);
  assert.equal(known, undefined);
  await world.clock.advance(1_000);
  assert.equal(known, true);
  await world.client(['http://nobody:8761']).registrar.register(anInstance()).announced;
  await world.end();
});

test('another weight is pushed to whoever watches', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  const registration = world.client().registrar.register(anInstance());
  const seen: number[] = [];
  world
    .client()
    .resolver.watch({ service: key.service }, ({ instances }) => seen.push(...instances.map(({ weight }) => weight)));
  await settle();
  await registration.setWeight(7);
  await settle();
  assert.deepEqual(seen, [1, 7]);
  const { revision } = registry.cursor;
  await registration.setWeight(7);
  assert.equal(registry.cursor.revision, revision, 'the same again is no change');
  await world.end();
});

test('a status that is set while another request is on its way is not lost', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  world.network.setLatency('registry:8761', 500);
  const registration = world.client().registrar.register(anInstance());
  const done = Promise.all([
    registration.setStatus('down'),
    registration.setStatus('up'),
    registration.setStatus('draining'),
  ]);
  await world.clock.advance(5_000);
  await done;
  assert.equal(registry.get(key)?.instance.status, 'draining');
  await world.end();
});

test('a registry that forgot is told again within one renewal', async () => {
  const world = new World();
  const first = await world.registry('registry');
  const client = world.client();
  client.registrar.register(anInstance());
  await settle();
  await first.stop();
  const second = await world.registry('registry');
  await world.clock.advance(36_000);
  assert.equal(second.registry.size, 1);
  assert.ok(world.messages('info').includes('the registry knows no lease of ours; registering again'));
  await world.end();
});

test('a registry that is not there at the start is no error: one warning, then registered when it comes', async () => {
  const world = new World();
  const registration = world.client().registrar.register(anInstance());
  await world.clock.advance(600_000);
  assert.deepEqual(world.messages(), ['no registry can be reached; going on with what is known, and trying again']);
  await registration.setStatus('draining');
  const { registry } = await world.registry('registry');
  await world.clock.advance(31_000);
  assert.equal(registry.get(key)?.instance.status, 'draining');
  assert.deepEqual(world.messages('warn').length, 1);
  assert.ok(world.messages('info').includes('the registry is reached again'));
  await world.end();
});

test('with two registries the other one is told when the first one goes', async () => {
  const world = new World();
  const first = await world.registry('one');
  const second = await world.registry('two');
  const client = world.client(['http://one:8761', 'http://two:8761']);
  client.registrar.register(anInstance());
  await settle();
  assert.deepEqual([first.registry.size, second.registry.size], [1, 0]);
  world.network.partition('one:8761');
  await world.clock.advance(36_000);
  assert.equal(second.registry.size, 1);
  assert.deepEqual(world.messages('warn'), [], 'that is no reason to warn anybody');
  await world.end();
});

test('leaving takes no longer than 2 s when the registry is silent', async () => {
  const world = new World();
  await world.registry('registry');
  const registration = world.client().registrar.register(anInstance());
  await settle();
  world.network.partition('registry:8761', 'silent');
  let left = false;
  const leaving = registration.deregister().then(() => {
    left = true;
  });
  await world.clock.advance(2_010);
  assert.equal(left, true);
  await leaving;
  assert.equal(registration.deregister(), registration.deregister(), 'later calls share the promise');
  assert.ok(world.messages('warn').includes('left without the registry hearing of it; the lease will lapse'));
  await world.end();
});

test('after it left, nothing brings it back: no renewal, no status, no request that was on its way', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  world.network.setLatency('registry:8761', 300);
  const registration = world.client().registrar.register(anInstance());
  await world.clock.advance(100);
  const leaving = registration.deregister();
  await world.clock.advance(1_000);
  await leaving;
  await registration.setStatus('up');
  await world.clock.advance(120_000);
  assert.equal(registry.size, 0);
  await world.end();
});

test('an owner whose clock went back raises its incarnation above what the registry knows', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  const later = world.clock.wallNow() + 30_000;
  registry.register(anInstance({ incarnation: later, zone: 'old' }));
  world.client().registrar.register(anInstance({ incarnation: 5, zone: 'new' }));
  await settle();
  assert.equal(registry.get(key)?.instance.zone, 'new');
  assert.ok((registry.get(key)?.instance.incarnation ?? 0) > later);
  await world.end();
});

test('an instance that somebody took out comes back: it is alive', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  world.client().registrar.register(anInstance({ incarnation: 5 }));
  await settle();
  registry.deregister(key);
  await world.clock.advance(36_000);
  assert.equal(registry.size, 1);
  await world.end();
});

test('a refusal is an error once, not at each try, and ends when the registry lets it in', async () => {
  const world = new World();
  const users = [{ name: 'users', role: 'instance', password: new Secret('a long password') }] as const;
  await world.registry('registry', { users });
  world.client(['http://users:a%20long%20password@registry:8761']).registrar.register(anInstance());
  await world.clock.advance(300_000);
  const errors = world.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['the registry refuses the registration'],
  );
  assert.equal(errors[0]?.fields['status'], 403);
  assert.ok(!JSON.stringify(world.lines).includes('a long password'));
  await world.end();
});

test('credentials in the url are sent, and never shown', async () => {
  const world = new World();
  const users = [{ name: 'orders', role: 'instance', password: new Secret('p@ss:word / 12') }] as const;
  const { registry } = await world.registry('registry', { users });
  world.client(['http://orders:p%40ss%3Aword%20%2F%2012@registry:8761/']).registrar.register(anInstance());
  await settle();
  assert.equal(registry.size, 1);
  assert.throws(
    () => world.client(['ftp://orders:hidden-secret@registry']),
    (error: Error) => {
      assert.match(error.message, /CONFIG_INVALID.*not the url of a registry/);
      return !error.message.includes('hidden-secret');
    },
  );
  assert.throws(() => world.client([]), { code: 'CONFIG_INVALID' });
  await world.end();
});

test('bound to every interface, an address that the registry does not see is said once', async () => {
  const world = new World();
  await world.registry('registry', {
    wrap: (handler) => (request, call) =>
      handler({ ...request, peer: { address: '::ffff:10.0.0.7', port: 1, encrypted: false } }, call),
  });
  const warned = async (bindHost: string, host: string) => {
    const before = world.messages('warn').length;
    const id = `${bindHost} ${host}`;
    world
      .client(undefined, { bindHost })
      .registrar.register(anInstance({ id, addresses: [{ protocol: 'http', host, port: 1 }] }));
    await world.clock.advance(60_000);
    return world.messages('warn').length - before;
  };
  assert.equal(await warned('0.0.0.0', '172.17.0.1'), 1);
  assert.equal(await warned('0.0.0.0', '10.0.0.7'), 0);
  assert.equal(await warned('0.0.0.0', 'orders.internal'), 0, 'a name may well lead there');
  assert.equal(await warned('10.0.0.8', '10.0.0.8'), 0, 'the address was chosen by hand');
  await world.end();
});

test('an instance of a group and version is registered as such', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  const instance = anInstance();
  const registration = world.client().registrar.register({
    ...instance,
    id: 'näme/ü',
    identity: { ...instance.identity, group: 'eu', version: '2' },
  });
  await settle();
  assert.equal(registry.size, 0, 'an id with a slash cannot be addressed');
  await registration.deregister();
  world
    .client()
    .registrar.register({ ...instance, id: 'näme:ü', identity: { ...instance.identity, group: 'eu', version: '2' } });
  await world.clock.advance(120_000);
  assert.ok(registry.get({ service: 'eu/orders@2', id: 'näme:ü' }));
  await world.end();
});

for (const [status, told, least, most] of [
  [429, 20, 20_000, 30_000],
  [503, 5, 5_000, 7_500],
  [503, 86_400, 60_000, 90_000],
] as const) {
  test(`a registry that answers ${status} with retry-after ${told} is asked again after ${least} to ${most} ms`, async () => {
    const world = new World();
    const asked: number[] = [];
    await world.registry('registry', {
      wrap: (handler) => async (request, call) => {
        asked.push(world.clock.now());
        if (asked.length > 1) return handler(request, call);
        return { status, headers: new HttpHeaders([['retry-after', String(told)]]), body: undefined };
      },
    });
    world.client().registrar.register(anInstance());
    await world.clock.advance(100_000);
    const [first = 0, second = 0] = asked;
    assert.ok(second - first >= least && second - first <= most, `${second - first} ms`);
    await world.end();
  });
}

test('who follows a service waits as it is told as well', async () => {
  const world = new World();
  const asked: number[] = [];
  await world.registry('registry', {
    wrap: (handler) => async (request, call) => {
      asked.push(world.clock.now());
      if (asked.length > 1) return handler(request, call);
      return { status: 503, headers: new HttpHeaders([['retry-after', '10']]), body: undefined };
    },
  });
  world.client().resolver.watch({ service: 'orders' }, () => {});
  await world.clock.advance(16_000);
  const [first = 0, second = 0] = asked;
  assert.ok(second - first >= 10_000 && second - first <= 15_000, `${second - first} ms`);
  await world.end();
});
