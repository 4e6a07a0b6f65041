import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { problemResponse } from '@flotilla/http';
import { answer, type EngineUnderTest, echo, hasCode, nextText, streamed, Tap, World, whole } from '../support.ts';
import { assertProblem } from './routing.ts';

export function failureClaims(engine: () => EngineUnderTest): void {
  describe('failures', () => {
    it('of an unknown service are 503, without its name', async () => {
      const world = new World(engine());
      world.resolver.set({ service: 'secret-name' }, []);
      await world.open({ id: 'a', path: '/**', to: 'service://secret-name' });
      const refused = await world.ask('GET', '/');
      assertProblem(refused, 503, 'NO_INSTANCE');
      assert.doesNotMatch(refused.text, /secret-name/);
      await world.close();
      const [line] = world.lines.filter(({ message }) => message === 'request');
      assert.match(String(line?.fields['reason']), /secret-name/, 'the log says it');
    });

    it('to connect are 503, without the address', async () => {
      const world = new World(engine());
      const gone = await world.serve(echo);
      await gone.listener.drain(0);
      await world.open({ id: 'a', path: '/**', to: gone.url });
      const refused = await world.ask('GET', '/');
      assertProblem(refused, 503, 'CONNECT_FAILED');
      assert.doesNotMatch(refused.text, /127\.0\.0\.1|:\d{4}/);
      await world.close();
    });

    it('of an upstream that gives no answer in time are 504, and it hears of it', async () => {
      const world = new World(engine());
      const heard = Promise.withResolvers<void>();
      const { url } = await world.serve(async (_request, call) => {
        call.onCancel(() => heard.resolve());
        await heard.promise;
        return answer(200);
      });
      await world.open({ id: 'a', path: '/**', to: url, headTimeoutMs: 40 });
      const { response } = world.send('GET', '/');
      await world.engine.pass(60);
      assertProblem(await whole(response), 504, 'DEADLINE_EXCEEDED');
      await heard.promise;
      await world.close();
    });

    it('of a body that falls silent break the answer', async () => {
      const world = new World(engine());
      const tap = new Tap().put('one');
      const { url } = await world.serve(async () => answer(200, tap));
      await world.open({ id: 'a', path: '/**', to: url, idleTimeoutMs: 40 });
      const chunks = streamed((await world.send('GET', '/').response).body);
      assert.equal(await nextText(chunks), 'one');
      const rest = assert.rejects(nextText(chunks), hasCode('CONNECTION_LOST'));
      await world.engine.pass(60);
      await rest;
      await tap.left;
      await world.close();
    });

    it('of a handler that throws are its own 500, passed on as it is', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async () => {
        throw new Error('secret text');
      });
      await world.open({ id: 'a', path: '/**', to: url });
      const failed = await world.ask('GET', '/');
      assert.equal(failed.status, 500);
      assert.doesNotMatch(failed.text, /secret text/);
      await world.close();
    });

    it('that an upstream declares pass unchanged, data included', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async (_request, call) =>
        problemResponse(
          new FlotillaError('OUT_OF_STOCK', 'only 2 are left', { httpStatus: 409, data: { left: 2 } }),
          call,
        ),
      );
      await world.open({ id: 'a', path: '/**', to: url });
      const { status, text } = await world.ask('GET', '/');
      const problem = JSON.parse(text);
      assert.deepEqual(
        [status, problem.code, problem.detail, problem.data.left],
        [409, 'OUT_OF_STOCK', 'only 2 are left', 2],
      );
      await world.close();
    });

    it('of a client that leaves before the answer reach the upstream', async () => {
      const world = new World(engine());
      const heard = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      const { url } = await world.serve(async (_request, call) => {
        call.onCancel(() => heard.resolve());
        started.resolve();
        await heard.promise;
        return answer(200);
      });
      await world.open({ id: 'a', path: '/**', to: url });
      const { call, response } = world.send('GET', '/');
      await started.promise;
      call.cancel();
      await assert.rejects(response, hasCode('CANCELLED'));
      await heard.promise;
      await world.close();
      const [line] = world.lines.filter(({ message }) => message === 'request');
      assert.equal(line?.fields['outcome'], 'CANCELLED');
    });

    it('of one instance take it out after a few, and the others serve', async () => {
      const world = new World(engine());
      let failed = 0;
      const bad = await world.serve(async () => answer(500, `${++failed}`));
      const good = await world.serve(async () => answer(200));
      world.resolver.set({ service: 'web' }, [
        bad.instance('bad'),
        ...['g1', 'g2', 'g3'].map((id) => good.instance(id)),
      ]);
      await world.open({ id: 'a', path: '/**', to: 'service://web' });
      for (let i = 0; i < 100; i++) await world.ask('GET', '/');
      assert(failed <= 10, `${failed} of 100 requests went to an instance that answers nothing but 500`);
      await world.close();
    });
  });
}
