import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { eventually } from './programs/deadline.ts';
import { hasRenewed, instancesOf, json } from './programs/http.ts';
import { freePort, type SpringProgram, skip, startEurekaServer, startSpringService } from './programs/java.ts';
import { type OurProgram, startOurRegistry, startOurService } from './programs/ours.ts';

/** Statuses of an application's instances, as a registry of either make tells them to Eureka's clients. */
async function statuses(registry: string, app: string): Promise<readonly string[]> {
  const listed = await json(`${registry}/apps/${app}`).catch(String);
  return typeof listed === 'string' ? [listed] : instancesOf(listed).map(({ status }) => status);
}

function sees(registry: string, app: string, expected: string): Promise<readonly string[]> {
  return eventually(
    `${registry} lists ${app} as ${expected}`,
    () => statuses(registry, app),
    (found) => found.join() === expected,
  );
}

/** A server takes a URL with its own host name, 127.0.0.1, for itself: ours is called localhost. */
suite('our registry and a real Eureka server as peers', { skip }, () => {
  const release = new AsyncDisposableStack();
  let [ourPort, theirPort] = [0, 0];
  let [ours, theirs] = ['', ''];
  let registry: OurProgram;
  let eureka: SpringProgram;
  let spring: SpringProgram;

  const startOurs = (): Promise<OurProgram> =>
    startOurRegistry([`--peers=${theirs}/`, `--my-url=${ours}/`, '--peer-start-timeout-ms=2000'], ourPort);
  const startTheirs = (): Promise<SpringProgram> =>
    startEurekaServer(
      [
        '--eureka.client.register-with-eureka=true',
        '--eureka.client.fetch-registry=true',
        '--eureka.server.use-read-only-response-cache=false',
        '--eureka.server.peer-node-read-timeout-ms=2000', // 200 ms are little on a busy machine
        '--eureka.server.peer-node-connect-timeout-ms=2000',
        '--eureka.server.registry-sync-retry-wait-ms=1000',
        `--eureka.client.service-url.defaultZone=${ours}/`,
      ],
      theirPort,
    );

  before(async () => {
    [ourPort, theirPort] = [await freePort(), await freePort()];
    [ours, theirs] = [`http://localhost:${ourPort}/eureka`, `http://127.0.0.1:${theirPort}/eureka`];
    registry = await startOurs();
    release.defer(() => registry.kill());
    eureka = await startTheirs();
    release.defer(() => eureka.kill());
    release.use(await startOurService('greeter', 'interop/java/fleet/greeter.ts', registry.url));
    spring = release.use(
      await startSpringService({ of: 'current', name: 'spring-current', registry: `${theirs}/,${ours}/` }),
    );
  });
  after(() => release.disposeAsync());

  test('instances registered at either are seen at both', async () => {
    for (const at of [ours, theirs]) {
      await sees(at, 'GREETER', 'UP');
      await sees(at, 'SPRING-CURRENT', 'UP');
      await sees(at, 'EUREKA', 'UP');
    }
  });

  test('heartbeats at theirs keep a lease at ours', async () => {
    await eventually('it is renewed at ours', () => json(`${ours}/apps/SPRING-CURRENT`), hasRenewed);
  });

  test('an operator is heard at both, wherever the word was said', async () => {
    const id = instancesOf(await json(`${ours}/apps/SPRING-CURRENT`))[0]?.instanceId;
    const [there, back] = [
      ['PUT', '/status?value=OUT_OF_SERVICE'],
      ['DELETE', '/status?value=UP'],
    ] as const;
    for (const at of [ours, theirs]) {
      for (const [[method, path], status] of [
        [there, 'OUT_OF_SERVICE'],
        [back, 'UP'],
      ] as const) {
        assert.equal((await fetch(`${at}/apps/SPRING-CURRENT/${id}${path}`, { method })).status, 200);
        await sees(ours, 'SPRING-CURRENT', status);
        await sees(theirs, 'SPRING-CURRENT', status);
      }
    }
  });

  test('theirs is killed: nothing is lost, and it has all of it again when it comes back', async () => {
    await eureka.kill();
    assert.deepEqual(await statuses(ours, 'GREETER'), ['UP']);
    const renewedAt = await renewal(ours);
    await eventually(
      'heartbeats go to ours',
      () => renewal(ours),
      (at) => at > renewedAt,
    );
    eureka = await startTheirs();
    await sees(theirs, 'GREETER', 'UP');
    await sees(theirs, 'SPRING-CURRENT', 'UP');
  });

  test('ours is killed: nothing is lost, and it has all of it again when it comes back', async () => {
    await registry.kill();
    assert.deepEqual(await statuses(theirs, 'GREETER'), ['UP']);
    assert.deepEqual(await statuses(theirs, 'SPRING-CURRENT'), ['UP']);
    registry = await startOurs();
    await sees(ours, 'GREETER', 'UP');
    await sees(ours, 'SPRING-CURRENT', 'UP');
  });

  test('who leaves has left at both', async () => {
    assert.equal(await spring.leave(), 143);
    for (const at of [ours, theirs]) await sees(at, 'SPRING-CURRENT', '404');
  });

  async function renewal(at: string): Promise<number> {
    return instancesOf(await json(`${at}/apps/SPRING-CURRENT`))[0]?.leaseInfo['lastRenewalTimestamp'] ?? 0;
  }
});
