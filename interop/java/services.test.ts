import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { effectiveStatus, type Instance } from '@flotilla/core';
import { done, theirClient } from '../eureka/their-client.ts';
import { eventually } from './programs/deadline.ts';
import { answers, hasRenewed, instancesOf, json } from './programs/http.ts';
import { freePort, type SpringProgram, skip, startEurekaServer, startSpringService } from './programs/java.ts';
import { type OurProgram, startOurGateway, startOurRegistry, startOurService } from './programs/ours.ts';
import { Watcher } from './programs/watcher.ts';

const routes = ['current', 'older']
  .map(
    (of) =>
      `  - { id: ${of}, path: '/${of}/{*rest}', to: 'service://spring-${of}', auth: public, filters: [{ stripPrefix: 1 }] }`,
  )
  .join('\n');

const isUp = ([one, ...more]: readonly Instance[]): boolean =>
  one !== undefined && more.length === 0 && effectiveStatus(one) === 'up';

suite('unchanged Spring services at our registry', { skip }, () => {
  const release = new AsyncDisposableStack();
  let registry: OurProgram;
  let door: OurProgram;
  let greeter: OurProgram;

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flotilla-routes-'));
    release.defer(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'routes.yaml'), `routes:\n${routes}\n`);
    registry = release.use(await startOurRegistry());
    greeter = release.use(await startOurService('greeter', 'interop/java/fleet/greeter.ts', registry.url));
    door = release.use(await startOurGateway(join(folder, 'routes.yaml'), registry.url));
  });
  after(() => release.disposeAsync());

  for (const [of, byTemplate] of [
    ['current', 'by-rest-client'],
    ['older', 'by-rest-template'],
  ] as const) {
    suite(`of the ${of} release train`, () => {
      const name = `spring-${of}`;
      let spring: SpringProgram;
      let watcher: Watcher;

      before(async () => {
        watcher = new Watcher(registry.url, name);
        spring = await startSpringService({
          of,
          name,
          registry: `${registry.url}/eureka/`,
          callee: 'greeter',
          args: ['--eureka.instance.lease-expiration-duration-in-seconds=5'],
        });
      });
      after(async () => {
        await spring?.kill();
        await watcher?.close();
      });

      test('registers with its address, lease, zone-free identity and metadata', async () => {
        const [seen] = await watcher.sees('is up', isUp);
        assert.deepEqual(seen?.addresses, [{ protocol: 'http', host: '127.0.0.1', port: spring.port }]);
        assert.deepEqual(seen?.lease, { renewEveryMs: 1_000, lastsMs: 5_000 });
        assert.equal(seen?.metadata['version'], '7');
        assert.match(seen?.id ?? '', new RegExp(`^${name}:`));
      });

      test('is called by a TypeScript service, by its name', async () => {
        await answers(`${greeter.url}/ask/${name}/Ada`, { text: 'Hello, Ada!', from: name });
      });

      test('is called through our gateway', async () => {
        await answers(`${door.url}/${of}/greetings/Ada`, { text: 'Hello, Ada!', from: name });
        const echo = await json(`${door.url}/${of}/echo`, { text: 'good morning' });
        assert.deepEqual(echo, { text: 'good morning', from: name });
      });

      test('calls a TypeScript service by its name, with a load-balanced client and with OpenFeign', async () => {
        const hello = { text: 'Hello, Grace!', from: 'greeter' };
        await answers(`${spring.url}/${byTemplate}/greeter/Grace`, hello);
        await answers(`${spring.url}/by-feign/Grace`, hello);
        await answers(`${spring.url}/by-feign/echo`, { text: 'ping', from: 'greeter' }, { text: 'ping' });
      });

      test('is taken out and put back by its actuator', async () => {
        const say = async (status: string): Promise<void> => {
          const body = JSON.stringify({ status });
          const headers = { 'content-type': 'application/json' };
          const response = await fetch(`${spring.url}/actuator/serviceregistry`, { method: 'POST', headers, body });
          assert.equal(response.status, 200);
        };
        await say('OUT_OF_SERVICE');
        const [out] = await watcher.sees('is out', ([one]) => one?.override === 'out-of-service');
        assert.equal(out?.status, 'up', 'the owner still says that it is up');
        await answers(`${door.url}/${of}/greetings/Ada`, '503');
        await answers(`${spring.url}/actuator/serviceregistry`, {
          status: 'OUT_OF_SERVICE',
          overriddenStatus: 'OUT_OF_SERVICE',
        });

        await say('CANCEL_OVERRIDE');
        await watcher.sees('is back', isUp);
        await answers(`${door.url}/${of}/greetings/Ada`, { text: 'Hello, Ada!', from: name });
      });

      test('registers again when it was forgotten', async () => {
        const [known] = await watcher.sees('is up', isUp);
        const path = `${registry.url}/eureka/apps/${name.toUpperCase()}/${known?.id}`;
        assert.equal((await fetch(path, { method: 'DELETE' })).status, 200);
        await watcher.sees('was forgotten', (all) => all.length === 0);
        const [again] = await watcher.sees('is up again', isUp);
        assert.equal(again?.id, known?.id);
      });

      test('ends what it has in hand when it is told to stop, and leaves', async () => {
        const [known] = await watcher.sees('is up', isUp);
        const before = watcher.told.length;
        const inHand = json(`${door.url}/${of}/by-feign/Patience`);
        await greeter.said(/^Patience waits/);
        const ended = spring.leave();
        await spring.said(/Commencing graceful shutdown/);
        await json(`${greeter.url}/release`, {});
        assert.deepEqual(await inHand, { text: 'Hello, Patience!', from: 'greeter' });
        assert.equal(await ended, 143, 'as whoever ends by SIGTERM');
        await watcher.sees('is gone', (all) => all.length === 0);
        const statuses = watcher.told.slice(before).map(([one]) => one && `${one.id} ${one.status}`);
        assert.deepEqual(statuses, [`${known?.id} down`, undefined]);
        await answers(`${door.url}/${of}/greetings/Ada`, '503');
      });
    });
  }

  test('a Spring service that crashes is gone when its lease is over, for eureka-js-client by delta too', async () => {
    const watcher = new Watcher(registry.url, 'crashing');
    const reader = theirClient({
      shouldUseDelta: true,
      instance: {
        app: 'reader',
        instanceId: 'reader:1',
        hostName: '127.0.0.1',
        vipAddress: 'reader',
        port: { $: 4_000, '@enabled': 'true' },
      },
      eureka: { port: Number(new URL(registry.url).port) },
    });
    const found = async (): Promise<string[]> => {
      await done((callback) => reader.fetchRegistry(callback));
      return reader.getInstancesByVipAddress('crashing').map(({ status, port: { $ } }) => `${status} ${$}`);
    };
    await done((callback) => reader.start(callback)); // fetches everything; deltas from here on
    assert.deepEqual(await found(), []);
    await using spring = await startSpringService({
      of: 'current',
      name: 'crashing',
      registry: `${registry.url}/eureka/`,
      args: ['--eureka.instance.lease-expiration-duration-in-seconds=5'],
    });
    try {
      await watcher.sees('is up', isUp);
      assert.deepEqual(await found(), [`UP ${spring.port}`]);
      await spring.kill();
      await watcher.sees('is gone', (all) => all.length === 0);
      assert.deepEqual(await found(), []);
    } finally {
      await done((callback) => reader.stop(() => callback()));
      await watcher.close();
    }
  });

  test('a client on Jersey registers, fetches, renews, and registers again', async () => {
    const name = 'jersey';
    const watcher = new Watcher(registry.url, name);
    // A Eureka server is itself a client of its neighbours, on Jersey; what it fetches it serves.
    const port = await freePort(); // it registers before it has one when it takes any
    const own = `${registry.url}/eureka/apps/${name.toUpperCase()}`;
    const options = [
      `--spring.application.name=${name}`,
      `--eureka.instance.instance-id=${name}:1`,
      '--eureka.instance.lease-renewal-interval-in-seconds=1',
      '--eureka.client.register-with-eureka=true',
      '--eureka.client.fetch-registry=true',
      '--eureka.client.registry-fetch-interval-seconds=1',
      `--eureka.client.service-url.defaultZone=${registry.url}/eureka/`,
    ];
    await using jersey = await startEurekaServer(options, port);
    try {
      const [known] = await watcher.sees('is up', isUp);
      assert.deepEqual(
        [known?.id, known?.addresses],
        [`${name}:1`, [{ protocol: 'http', host: '127.0.0.1', port: jersey.port }]],
      );
      const fetched = await json(`${jersey.url}/eureka/apps/GREETER`);
      assert.equal(instancesOf(fetched)[0]?.vipAddress, 'greeter', 'what it fetched at its start');

      await eventually('it has renewed', () => json(own), hasRenewed);
      assert.equal((await fetch(`${own}/${known?.id}`, { method: 'DELETE' })).status, 200);
      await watcher.sees('was forgotten', (all) => all.length === 0);
      await watcher.sees('is up again', isUp);
    } finally {
      await watcher.close();
    }
  });
});
