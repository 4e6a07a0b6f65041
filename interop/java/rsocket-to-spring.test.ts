import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  Call,
  type Instance,
  identity,
  nullLogger,
  nullMeter,
  nullTracer,
  systemClock,
  systemRandom,
} from '@flotilla/core';
import { type AnyContract, bind } from '@flotilla/rpc';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import { type Client, type ConnectedClient, connectClient, fastNetwork, plainTransport } from 'flotilla';
import { type Boot, skip, startRSocketServer } from './programs/java.ts';
import { BooksCallee } from './rsocket/books-callee.ts';
import { books, reader, silent } from './rsocket/contract.ts';

/** A typed client of a Spring server, which no registry lists: its address is all that is known of it. */
function clientOf(port: number): ConnectedClient<typeof books>;
function clientOf<C extends AnyContract>(port: number, called: C): ConnectedClient<C>;
function clientOf(port: number, called: AnyContract = books): ConnectedClient<AnyContract> {
  const instance: Instance = {
    id: `spring:${port}`,
    identity: identity('spring-books'),
    incarnation: 1,
    addresses: [{ protocol: 'rsocket', host: '127.0.0.1', port }],
    contracts: [],
    status: 'up',
    weight: 1,
    revision: 0,
    metadata: {},
    bags: {},
  };
  const ground = { clock: systemClock, random: systemRandom, logger: nullLogger };
  const { network, connector } = fastNetwork(ground);
  return connectClient(
    called,
    { service: 'spring-books', serves: [bind(reader, { prefers: ({ id }) => ({ id, title: 'Ours', pages: 7 }) })] },
    {
      ...ground,
      network,
      fast: rsocketTransport(connector, plainTransport({ ...ground, network }), ground),
      meter: nullMeter,
      tracer: nullTracer,
      resolver: {
        watch(_, update) {
          update({ instances: [instance], warming: false });
          return { close() {} };
        },
      },
    },
  );
}

const start = async (boot: Boot, port?: number, args?: string[]) =>
  BooksCallee.ofSpring(await startRSocketServer(boot, args, port));

for (const boot of ['current', 'next'] as const) {
  describe(`our client of a Spring server (${boot === 'current' ? 'Boot 3.5' : 'Boot 4.0'})`, { skip }, () => {
    let callee: BooksCallee;
    let connected: ConnectedClient<typeof books>;
    let client: Client<typeof books>;
    before(async () => {
      callee = await start(boot);
      connected = clientOf(callee.port);
      client = connected.client;
    });
    after(async () => {
      await connected?.close();
      await callee?.kill();
    });

    const volume = (n: number) => ({ id: `b${n}`, title: `Volume ${n}`, pages: n * 100 });
    const note = (title: string) => ({ id: '1', title, pages: 1 });

    test('one request, one answer, or none', async () => {
      const id = 'B\u00fccher \u{1F4DA}';
      assert.deepEqual(await client.find({ id }), { id, title: `The Book of ${id}`, pages: 321 });
      assert.equal(await client.lose({ id: 'x' }), undefined);
      const from = callee.count;
      assert.equal(await client.note(note('noted')), undefined);
      await callee.told('it was noted', ({ noted }) => noted === 'noted', from);
    });

    test('a request that nobody answers', async () => {
      const told = clientOf(callee.port, silent);
      const from = callee.count;
      assert.equal(await told.client.note(note('fired and forgotten')), undefined);
      await callee.told('it was noted', ({ noted }) => noted === 'fired and forgotten', from);
      await told.client.nobody(note('lost')); // which Spring says to its own log alone
      await told.close();
    });

    test('one request, many answers, as many as are read', async () => {
      assert.deepEqual(
        await Array.fromAsync(client.list({ n: 100 })),
        Array.from({ length: 100 }, (_, i) => volume(i + 1)),
      );
      assert.deepEqual(await Array.fromAsync(client.list({ n: 0 })), []);
    });

    test('who leaves a stream is heard, and the callee has made no more than was asked for', async () => {
      const from = callee.count;
      const seen: unknown[] = [];
      for await (const book of client.endless({ n: 1 })) {
        seen.push(book);
        if (seen.length === 3) break;
      }
      assert.deepEqual(seen, [volume(1), volume(2), volume(3)]);
      await callee.told(
        'the handler was cancelled',
        ({ handler, cancelled }) => handler === 'endless' && cancelled === true,
        from,
      );
      assert.ok(callee.wanted('endless', from) <= 64, `${callee.wanted('endless', from)} were asked for`);
    });

    test('many requests, one answer', async () => {
      assert.deepEqual(await client.sum([{ value: 1 }, { value: 2 }, { value: 39 }]), { total: 42, count: 3 });
      const many = Array.from({ length: 1_000 }, () => ({ value: 1 }));
      assert.deepEqual(await client.sum(many), { total: 1_000, count: 1_000 });
    });

    test('many requests, many answers, either side while the other goes on', async () => {
      const answered = Promise.withResolvers<void>();
      async function* sent() {
        yield note('one');
        await answered.promise; // the second one only follows the first answer
        yield note('two');
      }
      const titles: string[] = [];
      for await (const { title } of client.rename(sent())) {
        titles.push(title);
        answered.resolve();
      }
      assert.deepEqual(titles, ['Renamed one', 'Renamed two']);
    });

    test('a callee that has enough ends what is sent', async () => {
      let left = false;
      async function* sent() {
        try {
          for (let i = 0; ; i++) yield note(`${i}`);
        } finally {
          left = true;
        }
      }
      assert.equal((await Array.fromAsync(client.two(sent()))).length, 2);
      assert.equal(left, true);
    });

    test('a callee that asks back is answered on the same connection', async () => {
      assert.deepEqual(await client.ask({ id: 'back' }), { id: 'back', title: 'Ours', pages: 7 });
    });

    test('errors are told apart, and whether the work was done', async () => {
      await assert.rejects(client.fail({ how: 'rejected' }), { code: 'UNAVAILABLE', executed: 'no', fromPeer: true });
      await assert.rejects(client.fail({ how: 'invalid' }), { code: 'INVALID_INPUT', detail: 'not like this' });
      await assert.rejects(client.fail({ how: 'exception' }), {
        code: 'INTERNAL',
        detail: /boom/,
        executed: 'unknown',
      });
      const torn: unknown[] = [];
      await assert.rejects(
        async () => {
          for await (const book of client.tear({ n: 2 })) torn.push(book);
        },
        { code: 'INTERNAL', detail: /torn after 2/ },
      );
      assert.deepEqual(torn, [volume(1), volume(2)]);
    });

    test('a caller that gives up, or has no time left, is heard by the handler', async () => {
      for (const [id, code] of [
        ['cancelled', 'CANCELLED'],
        ['late', 'DEADLINE_EXCEEDED'],
      ] as const) {
        const from = callee.count;
        const call = new Call({ clock: systemClock, random: systemRandom });
        const waiting = client.wait({ id }, call, id === 'late' ? { timeoutMs: 500 } : {});
        const refused = assert.rejects(waiting, { code });
        await callee.told('the handler has begun', ({ began }) => began === id, from);
        if (id === 'cancelled') call.cancel();
        await refused;
        await callee.told(
          'the handler was cancelled',
          ({ handler, cancelled }) => handler === 'wait' && cancelled === true,
          from,
        );
      }
    });

    test('large requests and answers travel in fragments', async () => {
      await using other = await start(boot, 0, ['--spring.rsocket.server.fragment-size=128B']);
      const own = clientOf(other.port);
      const title = 'long '.repeat(50_000);
      await own.client.note(note(title));
      await other.told('the long title came whole', ({ noted }) => noted === title);
      assert.equal((await own.client.big({ n: 100_000 })).title.length, 100_000);
      await own.close();
    });

    test('calls in hand fail when the server is gone, and later ones find its successor', async () => {
      const first = await start(boot);
      const own = clientOf(first.port);
      const waiting = own.client.wait({ id: 'lost' }, undefined, { timeoutMs: 60_000 });
      const refused = assert.rejects(waiting, { code: 'CONNECTION_LOST', executed: 'unknown' });
      await first.told('the handler has begun', ({ began }) => began === 'lost');
      await first.kill();
      await refused;
      await using _second = await start(boot, first.port);
      assert.equal((await own.client.find({ id: '2' })).pages, 321);
      await own.close();
    });
  });
}
