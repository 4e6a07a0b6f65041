import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answer, type EngineUnderTest, echo, fieldsOf, seenIn, World, whole } from '../support.ts';

export function filterClaims(engine: () => EngineUnderTest): void {
  describe('filters', () => {
    const paths: readonly (readonly [name: string, pattern: string, filter: object, from: string, to: string])[] = [
      ['strips segments', '/**', { stripPrefix: 2 }, '/a/b/c/d', '/c/d'],
      ['strips to the root', '/**', { stripPrefix: 2 }, '/a', '/'],
      ['keeps a trailing slash', '/**', { stripPrefix: 1 }, '/a/b/', '/b/'],
      ['keeps escapes when it strips', '/**', { stripPrefix: 1 }, '/a/%E2%82%AC%3F', '/%E2%82%AC%3F'],
      ['fills a template with the rest', '/shop/{*rest}', { rewritePath: '/api/{*rest}' }, '/shop/a/b/', '/api/a/b/'],
      [
        'fills a template with a segment',
        '/u/{id}/{tab}',
        { rewritePath: '/{tab}/of/{id}' },
        '/u/7/cart',
        '/cart/of/7',
      ],
      [
        'keeps a value inside its segment',
        '/u/{id}',
        { rewritePath: '/user/{id}' },
        '/u/a%3Fb%23c%25',
        '/user/a%3Fb%23c%25',
      ],
      ['writes a fixed path', '/**', { rewritePath: '/fixed' }, '/a/b', '/fixed'],
    ];
    for (const [name, path, filter, from, to] of paths) {
      it(`${name}: ${from} → ${to}`, async () => {
        const world = new World(engine());
        const { url } = await world.serve(echo);
        await world.open({ id: 'a', path, to: url, filters: [filter] });
        const seen = seenIn(await world.ask('GET', from, { query: 'q=1&q=%2F' }));
        assert.equal(seen.path, to);
        assert.equal(seen.query, 'q=1&q=%2F');
        await world.close();
      });
    }

    it('work in the order of the list: the first one meets the request first and the answer last', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async (request, call) => {
        const { headers, body, status } = await echo(request, call);
        headers.append('x-out', 'upstream');
        return { headers, body, status };
      });
      await world.open({
        id: 'a',
        path: '/{*all}',
        to: url,
        filters: [
          { setRequestHeader: { 'x-in': 'first', 'x-gone': 'set before it is removed' } },
          { removeRequestHeader: ['x-gone'] },
          { setRequestHeader: { 'x-in': 'second' } },
          { setResponseHeader: { 'x-out': 'first', 'x-first': 'kept' } },
          { removeResponseHeader: ['x-first'] },
          { setResponseHeader: { 'x-out': 'last' } },
          { stripPrefix: 1 },
          { rewritePath: '/again/{*all}' },
        ],
      });
      const got = await world.ask('GET', '/a/b');
      const seen = seenIn(got);
      assert.deepEqual(fieldsOf(seen, 'x-in'), ['second']);
      assert.deepEqual(fieldsOf(seen, 'x-gone'), []);
      assert.deepEqual(got.headers.getAll('x-out'), ['first']);
      assert.equal(got.headers.get('x-first'), 'kept');
      assert.equal(seen.path, '/again/a/b');
      await world.close();
    });

    it('repeat a request that is safe, with the number of the attempt, until one answers well', async () => {
      const world = new World(engine());
      const attempts: (readonly string[])[] = [];
      const { url } = await world.serve(async ({ headers }) => {
        attempts.push(headers.getAll('flotilla-attempt'));
        return attempts.length < 3 ? answer(503, 'busy') : answer(200, 'well');
      });
      await world.open({ id: 'a', path: '/**', to: url, filters: [{ retry: { attempts: 3 } }] });
      const { response } = world.send('GET', '/');
      await world.engine.pass(1_000);
      assert.equal((await whole(response)).status, 200);
      // The last attempt carries no number: nobody repeats it any more, so layers further in may.
      assert.deepEqual(attempts, [['1'], ['2'], []]);
      await world.close();
    });

    it('pass on the last answer as it is, when no attempt went well', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async () => answer(502, 'its own words', [['x-own', 'field']]));
      await world.open({ id: 'a', path: '/**', to: url, filters: [{ retry: {} }] });
      const { response } = world.send('GET', '/');
      await world.engine.pass(1_000);
      const { status, headers } = await whole(response);
      assert.equal(status, 502);
      assert.equal(headers.get('x-own'), 'field');
      await world.close();
    });

    const once: readonly (readonly [name: string, method: string, body: string | undefined])[] = [
      ['a method that is not listed', 'POST', undefined],
      ['a method that is not listed, though idempotent', 'PUT', undefined],
      ['a body: it is streamed through and gone', 'GET', 'query by body'],
    ];
    for (const [name, method, body] of once) {
      it(`do not repeat ${name}`, async () => {
        const world = new World(engine());
        let asked = 0;
        const { url } = await world.serve(async () => answer(++asked === 1 ? 503 : 200));
        await world.open({ id: 'a', path: '/**', to: url, filters: [{ retry: { attempts: 3 } }] });
        assert.equal((await world.ask(method, '/', body === undefined ? {} : { body })).status, 503);
        assert.equal(asked, 1);
        await world.close();
      });
    }

    it('do not repeat where the upstream asks for a long pause', async () => {
      const world = new World(engine());
      let asked = 0;
      const { url } = await world.serve(async () => {
        asked++;
        return answer(503, '', [['retry-after', '30']]);
      });
      await world.open({ id: 'a', path: '/**', to: url, filters: [{ retry: {} }] });
      const refused = await world.ask('GET', '/');
      assert.equal(refused.headers.get('retry-after'), '30');
      assert.equal(asked, 1);
      await world.close();
    });

    it('try another instance when one refuses connections', async () => {
      const world = new World(engine());
      const dead = await world.serve(echo);
      const alive = await world.serve(echo);
      await dead.listener.drain(0);
      world.resolver.set({ service: 'web' }, [dead.instance('dead'), alive.instance('alive')]);
      await world.open({ id: 'a', path: '/**', to: 'service://web', filters: [{ retry: { attempts: 2 } }] });
      for (let i = 0; i < 5; i++) {
        const { response } = world.send('GET', '/');
        await world.engine.pass(1_000);
        assert.equal((await whole(response)).status, 200);
      }
      await world.close();
    });

    // Long enough that the request has reached its upstream by then, also on a machine that is busy with other things.
    it('bound a request by a timeout, and its upstream hears of it', { timeout: 60_000 }, async () => {
      const world = new World(engine());
      const heard = Promise.withResolvers<void>();
      const { url } = await world.serve(async (_request, call) => {
        call.onCancel(() => heard.resolve());
        await heard.promise;
        return answer(200);
      });
      await world.open({ id: 'a', path: '/**', to: url, filters: [{ timeout: { timeoutMs: 1_000 } }] });
      const { response } = world.send('GET', '/');
      await world.engine.pass(1_100);
      const { status } = await whole(response);
      assert.equal(status, 504);
      await heard.promise;
      await world.close();
    });

    it('bound each attempt when the timeout stands below the retry', async () => {
      const world = new World(engine());
      let asked = 0;
      const { url } = await world.serve(async (request, call) => {
        if (++asked > 1) return echo(request, call);
        await new Promise<void>((resolve) => call.onCancel(() => resolve()));
        return answer(200);
      });
      await world.open({ id: 'a', path: '/a', to: url, filters: [{ retry: {} }, { timeout: { timeoutMs: 40 } }] });
      const { response } = world.send('GET', '/a');
      await world.engine.pass(500);
      assert.equal((await whole(response)).status, 200);
      assert.equal(asked, 2);
      await world.close();
    });
  });
}
