import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import type { Authenticate, GatewayOptions } from '../../src/index.ts';
import { type Answer, answer, type EngineUnderTest, type RequestParts, World, whole } from '../support.ts';

const browser: [string, string][] = [['accept', 'text/html,application/xhtml+xml,*/*;q=0.8']];
const tired: Authenticate = async () => {
  throw new FlotillaError('RATE_LIMITED', 'secret-limit', { retryAfterMs: 3_000 });
};

interface Failure {
  readonly status: number;
  readonly code: string;
  /** What only a developer sees. */
  readonly inside: RegExp;
  ask(world: World, parts: RequestParts): Promise<Answer>;
}

/** Each way in which a gateway answers by itself, with a name of the inside in it. */
const failures: Readonly<Record<string, Failure>> = {
  'no route': {
    status: 404,
    code: 'NO_ROUTE',
    inside: /its path \/secret-path does not match/,
    ask: (world, parts) => world.ask('GET', '/nowhere', parts),
  },
  'another method': {
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    inside: /it takes the methods GET/,
    ask: (world, parts) => world.ask('DELETE', '/secret-path', parts),
  },
  'a body that is too large': {
    status: 413,
    code: 'BODY_TOO_LARGE',
    inside: /maxBodyBytes/,
    ask: (world, parts) => world.ask('POST', '/small', { ...parts, body: 'too large' }),
  },
  'a caller that asks too often': {
    status: 429,
    code: 'RATE_LIMITED',
    inside: /secret-limit/,
    ask: (world, parts) => world.ask('GET', '/limited', parts),
  },
  'a service without an instance': {
    status: 503,
    code: 'NO_INSTANCE',
    inside: /service:\/\/secret-none|the service [\s\S]*secret-none[\s\S]*flotilla ps/,
    ask: (world, parts) => world.ask('GET', '/none', parts),
  },
  'instances that take no connection': {
    status: 503,
    code: 'CONNECT_FAILED',
    inside: /secret-gone[\s\S]*no connection|no connection[\s\S]*secret-gone|nobody listens[\s\S]*secret-gone/,
    ask: (world, parts) => world.ask('GET', '/down/x', parts),
  },
  'an upstream that breaks off': {
    status: 502,
    code: 'CONNECTION_LOST',
    inside: /secret-broken/,
    async ask(world, parts) {
      const asked = whole(world.send('GET', parts.headers ? '/broken/page' : '/broken/problem', parts).response);
      await world.engine.pass(20);
      return asked;
    },
  },
  'an upstream that is silent': {
    status: 504,
    code: 'DEADLINE_EXCEEDED',
    inside: /headTimeoutMs/,
    async ask(world, parts) {
      const asked = whole(world.send('GET', '/silent', parts).response);
      await world.engine.pass(60);
      return asked;
    },
  },
};

export function errorClaims(engine: () => EngineUnderTest): void {
  describe('what is told of', () => {
    for (const [name, failure] of Object.entries(failures)) {
      it(`${name}: an outsider gets a page or a problem without a word of the inside`, async () => {
        for (const options of [{}, { developerErrors: true }]) {
          // With developerErrors too: "shop.example" is no name of the loopback.
          const world = await brokenWorld(engine(), options);
          const page = await failure.ask(world, { headers: browser });
          const problem = await failure.ask(world, {});
          for (const { status, text } of [page, problem]) {
            assert.equal(status, failure.status);
            assert.doesNotMatch(text, /secret|127\.0\.0\.1|service:\/\/|developer/);
          }
          assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
          assert.match(page.text, new RegExp(`<title>${failure.status} .*[0-9a-f]{32}`, 's'));
          assert.equal(JSON.parse(problem.text).code, failure.code);
          assert.match(JSON.parse(problem.text).traceId, /^[0-9a-f]{32}$/);
          await world.close();
        }
      });

      it(`${name}: the developer of this machine gets the reason in both forms`, async () => {
        const world = await brokenWorld(engine(), { developerErrors: true });
        const page = await failure.ask(world, { headers: browser, authority: 'localhost' });
        const problem = await failure.ask(world, { authority: 'localhost' });
        assert.deepEqual([page.status, problem.status], [failure.status, failure.status]);
        assert.match(page.text, failure.inside);
        assert.match(page.text, /What to do next/);
        const { developer, code } = JSON.parse(problem.text);
        assert.equal(code, failure.code);
        assert.match(JSON.stringify(developer), failure.inside);
        assert.ok(developer.next.length > 20);
        await world.close();
      });
    }

    it('is nothing to the developer either, unless the process says so', async () => {
      const world = await brokenWorld(engine(), {});
      for (const headers of [browser, [['x-developer', 'true'] as [string, string]]]) {
        const { text } = await world.ask('GET', '/none', { headers, authority: 'localhost' });
        assert.doesNotMatch(text, /secret|developer/);
      }
      await world.close();
    });

    it('HEAD has the fields of the page and no body', async () => {
      const world = await brokenWorld(engine(), {});
      const head = await world.ask('HEAD', '/nowhere', { headers: browser });
      assert.deepEqual([head.status, head.text], [404, '']);
      assert.match(head.headers.get('content-type') ?? '', /^text\/html/);
      assert.ok(Number(head.headers.get('content-length')) > 500);
      await world.close();
    });

    it('a path with a script in it is a text', async () => {
      const world = await brokenWorld(engine(), { developerErrors: true });
      for (const authority of ['localhost', 'shop.example']) {
        const { text } = await world.ask('GET', '/%3Cscript%3Ealert(1)%3C/script%3E', { headers: browser, authority });
        assert.doesNotMatch(text, /<script|<\/script/i);
      }
      await world.close();
    });

    it('each try is listed, with its instance and how it ended', async () => {
      const world = await brokenWorld(engine(), { developerErrors: true });
      const { developer } = JSON.parse((await world.ask('GET', '/down/x', { authority: 'localhost' })).text);
      for (const { outcome } of developer.attempts) assert.match(outcome, /^CONNECT_FAILED: /);
      assert.deepEqual(
        new Set(developer.attempts.map(({ instance }: Record<string, string>) => instance)),
        new Set(['secret-gone-1', 'secret-gone-2']),
      );
      assert.deepEqual(
        developer.instances.map(({ id, tried }: Record<string, unknown>) => [id, tried]),
        [
          ['secret-gone-1', true],
          ['secret-gone-2', true],
        ],
      );
      await world.close();
    });
  });
}

async function brokenWorld(engine: EngineUnderTest, options: Partial<GatewayOptions>): Promise<World> {
  const world = new World(engine, { authenticate: tired, ...options });
  const gone = await world.serve(async () => answer(200));
  const alsoGone = await world.serve(async () => answer(200));
  await gone.listener.drain(0);
  await alsoGone.listener.drain(0);
  for (const form of ['page', 'problem']) {
    const broken = await world.serve(() => {
      void broken.listener.drain(0);
      return new Promise(() => {});
    });
    world.resolver.set({ service: `secret-broken-${form}` }, [broken.instance(`secret-broken-${form}`)]);
  }
  const silent = await world.serve(() => new Promise(() => {}));
  const fine = await world.serve(async () => answer(200));
  world.resolver.set({ service: 'secret-none' }, []);
  world.resolver.set({ service: 'secret-web' }, [gone.instance('secret-gone-1'), alsoGone.instance('secret-gone-2')]);
  await world.open(
    { id: 'secret-route', path: '/secret-path', methods: ['GET'], to: fine.url },
    { id: 'small', path: '/small', to: fine.url, maxBodyBytes: 3 },
    { id: 'limited', path: '/limited', to: fine.url, auth: 'required' },
    { id: 'none', path: '/none', to: 'service://secret-none' },
    { id: 'down', path: '/down/**', to: 'service://secret-web' },
    { id: 'broken1', path: '/broken/page', to: 'service://secret-broken-page' },
    { id: 'broken2', path: '/broken/problem', to: 'service://secret-broken-problem' },
    { id: 'silent', path: '/silent', to: silent.url, headTimeoutMs: 40 },
  );
  return world;
}
