import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answer, type EngineUnderTest, nextText, SocketServer, streamed, Tap, World } from '../support.ts';
import { assertProblem } from './routing.ts';

const route = { id: 'a', path: '/**', to: 'service://web', filters: [{ retry: { attempts: 3 } }] };

export function admissionClaims(engine: () => EngineUnderTest): void {
  describe('what is admitted to a service', () => {
    it('is nothing while its breaker is open, whatever its routes repeat, and requests again when trials went well', async () => {
      const world = new World(engine(), { clients: { '*': { breaker: { minCalls: 4, openMs: 50 } } } });
      let asked = 0;
      let status = 500;
      const web = await world.serve(async () => {
        asked++;
        return answer(status);
      });
      world.resolver.set({ service: 'web' }, [web.instance('w')]);
      await world.open(route);
      for (let i = 0; i < 4; i++) assert.equal((await world.ask('GET', '/')).status, 500);
      const refused = await world.ask('GET', '/');
      assertProblem(refused, 503, 'UNAVAILABLE');
      assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
      assert.equal(asked, 4);
      status = 200;
      while ((await world.ask('GET', '/')).status !== 200) await world.engine.pass(50);
      for (let i = 0; i < 10; i++) assert.equal((await world.ask('GET', '/')).status, 200);
      await world.close();
    });

    it('is everything without a breaker, which a service has only when something is said of it', async () => {
      const world = new World(engine(), { clients: { other: { breaker: { minCalls: 4 } }, web: { breaker: {} } } });
      let asked = 0;
      const web = await world.serve(async () => {
        asked++;
        return answer(500);
      });
      world.resolver.set({ service: 'web' }, [web.instance('w')]);
      await world.open(route);
      for (let i = 0; i < 40; i++) await world.ask('GET', '/');
      assert.equal(asked, 40);
      world.gateway.configure({ web: { breaker: { minCalls: 2 } } });
      for (let i = 0; i < 10; i++) await world.ask('GET', '/');
      assert.equal(asked, 42);
      world.gateway.configure({ web: { breaker: { minCalls: 2, enabled: false } } });
      await world.ask('GET', '/');
      assert.equal(asked, 43);
      await world.close();
    });

    it('is a client\u2019s mistake as often as it likes: only failures of the service open its breaker', async () => {
      const world = new World(engine(), { clients: { web: { breaker: { minCalls: 2 } } } });
      const web = await world.serve(async () => answer(404));
      world.resolver.set({ service: 'web' }, [web.instance('w')]);
      await world.open(route);
      for (let i = 0; i < 20; i++) assert.equal((await world.ask('GET', '/')).status, 404);
      await world.close();
    });

    it('is no more than its bulkhead holds, over all routes, to the last byte of each; WebSockets take no place', async () => {
      const world = new World(engine(), { clients: { web: { bulkhead: { maxConcurrent: 1, maxQueued: 0 } } } });
      const tap = new Tap().put('one');
      const sockets = new SocketServer();
      const web = await world.serve(async (request, call) => {
        if (request.upgrade) return sockets.handler(request, call);
        return request.path.text === '/long' ? answer(200, tap) : answer(200, 'short');
      });
      world.resolver.set({ service: 'web' }, [web.instance('w')]);
      await world.open(route, { id: 'b', path: '/long', to: 'service://web', webSocket: true });
      const socket = await world.socket('/long', new Tap());
      assert.equal(socket.status, 101);
      const long = streamed((await world.send('GET', '/long').response).body);
      assert.equal(await nextText(long), 'one');
      assertProblem(await world.ask('GET', '/short'), 503, 'UNAVAILABLE');
      tap.put();
      assert.equal(await nextText(long), undefined);
      assert.equal((await world.ask('GET', '/short')).status, 200);
      await streamed(socket.body).return?.();
      await world.close();
    });
  });
}
