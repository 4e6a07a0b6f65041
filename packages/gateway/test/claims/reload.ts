import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import {
  answer,
  type EngineUnderTest,
  hasCode,
  nextText,
  type Served,
  streamed,
  Tap,
  text,
  until,
  World,
} from '../support.ts';

export function reloadClaims(engine: () => EngineUnderTest): void {
  describe('a reload', () => {
    it('leaves requests in hand with the routes that they entered, and closes what only those needed', async () => {
      const world = new World(engine());
      const tap = new Tap().put('old');
      const before = await world.serve(async () => answer(200, tap));
      const after = await world.serve(async () => answer(200, 'new'));
      await world.open({ id: 'a', path: '/**', to: before.url });
      const chunks = streamed((await world.send('GET', '/').response).body);
      assert.equal(await nextText(chunks), 'old');
      world.apply({ routes: [{ id: 'a', path: '/**', to: after.url }] });
      assert.equal((await world.ask('GET', '/')).text, 'new');
      assert.deepEqual(world.gateway.upstreams(), [before.url, after.url]);
      tap.put('still old').put();
      assert.equal(await nextText(chunks), 'still old');
      assert.equal(await nextText(chunks), undefined);
      await until(() => world.gateway.upstreams().length === 1, 'the old upstream was not closed');
      assert.deepEqual(world.gateway.upstreams(), [after.url]);
      await until(() => before.listener.connections === 0, 'a connection to the old upstream is left');
      await world.close();
    });

    it('keeps upstreams that both documents name, with their instances and connections', async () => {
      const world = new World(engine());
      const { url, instance } = await world.serve(async () => answer(200));
      world.resolver.set({ service: 'web' }, [instance('w1')]);
      const routes = [
        { id: 'a', path: '/a', to: url },
        { id: 'b', path: '/b', to: 'service://web' },
      ];
      await world.open(...routes);
      for (const path of ['/a', '/b']) await world.ask('GET', path);
      const watches = world.resolver.watches;
      for (let i = 0; i < 5; i++) world.apply({ routes: [...routes, { id: `more${i}`, path: `/more${i}`, to: url }] });
      assert.equal(world.resolver.watches, watches);
      assert.deepEqual(world.gateway.upstreams(), [url, 'service://web']);
      await world.close();
    });

    it('says what it did', async () => {
      const world = new World(engine());
      await world.open({ id: 'a', path: '/a', to: 'service://web' }, { id: 'b', path: '/b', to: 'service://web' });
      world.apply({
        routes: [
          { id: 'b', path: '/bb', to: 'service://web' },
          { id: 'c', path: '/c', to: 'service://web' },
        ],
      });
      const { fields } = world.lines.filter(({ message }) => message === 'routes applied').at(-1) ?? {};
      assert.deepEqual(fields, { version: 2, routes: 2, added: ['c'], changed: ['b'], removed: ['a'] });
      await world.close();
    });

    it('fails no request: 200 of them under load, with bodies open', async () => {
      const world = new World(engine());
      const held: Tap[] = [];
      const serve = (name: string): Promise<Served> =>
        world.serve(async ({ body, path }) => {
          if (path.text !== '/held') return answer(200, `${name}:${await text(body)}`);
          const tap = new Tap().put('begun, ');
          held.push(tap);
          return answer(200, tap);
        });
      const served = [await serve('a'), await serve('b')];
      const [a, b] = served.map(({ url }) => url);
      world.resolver.set(
        { service: 'web' },
        [served[0]?.instance('w1'), served[1]?.instance('w2')].flatMap((one) => one ?? []),
      );
      const documentOf = (turn: number) => ({
        routes: [
          {
            id: 'fixed',
            path: '/fixed/**',
            to: turn % 2 === 0 ? a : b,
            filters: [{ setResponseHeader: { 'x-turn': `${turn}` } }],
          },
          {
            id: 'service',
            path: '/service/**',
            to: 'service://web',
            filters: [{ stripPrefix: 1 }, { setResponseHeader: { 'x-turn': `${turn}` } }],
          },
          ...(turn % 3 === 0 ? [{ id: 'third', path: '/third', to: 'contract://third' }] : []),
          { id: 'held', path: '/held', to: a },
        ],
      });
      await world.openDocument(documentOf(0));
      const open = await Promise.all(Array.from({ length: 5 }, () => world.send('GET', '/held').response));
      let failures = 0;
      let served200 = 0;
      let reloading = true;
      const load = Array.from({ length: 8 }, async (_, worker) => {
        for (let i = 0; reloading; i++) {
          const path = (worker + i) % 2 === 0 ? '/fixed/x' : '/service/x';
          const body = `${worker}.${i}`;
          const got = await world.ask('POST', path, { body }).catch(() => undefined);
          if (got?.status === 200 && got.text.endsWith(`:${body}`)) served200++;
          else failures++;
          await settle();
        }
      });
      for (let turn = 1; turn <= 200; turn++) {
        world.apply(documentOf(turn));
        await new Promise((resolve) => setImmediate(resolve));
        if (turn % 10 === 0) await settle();
      }
      reloading = false;
      await Promise.all(load);
      assert.equal(failures, 0, `${failures} failures, ${served200} served`);
      assert(served200 >= 20, `only ${served200} requests were served`);
      for (const tap of held) tap.put('and whole').put();
      const bodies = await Promise.all(open.map(({ body }) => text(body)));
      assert.deepEqual(
        bodies,
        Array.from({ length: 5 }, () => 'begun, and whole'),
      );
      assert.equal(world.gateway.version, 201);
      await world.close();
    });

    it('lets requests end when the gateway closes, and takes no more', async () => {
      const world = new World(engine());
      const tap = new Tap().put('one');
      const { url } = await world.serve(async () => answer(200, tap));
      await world.open({ id: 'a', path: '/**', to: url });
      const chunks = streamed((await world.send('GET', '/').response).body);
      await nextText(chunks);
      let closed = false;
      const closing = world.gateway.close().then(() => {
        closed = true;
      });
      assert.equal((await world.ask('GET', '/')).status, 503);
      assert.throws(() => world.apply({ routes: [] }), hasCode('UNAVAILABLE'));
      assert.equal(closed, false);
      tap.put();
      assert.equal(await nextText(chunks), undefined);
      await closing;
      await world.close();
    });

    it('that fails leaves the routes before in use', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async () => answer(200, 'as before'));
      await world.open({ id: 'a', path: '/**', to: url });
      const [route] = world.gateway.document.routes;
      assert(route);
      const broken = {
        ...world.gateway.document,
        routes: [
          { ...route, id: 'b' },
          { ...route, id: 'c', paths: ['no pattern'] },
        ],
      };
      assert.throws(
        () => world.gateway.apply(broken),
        (thrown) => thrown instanceof FlotillaError,
      );
      assert.equal(world.gateway.version, 1);
      assert.equal((await world.ask('GET', '/')).text, 'as before');
      assert.deepEqual(world.gateway.upstreams(), [url]);
      assert(world.lines.some(({ message }) => message.startsWith('routes refused')));
      await world.close();
    });
  });
}
