import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Call, currentCall, FlotillaError, runInCall, sleep } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { prometheusMeter } from '@flotilla/telemetry';
import * as z from 'zod';
import { CallsPair } from '../../../test/calls-pair.ts';
import { Heard } from '../../../test/rsocket-pair.ts';
import {
  type AnyContract,
  bind,
  bytes,
  command,
  contract,
  duplex,
  error,
  get,
  type Handlers,
  notify,
  type ProtectOperation,
  query,
  safe,
  stream,
  upload,
} from '../../index.ts';
import { routingEntry } from '../composite-metadata.ts';
import { rsocketError } from '../frame.ts';
import type { CallServerOptions } from './call-server.ts';
import { type DataCodec, jsonCodec } from './data-codec.ts';

const Key = z.object({ id: z.string() });
const shop = contract(
  { name: 'shop', version: 4 },
  {
    item: query({ in: Key, out: Key, errors: { GONE: error(410, Key) }, http: get('/items/{id}') }),
    order: command({ in: z.object({ count: z.number().default(1) }), out: z.object({ key: z.string() }) }),
    seen: notify({ in: Key }),
    clear: command({}),
    counts: stream({ in: z.object({ to: z.number() }), out: z.number() }),
    sum: upload({ in: z.number(), out: z.number() }),
    double: duplex({ in: z.number(), out: z.number() }),
    picture: query({ in: Key, out: bytes({ type: 'image/png' }) }),
  },
);

const handlers: Handlers<typeof shop> = {
  item: ({ id }, call) => (id === 'gone' ? call.fail('GONE', { id }, 'sold') : { id }),
  order: ({ count }, call) => ({ key: `${count} ${call.idempotencyKey}` }),
  seen: () => {},
  clear: () => {},
  async *counts({ to }) {
    for (let n = 1; n <= to; n++) yield n;
  },
  async sum(numbers) {
    let sum = 0;
    for await (const n of numbers) sum += n;
    return sum;
  },
  async *double(numbers) {
    for await (const n of numbers) yield 2 * n;
  },
  picture: () => new Uint8Array(1),
};

function serving(more: Partial<Handlers<typeof shop>> = {}, ...rest: [object?, object?]): CallsPair {
  return new CallsPair([bind(shop, { ...handlers, ...more })], ...rest);
}

function assertIdle({ pair: { client, server } }: CallsPair): void {
  assert.deepEqual([client.outstanding, server.inFlight], [0, 0]);
}

async function* elementsOf<T>(...elements: T[]): AsyncIterable<T> {
  yield* elements;
}

async function collect<T>(elements: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const element of elements) all.push(element);
  return all;
}

describe('a call over RSocket', () => {
  it('is answered by the output', async () => {
    const pair = serving();
    assert.deepEqual(await pair.client(shop).item({ id: 'a/b ü' }), { id: 'a/b ü' });
    assertIdle(pair);
  });

  it('is answered by what a promise of another make comes to', async () => {
    // biome-ignore lint/suspicious/noThenProperty: query builders answer with such objects
    const builder = { then: (done: (value: { id: string }) => void) => done({ id: 'found' }) };
    const pair = serving({ item: () => builder as unknown as Promise<{ id: string }> });
    assert.deepEqual(await pair.client(shop).item({ id: '1' }), { id: 'found' });
    assertIdle(pair);
  });

  it('of an operation without output is undefined; a notification tells that it was taken', async () => {
    const pair = serving();
    assert.equal(await pair.client(shop).clear(), undefined);
    assert.equal(await pair.client(shop).seen({ id: '1' }), undefined);
    assertIdle(pair);
  });

  it('sends the input as the schema takes it: the callee fills defaults', async () => {
    const pair = serving();
    assert.deepEqual(await pair.client(shop).order({}, undefined, { idempotencyKey: 'k' }), { key: '1 k' });
  });

  it('that fails with a declared error has its data', async () => {
    const pair = serving();
    const result = await safe(pair.client(shop).item({ id: 'gone' }));
    assert.ok(!result.ok && result.error.code === 'GONE');
    const { data, httpStatus, detail, executed, fromPeer } = result.error;
    assert.deepEqual([data, httpStatus, detail, executed, fromPeer], [{ id: 'gone' }, 410, 'sold', 'yes', true]);
    assertIdle(pair);
  });

  it('that is invalid is refused, naming the field, and was certainly not done', async () => {
    const pair = serving({ item: () => assert.fail('the handler ran') });
    await assert.rejects(pair.client(shop).item({ id: 7 } as never), (thrown) => {
      assert.ok(thrown instanceof FlotillaError);
      assert.deepEqual([thrown.code, thrown.executed], ['INVALID_INPUT', 'no']);
      assert.match(thrown.detail, /"id"/);
      return true;
    });
    assertIdle(pair);
  });

  it('whose handler throws is INTERNAL, without a word of why; the reason is logged once', async () => {
    const pair = serving({
      item() {
        throw new Error('password=secret');
      },
    });
    await assert.rejects(pair.client(shop).item({ id: '1' }), (thrown) => {
      assert.ok(thrown instanceof FlotillaError);
      assert.equal(thrown.code, 'INTERNAL');
      assert.doesNotMatch(JSON.stringify(thrown), /secret/);
      return true;
    });
    assert.equal(pair.lines.length, 1);
    assertIdle(pair);
  });

  it('whose output does not fit is INTERNAL', async () => {
    const pair = serving({ item: () => ({ id: 5 }) as never });
    await assert.rejects(pair.client(shop).item({ id: '1' }), { code: 'INTERNAL' });
  });

  it('that was cancelled ends the handler', async () => {
    let told: string | undefined;
    const pair = serving({
      item(_, call) {
        call.onCancel(({ code }) => {
          told = code;
        });
        return new Promise(() => {});
      },
    });
    const parent = pair.call();
    const reply = pair.client(shop).item({ id: '1' }, parent);
    await settle();
    parent.cancel();
    await assert.rejects(reply, { code: 'CANCELLED' });
    await settle();
    assert.equal(told, 'CANCELLED');
    assertIdle(pair);
  });

  it('has less time at each hop, and is over in time', async () => {
    let leftMs = 0;
    const pair = serving({
      item(_, call) {
        leftMs = call.remainingMs;
        return new Promise(() => {});
      },
    });
    const reply = pair.client(shop).item({ id: '1' }, undefined, { timeoutMs: 300 });
    const refused = assert.rejects(reply, { code: 'DEADLINE_EXCEEDED', fromPeer: true });
    await settle();
    assert.equal(leftMs, 290);
    await pair.clock.advance(290);
    await refused;
    assertIdle(pair);
  });

  it('with less than 5 ms left is not sent', async () => {
    const pair = serving({ item: () => assert.fail('the handler ran') });
    const reply = pair.client(shop).item({ id: '1' }, pair.call(4));
    await assert.rejects(reply, { code: 'DEADLINE_EXCEEDED', executed: 'no' });
    assertIdle(pair);
  });

  it('carries trace, tenant and priority, and the handler has them without asking', async () => {
    let seen: Call | undefined;
    const pair = serving({
      item({ id }) {
        seen = currentCall();
        return { id };
      },
    });
    const parent = pair.call().child({ baggage: new Map([['flotilla.tenant', 'acme']]), urgency: 1, attempt: 2 });
    await runInCall(parent, () => pair.client(shop).item({ id: '1' }));
    assert.deepEqual(
      [seen?.trace.traceId, seen?.tenant, seen?.priority, seen?.attempt],
      [parent.trace.traceId, 'acme', 'critical', 2],
    );
  });

  it('that is answered by what is no JSON is BAD_RESPONSE', async () => {
    const pair = new CallsPair([], {}, {
      responder: { requestResponse: (_: unknown, answer: { respond(text: string): void }) => answer.respond('{"id":') },
      server: { accept: () => undefined },
    } as never);
    await assert.rejects(pair.client(shop).item({ id: '1' }), { code: 'BAD_RESPONSE', fromPeer: true });
    await settle();
    assertIdle(pair);
  });

  it('whose connection breaks is CONNECTION_LOST, and may have been done', async () => {
    const pair = serving({ item: () => new Promise(() => {}) });
    const reply = pair.client(shop).item({ id: '1' });
    const lost = assert.rejects(reply, { code: 'CONNECTION_LOST', executed: 'unknown' });
    await settle();
    pair.pair.server.close();
    await lost;
  });

  it('to a callee that drains is refused, and was certainly not done', async () => {
    const pair = serving({ item: ({ id }) => sleep(10, currentCall() as Call).then(() => ({ id })) });
    const first = pair.client(shop).item({ id: '1' });
    await settle();
    pair.pair.server.drain();
    await settle();
    await assert.rejects(pair.client(shop).item({ id: '2' }), { code: 'UNAVAILABLE', executed: 'no' });
    await pair.clock.advance(10);
    assert.deepEqual(await first, { id: '1' });
  });
});

describe('a stream over RSocket', () => {
  it('is its elements', async () => {
    const pair = serving();
    assert.deepEqual(
      await collect(pair.client(shop).counts({ to: 100 })),
      Array.from({ length: 100 }, (_, n) => n + 1),
    );
    assertIdle(pair);
  });

  it('slows its handler down to the pace of its reader', async () => {
    let made = 0;
    const pair = serving({
      async *counts() {
        for (;;) yield ++made;
      },
    });
    const elements = pair.client(shop).counts({ to: 0 })[Symbol.asyncIterator]();
    assert.equal((await elements.next()).value, 1);
    await settle();
    assert.ok(made <= 40, `${made} were made for one that was read`);
    await elements.return?.();
    await settle();
    assertIdle(pair);
  });

  it('that is left ends its handler', async () => {
    const ended = Promise.withResolvers<string | undefined>();
    const pair = serving({
      async *counts(_, call) {
        try {
          for (let n = 1; ; n++) yield n;
        } finally {
          ended.resolve(call.cancelled?.code);
        }
      },
    });
    for await (const n of pair.client(shop).counts({ to: 0 })) if (n === 3) break;
    assert.equal(await ended.promise, 'CANCELLED');
    await settle();
    assertIdle(pair);
  });

  it('that fails on its way fails for its reader, after the elements before', async () => {
    const pair = serving({
      async *counts() {
        yield 1;
        throw new FlotillaError('UNAVAILABLE', 'no more today');
      },
    });
    const got: number[] = [];
    await assert.rejects(
      async () => {
        for await (const n of pair.client(shop).counts({ to: 0 })) got.push(n);
      },
      { code: 'UNAVAILABLE', executed: 'unknown' },
    );
    assert.deepEqual(got, [1]);
    assertIdle(pair);
  });

  it('that is invalid fails at its first element', async () => {
    const pair = serving();
    await assert.rejects(collect(pair.client(shop).counts({ to: 'x' } as never)), { code: 'INVALID_INPUT' });
    assertIdle(pair);
  });

  it('may keep silent for longer than its beginning may take', async () => {
    const pair = serving({
      async *counts(_, call) {
        await sleep(5_000, call);
        yield 1;
      },
    });
    const all = collect(pair.client(shop, { timeoutMs: 1_000 }).counts({ to: 0 }));
    for (let i = 0; i < 60; i++) await pair.clock.advance(100);
    assert.deepEqual(await all, [1]);
    assertIdle(pair);
  });

  it('that does not begin in time is given up', async () => {
    const pair = serving({}, { filters: [() => () => new Promise(() => {})] });
    const refused = assert.rejects(collect(pair.client(shop, { timeoutMs: 1_000 }).counts({ to: 0 })), {
      code: 'DEADLINE_EXCEEDED',
    });
    await settle();
    await pair.clock.advance(1_000);
    await refused;
    await settle();
    assertIdle(pair);
  });
});

describe('elements of the caller over RSocket', () => {
  it('upload: many in, one out', async () => {
    const pair = serving();
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    assert.equal(await pair.client(shop).sum(numbers), 19_900);
    assert.equal(await pair.client(shop).sum([]), 0);
    assert.equal(await pair.client(shop).sum([7]), 7);
    await settle();
    assertIdle(pair);
  });

  it('upload: the handler may answer before it has read all, and the caller stops', async () => {
    let asked = 0;
    const left = Promise.withResolvers<void>();
    const pair = serving({
      async sum(numbers) {
        for await (const n of numbers) return n;
        return 0;
      },
    });
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield ++asked;
      } finally {
        left.resolve();
      }
    }
    assert.equal(await pair.client(shop).sum(endless()), 1);
    await left.promise;
    assert.ok(asked <= 80, `${asked} were asked for`);
    await settle();
    assertIdle(pair);
  });

  it('upload: an element that does not fit is named', async () => {
    const pair = serving();
    await assert.rejects(pair.client(shop).sum([1, 'x' as never]), (thrown) => {
      assert.ok(thrown instanceof FlotillaError && thrown.code === 'INVALID_INPUT');
      assert.match(thrown.detail, /"1"/);
      return true;
    });
    await settle();
    assertIdle(pair);
  });

  it('upload: what the generator throws ends the call here and there', async () => {
    let told: string | undefined;
    const pair = serving({
      async sum(numbers, call) {
        call.onCancel(({ code }) => {
          told = code;
        });
        for await (const _ of numbers);
        return 0;
      },
    });
    async function* breaking(): AsyncGenerator<number> {
      yield 1;
      throw new Error('the sensor is gone');
    }
    await assert.rejects(pair.client(shop).sum(breaking()), { code: 'INTERNAL' });
    await settle();
    assert.equal(told, 'CANCELLED');
    assertIdle(pair);
  });

  it('duplex: answers while it is being sent', async () => {
    const pair = serving();
    const gate = Promise.withResolvers<void>();
    async function* asking(): AsyncGenerator<number> {
      yield 1;
      await gate.promise;
      yield 2;
    }
    const got: number[] = [];
    for await (const n of pair.client(shop).double(asking())) {
      got.push(n);
      gate.resolve();
    }
    assert.deepEqual(got, [2, 4]);
    await settle();
    assertIdle(pair);
  });

  it('duplex: the callee may speak first', async () => {
    const pair = serving({
      async *double(numbers) {
        yield 0;
        for await (const n of numbers) yield 2 * n;
      },
    });
    const gate = Promise.withResolvers<void>();
    async function* listening(): AsyncGenerator<number> {
      await gate.promise;
      yield 5;
    }
    const got: number[] = [];
    const reading = (async () => {
      for await (const n of pair.client(shop).double(listening())) {
        got.push(n);
        gate.resolve();
      }
    })();
    for (let i = 0; i < 10; i++) await pair.clock.advance(10);
    await reading;
    assert.deepEqual(got, [0, 10]);
  });
});

describe('what anybody may ask over RSocket', () => {
  const asked: Record<string, readonly [route: string, data: string, code: number, text: RegExp]> = {
    'an unknown route': [
      'shop.itme',
      '{}',
      rsocketError.REJECTED,
      /no operation is served as "shop\.itme"; did you mean "shop\.item"\?/,
    ],
    'no route': ['', '{}', rsocketError.REJECTED, /names no route/],
    'a stream as one answer': [
      'shop.counts',
      '{}',
      rsocketError.REJECTED,
      /"shop\.counts" takes request-stream, not request-response/,
    ],
    'no JSON': ['shop.item', '{"id":', rsocketError.INVALID, /not JSON/],
    'no UTF-8': ['shop.item', '{"id":"\\ud800', rsocketError.INVALID, /not JSON/],
    'a member that would change a prototype': [
      'shop.item',
      '{"__proto__":{"id":"1"}}',
      rsocketError.INVALID,
      /__proto__/,
    ],
    bytes: ['shop.picture', '{"id":"1"}', rsocketError.REJECTED, /only HTTP carries/],
    'more than the limit': [
      'shop.item',
      JSON.stringify({ id: 'x'.repeat(200) }),
      rsocketError.REJECTED,
      /larger than the limit of 100 bytes/,
    ],
  };
  for (const [claim, [route, data, code, text]] of Object.entries(asked)) {
    it(`${claim} is refused in a sentence`, async () => {
      const pair = new CallsPair([bind(shop, handlers)], { maxBodyBytes: 100 }, {}, false);
      const heard = new Heard();
      pair.pair.client.requestResponse(routingEntry(route), data, heard);
      await settle();
      const [end = ''] = heard.ends;
      assert.match(end, text);
      assert.ok(end.startsWith(`error 0x${code.toString(16)} `), end);
      assertIdle(pair);
    });
  }

  it('a peer that is not ours calls by route alone, and gets a sentence for an error', async () => {
    const pair = new CallsPair([bind(shop, handlers)], {}, {}, false);
    const heard = new Heard();
    pair.pair.client.requestResponse(routingEntry('shop.item'), '{"id":"1"}', heard);
    await settle();
    assert.deepEqual(heard.items, ['{"id":"1"}']);
  });

  it('a notification may be fired and forgotten; whatever is no notification is not done', async () => {
    const seen: string[] = [];
    const taken = { seen: ({ id }: { id: string }) => void seen.push(id), item: () => assert.fail('the handler ran') };
    const pair = new CallsPair([bind(shop, { ...handlers, ...taken })], {}, {}, false);
    pair.pair.client.fireAndForget(routingEntry('shop.seen'), '{"id":"1"}');
    pair.pair.client.fireAndForget(routingEntry('shop.seen'), '{"id":2}');
    pair.pair.client.fireAndForget(routingEntry('shop.item'), '{"id":"3"}');
    await settle();
    assert.deepEqual(seen, ['1']);
    assertIdle(pair);
  });

  it('two versions of a contract are told apart by what the caller says', async () => {
    const of = (version: number): AnyContract =>
      contract({ name: 'shop', version }, { item: query({ out: z.number() }) });
    const [one, two] = [of(1), of(2)];
    const pair = new CallsPair([bind(one, { item: () => 1 } as never), bind(two, { item: () => 2 } as never)]);
    const ask = (known: AnyContract): Promise<unknown> => (pair.client(known)['item'] as () => Promise<unknown>)();
    assert.deepEqual([await ask(one), await ask(two)], [1, 2]);
    await assert.rejects(ask(of(3)), { code: 'NO_ROUTE', executed: 'no' });
  });

  it('a caller with another state of the contract is told in what it differs', async () => {
    const theirs = contract(
      { name: 'shop', version: 4 },
      { order: command({ in: z.object({ amount: z.number(), note: z.string().optional() }) }) },
    );
    const ours = contract(
      { name: 'shop', version: 4 },
      { order: command({ in: z.object({ count: z.number(), note: z.string() }) }) },
    );
    const pair = new CallsPair([bind(ours, { order: () => {} })]);
    await assert.rejects(pair.client(theirs).order({ amount: 1 }), (thrown) => {
      assert.ok(thrown instanceof FlotillaError && thrown.code === 'INVALID_INPUT');
      assert.match(thrown.detail, /"amount" is unknown there, and required here/);
      assert.match(thrown.detail, /"count" is required there, and unknown here/);
      assert.match(thrown.detail, /"note" is required there, and optional here/);
      return true;
    });
  });
});

describe('what protects operations', () => {
  it('stands before each of them, knows its name, and refuses before its handler runs', async () => {
    const asked: string[] = [];
    const protect: ProtectOperation =
      ({ operation, streamed }) =>
      (next) =>
      (request, call) => {
        asked.push(`${operation}${streamed ? ', streamed' : ''}`);
        if (operation !== 'shop.order') return next(request, call);
        return Promise.reject(new FlotillaError('UNAVAILABLE', 'busy', { executed: 'no', retryAfterMs: 70 }));
      };
    const pair = serving({ order: () => assert.fail('it was refused') }, { protect });
    const client = pair.client(shop);
    assert.deepEqual(await client.item({ id: 'a' }), { id: 'a' });
    assert.deepEqual(await collect(client.counts({ to: 2 })), [1, 2]);
    await assert.rejects(client.order({}), { code: 'UNAVAILABLE', executed: 'no', retryAfterMs: 70, fromPeer: true });
    assert.deepEqual(asked, ['shop.item', 'shop.counts, streamed', 'shop.order']);
    assertIdle(pair);
  });

  it('refuses before anything of the input is decoded', async () => {
    let decoded = 0;
    const counting: DataCodec = {
      ...jsonCodec,
      decode(payload) {
        decoded++;
        return jsonCodec.decode(payload);
      },
    };
    const protect: ProtectOperation =
      ({ operation }) =>
      (next) =>
      (request, call) => {
        if (operation === 'shop.item') return next(request, call);
        return Promise.reject(new FlotillaError('UNAVAILABLE', 'busy', { executed: 'no' }));
      };
    const pair = serving({}, { protect, codecs: [counting] });
    const client = pair.client(shop);
    await assert.rejects(client.order({}), { code: 'UNAVAILABLE', executed: 'no' });
    await assert.rejects(client.seen({ id: '1' }), { code: 'UNAVAILABLE', executed: 'no' });
    await assert.rejects(client.sum(elementsOf(1, 2)), { code: 'UNAVAILABLE', executed: 'no' });
    await assert.rejects(collect(client.double(elementsOf(1, 2))), { code: 'UNAVAILABLE', executed: 'no' });
    assert.equal(decoded, 0);
    await client.item({ id: 'let in' });
    assert.equal(decoded, 1);
    assertIdle(pair);
  });

  it('lets a call in later: its input is still what came', async () => {
    const free = Promise.withResolvers<void>();
    const protect: ProtectOperation = () => (next) => async (request, call) => {
      await free.promise;
      return next(request, call);
    };
    const pair = serving({}, { protect });
    const client = pair.client(shop);
    const answers = Promise.all([
      client.item({ id: 'first' }),
      client.item({ id: 'second' }),
      client.sum(elementsOf(1, 2)),
    ]);
    await settle();
    free.resolve();
    assert.deepEqual(await answers, [{ id: 'first' }, { id: 'second' }, 3]);
    assertIdle(pair);
  });
});

describe('what measures the calls of a server', () => {
  it('counts each once, by how it ended, and logs once what no contract declares', async () => {
    const meter = prometheusMeter({ processMetrics: false });
    const filters: CallServerOptions['filters'] = [
      (next) => (request, call) => {
        if (request.served.name === 'shop.clear') throw new TypeError('a filter that throws at once');
        if (request.served.name === 'shop.order') return Promise.reject(new FlotillaError('FORBIDDEN', 'no'));
        return next(request, call);
      },
    ];
    const pair = serving({}, { meter, filters });
    const client = pair.client(shop);
    await client.item({ id: '1' });
    await assert.rejects(client.item({ id: 'gone' }), { code: 'GONE' });
    await assert.rejects(client.order({}), { code: 'FORBIDDEN' });
    await assert.rejects(client.clear(), { code: 'INTERNAL' });
    await collect(client.counts({ to: 2 }));
    const lines = (await meter.render()).split('\n').filter((line) => /_calls_total\{|_in_flight\{/.test(line));
    assert.deepEqual(lines.sort(), [
      'flotilla_server_calls_total{operation="shop.clear",code="INTERNAL"} 1',
      'flotilla_server_calls_total{operation="shop.counts",code="OK"} 1',
      'flotilla_server_calls_total{operation="shop.item",code="GONE"} 1',
      'flotilla_server_calls_total{operation="shop.item",code="OK"} 1',
      'flotilla_server_calls_total{operation="shop.order",code="FORBIDDEN"} 1',
      'flotilla_server_in_flight{operation="shop.clear"} 0',
      'flotilla_server_in_flight{operation="shop.counts"} 0',
      'flotilla_server_in_flight{operation="shop.item"} 0',
      'flotilla_server_in_flight{operation="shop.order"} 0',
    ]);
    assert.deepEqual(
      pair.lines.map(({ message }) => message),
      ['handler failed'],
    );
    assertIdle(pair);
  });
});
