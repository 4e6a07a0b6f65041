import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { eventually } from './programs/deadline.ts';
import { answers, instancesOf, json } from './programs/http.ts';
import { freePort, type SpringProgram, skip, startEurekaServer, startSpringService } from './programs/java.ts';
import { type OurProgram, startOurRegistry, startOurService } from './programs/ours.ts';

suite('a TypeScript service at a real Eureka server', { skip }, () => {
  const release = new AsyncDisposableStack();
  let port = 0;
  let eureka: SpringProgram;
  let registry: OurProgram;
  let greeter: OurProgram;
  let spring: SpringProgram;

  const startEureka = (): Promise<SpringProgram> =>
    startEurekaServer(['--eureka.server.use-read-only-response-cache=false'], port);

  before(async () => {
    port = await freePort();
    eureka = await startEureka();
    release.defer(() => eureka.kill());
    registry = release.use(await startOurRegistry());
    const both = `eureka+http://127.0.0.1:${port}/eureka?pollEveryMs=1000,${registry.url}`;
    greeter = release.use(await startOurService('greeter', 'interop/java/fleet/greeter.ts', both));
    spring = release.use(
      await startSpringService({
        of: 'current',
        name: 'spring-current',
        registry: `${eureka.url}/eureka/`,
        callee: 'greeter',
      }),
    );
  });
  after(() => release.disposeAsync());

  test('is listed there and at ours, each as a client of theirs reads it', async () => {
    for (const at of [eureka.url, registry.url]) {
      const [listed] = await eventually(
        `${at} lists it`,
        async () => instancesOf(await json(`${at}/eureka/apps/GREETER`)),
        ([one]) => one?.status === 'UP',
      );
      assert.equal(listed?.vipAddress, 'greeter');
      assert.equal(`http://${listed?.hostName}:${listed?.port.$}`, greeter.url);
    }
  });

  test('calls a Spring service that is known there alone', async () => {
    await answers(`${greeter.url}/ask/spring-current/Ada`, { text: 'Hello, Ada!', from: 'spring-current' });
  });

  test('is called by a Spring service', async () => {
    await answers(`${spring.url}/by-feign/Ada`, { text: 'Hello, Ada!', from: 'greeter' });
    await answers(`${spring.url}/by-rest-client/greeter/Ada`, { text: 'Hello, Ada!', from: 'greeter' });
  });

  test('goes on with whom it knows while the server is gone, and is listed again when it is back', async () => {
    await eureka.kill();
    const hello = { text: 'Hello, Ada!', from: 'spring-current' };
    assert.deepEqual(await json(`${greeter.url}/ask/spring-current/Ada`), hello);
    eureka = await startEureka();
    await eventually(
      'it is listed again',
      async () => instancesOf(await json(`${eureka.url}/eureka/apps/GREETER`)),
      ([one]) => one?.status === 'UP',
    );
    assert.deepEqual(await json(`${greeter.url}/ask/spring-current/Ada`), hello);
  });

  test('leaves when it is told to stop', async () => {
    assert.equal(await greeter.leave(), 0);
    for (const at of [eureka.url, registry.url]) await answers(`${at}/eureka/apps/GREETER`, '404');
  });
});
