import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settle } from '@flotilla/core/testing';
import {
  answer,
  type EngineUnderTest,
  echo,
  hasCode,
  nextText,
  seenIn,
  streamed,
  Tap,
  text,
  until,
  World,
  whole,
} from '../support.ts';
import { assertProblem } from './routing.ts';

const chunk = Buffer.alloc(65_536, 'x');

export function bodyClaims(engine: () => EngineUnderTest): void {
  describe('bodies', () => {
    it('flow down as they come: the head and each chunk before the next one exists', async () => {
      const world = new World(engine());
      const tap = new Tap();
      const { url } = await world.serve(async () => answer(200, tap, [['content-type', 'text/event-stream']]));
      await world.open({ id: 'a', path: '/**', to: url });
      const { status, body } = await world.send('GET', '/').response;
      assert.equal(status, 200);
      const chunks = streamed(body);
      for (const piece of ['one', 'two']) {
        tap.put(piece);
        assert.equal(await nextText(chunks), piece);
      }
      tap.put();
      assert.equal(await nextText(chunks), undefined);
      await world.close();
    });

    it('flow up as they come, while the answer is already on its way', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async ({ body }) => answer(200, body));
      await world.open({ id: 'a', path: '/**', to: url });
      const tap = new Tap().put('one');
      const chunks = streamed((await world.send('POST', '/', { body: tap }).response).body);
      assert.equal(await nextText(chunks), 'one');
      tap.put('two');
      assert.equal(await nextText(chunks), 'two');
      tap.put();
      assert.equal(await nextText(chunks), undefined);
      await world.close();
    });

    it('of any bytes and length arrive whole', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async ({ body }) => answer(200, body));
      await world.open({ id: 'a', path: '/**', to: url });
      const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 256));
      for (const length of [0, 1, 65_536, 65_537, 300_000]) {
        const { body } = await world.send('POST', '/', { body: sent.subarray(0, length) }).response;
        const parts: Uint8Array[] = [];
        if (body instanceof Uint8Array) parts.push(body);
        else if (body) for await (const part of body) parts.push(part);
        assert(Buffer.concat(parts).equals(sent.subarray(0, length)), `${length} bytes`);
      }
      await world.close();
    });

    it('wait for a client that does not read: the upstream is slowed down, nothing piles up', async () => {
      const world = new World(engine());
      const total = 2_000;
      let produced = 0;
      async function* flood(): AsyncGenerator<Uint8Array> {
        for (; produced < total; produced++) yield chunk;
      }
      const { url } = await world.serve(async () => answer(200, flood()));
      await world.open({ id: 'a', path: '/**', to: url });
      const { body } = await world.send('GET', '/').response;
      await standsStill(() => produced);
      assert(produced < total / 2, `${produced} of ${total} chunks were taken from the upstream`);
      let bytes = 0;
      if (body && !(body instanceof Uint8Array)) for await (const part of body) bytes += part.length;
      assert.equal(bytes, total * chunk.length);
      await world.close();
    });

    it('wait for an upstream that does not read: the client is slowed down', async () => {
      const world = new World(engine());
      const total = 2_000;
      let produced = 0;
      async function* flood(): AsyncGenerator<Uint8Array> {
        for (; produced < total; produced++) yield chunk;
      }
      const open = Promise.withResolvers<void>();
      const { url } = await world.serve(async () => {
        await open.promise;
        return answer(409, 'never read');
      });
      await world.open({ id: 'a', path: '/**', to: url, maxBodyBytes: total * chunk.length });
      const { response } = world.send('POST', '/', { body: flood() });
      await standsStill(() => produced);
      assert(produced < total / 2, `${produced} of ${total} chunks were taken from the client`);
      open.resolve();
      assert.equal((await whole(response)).status, 409);
      await world.close();
    });

    it('end for the upstream when the client goes away', async () => {
      const world = new World(engine());
      const tap = new Tap().put('one');
      const cancelled = Promise.withResolvers<void>();
      const { url } = await world.serve(async (_request, call) => {
        call.onCancel(() => cancelled.resolve());
        return answer(200, tap);
      });
      await world.open({ id: 'a', path: '/**', to: url });
      const { call, response } = world.send('GET', '/');
      const chunks = streamed((await response).body);
      await nextText(chunks);
      call.cancel();
      await Promise.all([tap.left, cancelled.promise]);
      await world.close();
    });

    it('end for the upstream when the client leaves the answer unread', async () => {
      const world = new World(engine());
      const tap = new Tap().put('one');
      const { url } = await world.serve(async () => answer(200, tap));
      await world.open({ id: 'a', path: '/**', to: url });
      const chunks = streamed((await world.send('GET', '/').response).body);
      await nextText(chunks);
      await chunks.return?.();
      await tap.left;
      await world.close();
    });

    it('that the upstream breaks off break for the client too, and never end as if they were whole', async () => {
      const world = new World(engine());
      const tap = new Tap().put('half');
      const { url } = await world.serve(async () => answer(200, tap));
      await world.open({ id: 'a', path: '/**', to: url });
      const chunks = streamed((await world.send('GET', '/').response).body);
      assert.equal(await nextText(chunks), 'half');
      tap.put(new Error('the disk is gone'));
      await assert.rejects(async () => {
        while ((await nextText(chunks)) !== undefined);
      }, hasCode('CONNECTION_LOST'));
      await world.close();
      const [line] = world.lines.filter(({ message }) => message === 'request');
      assert.equal(line?.fields['outcome'], 'CONNECTION_LOST');
      assert.equal(line?.fields['status'], 200);
    });

    it('that the client breaks off are never complete for the upstream', async () => {
      const world = new World(engine());
      const outcome = Promise.withResolvers<string>();
      const { url } = await world.serve(async ({ body }) => {
        await text(body).then(
          () => outcome.resolve('complete'),
          () => outcome.resolve('broken'),
        );
        return answer(200);
      });
      await world.open({ id: 'a', path: '/**', to: url });
      const tap = new Tap().put('half');
      const { response } = world.send('POST', '/', { body: tap });
      await until(() => world.gateway.inFlight === 1, 'the request did not arrive');
      tap.put(new Error('the client crashed'));
      await assert.rejects(response);
      assert.equal(await outcome.promise, 'broken');
      await world.close();
    });

    it('over the limit by their declared length are refused before the upstream hears of them', async () => {
      const world = new World(engine());
      let asked = 0;
      const { url } = await world.serve(async () => answer(200, `${++asked}`));
      await world.open({ id: 'a', path: '/**', to: url, maxBodyBytes: 10 });
      assertProblem(await world.ask('POST', '/', { body: 'eleven char' }), 413, 'BODY_TOO_LARGE');
      assert.equal((await world.ask('POST', '/', { body: 'ten charac' })).status, 200);
      assert.equal(asked, 1);
      await world.close();
    });

    it('over the limit by their actual length are refused, and the upstream request is aborted', async () => {
      const world = new World(engine());
      const outcome = Promise.withResolvers<string>();
      const { url } = await world.serve(async ({ body }) => {
        await text(body).then(
          (whole) => outcome.resolve(whole),
          () => outcome.resolve('broken'),
        );
        return answer(200);
      });
      await world.open({ id: 'a', path: '/**', to: url, maxBodyBytes: 10 });
      const { response } = world.send('POST', '/', { body: new Tap().put('five!').put('and more') });
      assertProblem(await whole(response), 413, 'BODY_TOO_LARGE');
      assert.equal(await outcome.promise, 'broken');
      await world.close();
    });

    it('need not be read for an answer', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async () => answer(409, 'early'));
      await world.open({ id: 'a', path: '/**', to: url });
      const tap = new Tap().put('one');
      const got = await world.ask('POST', '/', { body: tap });
      assert.deepEqual([got.status, got.text], [409, 'early']);
      await tap.left;
      await world.close();
    });

    it('of HEAD, 204 and 304 stay away, and their fields stay', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async ({ path, method }) => {
        if (path.text === '/head')
          return answer(200, method === 'HEAD' ? undefined : 'body', [
            ['content-length', '4'],
            ['etag', '"1"'],
          ]);
        return answer(Number(path.text.slice(1)), undefined, [['etag', '"1"']]);
      });
      await world.open({ id: 'a', path: '/**', to: url });
      const head = await world.ask('HEAD', '/head');
      assert.deepEqual([head.status, head.text, head.headers.get('etag')], [200, '', '"1"']);
      for (const status of [204, 304]) {
        const got = await world.ask('GET', `/${status}`);
        assert.deepEqual([got.status, got.text, got.headers.get('etag')], [status, '', '"1"']);
      }
      await world.close();
    });

    it('of a GET are forwarded with their length', async () => {
      const world = new World(engine());
      const { url } = await world.serve(echo);
      await world.open({ id: 'a', path: '/**', to: url });
      const seen = seenIn(await world.ask('GET', '/', { body: 'why not' }));
      assert.equal(seen.body, 'why not');
      await world.close();
    });
  });
}

/** Waits until a number has not changed for a good while of turns. */
async function standsStill(count: () => number): Promise<void> {
  for (let last = -1, still = 0; still < 20; ) {
    await settle();
    still = count() === last ? still + 1 : 0;
    last = count();
  }
}
