import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, answer, type EngineUnderTest, World } from '../support.ts';

export function routingClaims(engine: () => EngineUnderTest): void {
  describe('routing', () => {
    it('takes a request to the route whose path, host, method, header and query fit', async () => {
      const world = new World(engine());
      const names = ['path', 'host', 'below', 'method', 'header', 'query'] as const;
      const url: Record<string, string> = {};
      for (const name of names) url[name] = (await world.serve(async () => answer(200, name))).url;
      await world.open(
        { id: 'path', path: '/a/**', to: url['path'] },
        { id: 'host', path: '/a/**', hosts: ['shop.example'], to: url['host'] },
        { id: 'below', path: '/a/**', hosts: ['*.shop.example'], to: url['below'] },
        { id: 'method', path: '/a/**', hosts: ['shop.example'], methods: ['PUT'], to: url['method'] },
        { id: 'header', path: '/a/**', headers: { 'x-beta': '1' }, to: url['header'] },
        { id: 'query', path: '/a/**', query: { preview: '*' }, to: url['query'] },
      );
      const other = { authority: 'other.example' };
      assert.equal((await world.ask('GET', '/a/b', other)).text, 'path');
      assert.equal((await world.ask('GET', '/a/b')).text, 'host');
      assert.equal((await world.ask('GET', '/a/b', { authority: 'm.shop.example:8080' })).text, 'below');
      assert.equal((await world.ask('PUT', '/a/b')).text, 'method');
      assert.equal((await world.ask('GET', '/a/b', { ...other, headers: [['x-beta', '1']] })).text, 'header');
      assert.equal((await world.ask('GET', '/a/b', { ...other, headers: [['x-beta', '2']] })).text, 'path');
      assert.equal((await world.ask('GET', '/a/b', { ...other, query: 'x=1&preview=' })).text, 'query');
      await world.close();
    });

    it('prefers the more exact path, and a higher priority over everything', async () => {
      const world = new World(engine());
      const all = await world.serve(async () => answer(200, 'all'));
      const one = await world.serve(async () => answer(200, 'one'));
      const urgent = await world.serve(async () => answer(200, 'urgent'));
      await world.open(
        { id: 'all', path: '/**', to: all.url },
        { id: 'one', path: '/a/b', to: one.url },
        { id: 'urgent', path: '/urgent/**', priority: 1, to: urgent.url },
      );
      assert.equal((await world.ask('GET', '/a/c')).text, 'all');
      assert.equal((await world.ask('GET', '/a/b')).text, 'one');
      assert.equal((await world.ask('GET', '/urgent/b')).text, 'urgent');
      await world.close();
    });

    it('spreads a service over its instances and follows the resolver', async () => {
      const world = new World(engine());
      const a = await world.serve(async () => answer(200, 'a'));
      const b = await world.serve(async () => answer(200, 'b'));
      world.resolver.set({ service: 'web' }, [a.instance('a'), b.instance('b')]);
      await world.open({ id: 'web', path: '/**', to: 'service://web' });
      const answers = await Promise.all(Array.from({ length: 20 }, () => world.ask('GET', '/')));
      assert.deepEqual(new Set(answers.map((one) => one.text)), new Set(['a', 'b']));
      world.resolver.set({ service: 'web' }, [b.instance('b')]);
      for (let i = 0; i < 5; i++) assert.equal((await world.ask('GET', '/')).text, 'b');
      await world.close();
    });

    it('finds whoever serves a contract', async () => {
      const world = new World(engine());
      const catalog = await world.serve(async () => answer(200, 'catalog'));
      world.resolver.set({ contract: 'catalog' }, [catalog.instance('c1', 'products')]);
      await world.open({ id: 'catalog', path: '/**', to: 'contract://catalog' });
      assert.equal((await world.ask('GET', '/')).text, 'catalog');
      await world.close();
    });

    it('reaches an instance below the context path that its metadata names', async () => {
      const world = new World(engine());
      const spring = await world.serve(async ({ path }) => answer(200, path.text));
      const metadata = { 'http.context-path': '/ctx' };
      world.resolver.set({ service: 'spring' }, [{ ...spring.instance('s1', 'spring'), metadata }]);
      await world.open({ id: 'spring', path: '/**', to: 'service://spring' });
      assert.equal((await world.ask('GET', '/orders/7')).text, '/ctx/orders/7');
      await world.close();
    });

    it('answers 404 where no route fits, and tells nothing but that', async () => {
      const world = new World(engine());
      await world.open({ id: 'internal-name', path: '/a', to: 'service://web' });
      const refused = await world.ask('GET', '/b');
      assertProblem(refused, 404, 'NO_ROUTE');
      assert.doesNotMatch(refused.text, /internal-name|web/);
      await world.close();
    });

    it('answers 405 with the methods that are taken', async () => {
      const world = new World(engine());
      await world.open({ id: 'a', path: '/a', methods: ['GET', 'POST'], to: 'service://web' });
      const refused = await world.ask('DELETE', '/a');
      assertProblem(refused, 405, 'METHOD_NOT_ALLOWED');
      assert.equal(refused.headers.get('allow'), 'GET, HEAD, POST');
      await world.close();
    });
  });
}

export function assertProblem({ status, headers, text }: Answer, expected: number, code: string): void {
  assert.equal(status, expected, text);
  assert.equal(headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(text);
  assert.equal(problem.code, code);
  assert(problem.detail === problem.title || code === 'INTERNAL', problem.detail);
  assert.match(problem.traceId, /^[0-9a-f]{32}$/);
  assert.equal(problem.data, undefined);
}
