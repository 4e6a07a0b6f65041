import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Instance, type InstanceSet, identity, leaseDefaults, systemClock, systemRandom } from '@flotilla/core';
import { zookeeperDiscovery } from '@flotilla/registry/resolvers/zookeeper';
import { type Curator, type RealZooKeeper, skip, startCurator, startZooKeeper } from './programs.ts';

const instance = (parts: Partial<Instance> = {}): Instance => ({
  id: 'ours-1',
  identity: identity('orders'),
  incarnation: 1_767_225_600_000,
  addresses: [{ protocol: 'http', host: '10.0.0.1', port: 8080 }],
  contracts: [{ name: 'orders', version: 1, hash: 'h' }],
  status: 'up',
  weight: 2,
  zone: 'eu-1',
  lease: leaseDefaults,
  revision: 0,
  metadata: { team: 'red' },
  bags: {},
  ...parts,
});

/** Asks until the answer fits; an error past half a minute shows the last one. */
async function eventually<T>(what: string, ask: () => T | Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (performance.now() > end)
      throw new Error(`not within 30 s: ${what}; the last answer was ${JSON.stringify(answer)}`);
    await pause(20);
  }
}

describe('Curator with the classes of Spring Cloud ZooKeeper', { skip, timeout: 180_000 }, () => {
  let zookeeper: RealZooKeeper;
  let curator: Curator;
  let ours: ReturnType<typeof zookeeperDiscovery>;
  before(async () => {
    zookeeper = await startZooKeeper();
    curator = await startCurator(zookeeper.address);
    ours = zookeeperDiscovery({ urls: [`zookeeper://${zookeeper.address}`], clock: systemClock, random: systemRandom });
  });
  after(async () => {
    await ours?.close();
    await curator?.end();
    await zookeeper?.end();
  });

  test('reads what we register, stops picking one that drains, sees it go', async () => {
    const registration = ours.registrar.register(instance());
    await registration.announced;
    const [listed, ...others] = (await curator.ask('list orders')) as Record<string, unknown>[];
    assert.equal(others.length, 0);
    const { metadata, ...facts } = listed ?? {};
    assert.deepEqual(facts, {
      id: 'ours-1',
      host: '10.0.0.1',
      port: 8080,
      secure: false,
      uri: 'http://10.0.0.1:8080',
      enabled: true,
    });
    const { instance_status, team, zone, weight } = metadata as Record<string, string>;
    assert.deepEqual(
      { instance_status, team, zone, weight },
      { instance_status: 'UP', team: 'red', zone: 'eu-1', weight: '2' },
    );
    assert.deepEqual(await curator.ask('picked orders'), { id: 'ours-1' });

    await registration.setStatus('draining');
    const [draining] = (await curator.ask('list orders')) as { enabled: boolean; metadata: Record<string, string> }[];
    assert.deepEqual([draining?.enabled, draining?.metadata['instance_status']], [false, 'OUT_OF_SERVICE']);
    await eventually(
      'nobody is picked',
      () => curator.ask('picked orders'),
      (answer) => JSON.stringify(answer) === '{}',
    );

    await registration.deregister();
    assert.deepEqual(await curator.ask('list orders'), []);
  });

  test('calls one that serves https by https', async () => {
    const addresses = [{ protocol: 'https', host: '10.0.0.1', port: 8443 }];
    const registration = ours.registrar.register(instance({ id: 'secure/1', identity: identity('secure'), addresses }));
    await registration.announced;
    const [listed] = (await curator.ask('list secure')) as Record<string, unknown>[];
    assert.deepEqual(
      [listed?.['id'], listed?.['secure'], listed?.['port'], listed?.['uri']],
      ['secure%2F1', true, 8443, 'https://10.0.0.1:8443'],
    );
    await registration.deregister();
  });

  test('what it registers is found, taken out of service, and gone', async () => {
    const sets: InstanceSet[] = [];
    const watch = ours.resolver.watch({ service: 'books' }, (set) => sets.push(set));
    const first = (): Instance | undefined => sets.at(-1)?.instances[0];
    await curator.ask('register books theirs-1 8080 -');
    const found = await eventually('it is found', first, (seen) => seen !== undefined);
    assert.deepEqual(
      [found?.id, found?.status, found?.addresses, found?.metadata],
      ['theirs-1', 'up', [{ protocol: 'http', host: '10.0.0.9', port: 8080 }], { team: 'blue' }],
    );
    await curator.ask('out books theirs-1');
    await eventually('it is out of service', first, (seen) => seen?.status === 'out-of-service');
    await curator.ask('unregister books theirs-1');
    await eventually(
      'it is gone',
      () => sets.at(-1)?.instances.length,
      (count) => count === 0,
    );
    await curator.ask('register books theirs-2 8080 8443');
    const secure = await eventually('the other is found', first, (seen) => seen !== undefined);
    assert.deepEqual(secure?.addresses, [{ protocol: 'https', host: '10.0.0.9', port: 8443 }]);
    watch.close();
  });
});
