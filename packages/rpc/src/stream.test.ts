import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentCall, FlotillaError, sleep } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { type HttpBody, HttpHeaders } from '@flotilla/http';
import * as z from 'zod';
import { Fleet, problemOf } from '../test/fleet.ts';
import { contract, error, get, stream } from './contract/index.ts';
import { bind, type Handlers } from './handlers.ts';

const Range = z.object({ from: z.number() });
const numbers = contract(
  { name: 'numbers', version: 1 },
  {
    count: stream({
      in: Range,
      out: z.object({ n: z.number() }),
      errors: { TOO_FAR: error(409, Range) },
      http: get('/numbers'),
    }),
  },
);
type Count = Handlers<typeof numbers>['count'];

async function serving(count: Count, more: Parameters<Fleet['serve']>[1] = {}): Promise<Fleet> {
  const fleet = new Fleet();
  await fleet.serve([bind(numbers, { count })], more);
  return fleet;
}

async function* upToThree({ from }: { from: number }): AsyncGenerator<{ n: number }> {
  for (let n = from; n <= 3; n++) yield { n };
}

/** Reads chunk by chunk, so that a test decides when. */
function reader(body: HttpBody): { next(): Promise<string | undefined>; leave(): Promise<unknown> } {
  assert.ok(body && !(body instanceof Uint8Array));
  const chunks = body[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await chunks.next();
      return done ? undefined : new TextDecoder().decode(value);
    },
    leave: async () => chunks.return?.(),
  };
}

async function collect(elements: AsyncIterable<{ n: number }>): Promise<number[]> {
  const all: number[] = [];
  for await (const { n } of elements) all.push(n);
  return all;
}

describe('a stream by hand', () => {
  it('is one JSON document per line by default', async () => {
    for (const accept of [undefined, '*/*', 'application/x-ndjson', 'application/json', 'text/html']) {
      const fleet = await serving(upToThree);
      const answer = await fleet.ask('/numbers', { query: 'from=2', headers: accept === undefined ? {} : { accept } });
      assert.equal(answer.headers.get('content-type'), 'application/x-ndjson', accept);
      assert.equal(answer.text, '{"n":2}\n{"n":3}\n');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      fleet.assertIdle();
    }
  });

  it('is server-sent events for whoever prefers them', async () => {
    for (const accept of ['text/event-stream', 'application/x-ndjson;q=0.1, text/event-stream']) {
      const fleet = await serving(upToThree);
      const answer = await fleet.ask('/numbers', { query: 'from=2', headers: { accept } });
      assert.equal(answer.headers.get('content-type'), 'text/event-stream', accept);
      assert.equal(answer.text, 'data: {"n":2}\n\ndata: {"n":3}\n\nevent: end\ndata: \n\n');
      fleet.assertIdle();
    }
  });

  it('without elements is empty', async () => {
    const fleet = await serving(upToThree);
    const answer = await fleet.ask('/numbers', { query: 'from=4' });
    assert.deepEqual([answer.status, answer.text], [200, '']);
  });

  it('strips and checks each element', async () => {
    const fleet = await serving(async function* () {
      yield { n: 1, secret: 'x' };
      yield { n: 'secret' as never };
    });
    const answer = await fleet.ask('/numbers', { query: 'from=1' });
    const [first = '', last = ''] = answer.text.split('\n');
    assert.equal(first, '{"n":1}');
    assert.equal(JSON.parse(last)['flotilla:problem'].code, 'INTERNAL');
    assert.doesNotMatch(answer.text, /secret/);
    assert.deepEqual(
      fleet.lines.map(({ message }) => message),
      ['output does not fit its schema'],
    );
  });

  it('that fails before its first element answers with the status of the error', async () => {
    const fleet = await serving(async function* ({ from }, call) {
      if (from > 9) call.fail('TOO_FAR', { from });
      yield { n: from };
    });
    const answer = await fleet.ask('/numbers', { query: 'from=10' });
    assert.deepEqual([answer.status, problemOf(answer).code, problemOf(answer).data], [409, 'TOO_FAR', { from: 10 }]);
    fleet.assertIdle();
  });

  it('that is refused before it begins does too', async () => {
    const fleet = await serving(upToThree);
    assert.deepEqual(problemOf(await fleet.ask('/numbers', { query: 'from=x' })).code, 'INVALID_INPUT');
  });

  const failing: Count = async function* ({ from }, call) {
    yield { n: from };
    call.fail('TOO_FAR', { from }, 'that is all');
  };

  it('that fails later says so on its last line', async () => {
    const answer = await (await serving(failing)).ask('/numbers', { query: 'from=1' });
    const lines = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(lines[0], { n: 1 });
    const { code, status, detail, data } = lines[1]['flotilla:problem'];
    assert.deepEqual([lines.length, code, status, detail, data], [2, 'TOO_FAR', 409, 'that is all', { from: 1 }]);
  });

  it('that fails later says so in an event', async () => {
    const answer = await (await serving(failing)).ask('/numbers', {
      query: 'from=1',
      headers: { accept: 'text/event-stream' },
    });
    assert.match(answer.text, /^data: \{"n":1\}\n\nevent: error\ndata: \{.*"code":"TOO_FAR".*\}\n\n$/);
  });

  it('cannot pretend to have failed', async () => {
    const open = contract({ name: 'open', version: 1 }, { all: stream({ out: z.json() }) });
    const fleet = new Fleet();
    await fleet.serve([
      bind(open, {
        async *all() {
          yield 1;
          yield { 'flotilla:problem': { code: 'TOO_FAR' } };
        },
      }),
    ]);
    const answer = await fleet.ask('/open/v1/all', { method: 'POST' });
    assert.equal(JSON.parse(answer.text.split('\n')[1] ?? '')['flotilla:problem'].code, 'INTERNAL');
  });

  it('whose handler gives no stream is INTERNAL', async () => {
    const fleet = await serving((() => undefined) as never);
    assert.equal(problemOf(await fleet.ask('/numbers', { query: 'from=1' })).code, 'INTERNAL');
    fleet.assertIdle();
  });
});

describe('an idle stream', () => {
  const waiting: Count = async function* ({ from }, call) {
    await sleep(40_000, call);
    yield { n: from };
  };

  it('answers its head without an element, after a moment', async () => {
    const fleet = await serving(waiting);
    const heads: number[] = [];
    void fleet.send('/numbers', { query: 'from=1' }).then(({ status }) => heads.push(status));
    await fleet.clock.advance(249);
    assert.deepEqual(heads, []);
    await fleet.clock.advance(1);
    assert.deepEqual(heads, [200]);
  });

  for (const [accept, beat, element] of [
    ['text/event-stream', ': \n\n', 'data: {"n":1}\n\n'],
    ['application/x-ndjson', '\n', '{"n":1}\n'],
  ] as const) {
    it(`stays alive as ${accept}`, async () => {
      const fleet = await serving(waiting);
      const head = fleet.send('/numbers', { query: 'from=1', headers: { accept } });
      await fleet.clock.advance(250);
      const chunks = reader((await head).body);
      const got: string[] = [];
      void (async () => {
        for (let chunk = await chunks.next(); chunk !== undefined; chunk = await chunks.next())
          got.push(`${fleet.clock.now()} ${chunk}`);
      })();
      await fleet.clock.advance(50_000);
      assert.deepEqual(got.slice(0, 3), [`15250 ${beat}`, `30250 ${beat}`, `40000 ${element}`]);
      fleet.assertIdle();
    });
  }
});

describe('a slow reader', () => {
  it('slows the handler: no element is made that nobody asked for', async () => {
    let made = 0;
    const fleet = await serving(async function* () {
      for (;;) yield { n: ++made };
    });
    const { body } = await fleet.send('/numbers', { query: 'from=1' });
    const chunks = reader(body);
    await settle();
    const ahead = made; // what the buffers of one connection take
    await settle();
    assert.equal(made, ahead);
    assert.ok(ahead < 20_000, `${ahead} elements were made for a reader who asked for none`);
    await chunks.leave();
    await settle();
    fleet.assertIdle();
  });
});

describe('a reader who leaves', () => {
  it('cancels the call and ends the handler', async () => {
    const told: string[] = [];
    const fleet = await serving(async function* ({ from }, call) {
      call.onCancel(({ code }) => void told.push(code));
      try {
        yield { n: from };
        await sleep(60_000, call);
      } finally {
        told.push('cleaned up');
      }
    });
    const { body } = await fleet.send('/numbers', { query: 'from=1' });
    const chunks = reader(body);
    assert.equal(await chunks.next(), '{"n":1}\n');
    await chunks.leave();
    await settle();
    assert.deepEqual(told, ['CANCELLED', 'cleaned up']);
    fleet.assertIdle();
  });

  it('ends a handler that was not asked for its next element', async () => {
    let cleanedUp = false;
    const fleet = await serving(async function* () {
      try {
        for (let n = 0; ; n++) yield { n };
      } finally {
        cleanedUp = true;
      }
    });
    const { body } = await fleet.send('/numbers', { query: 'from=1' });
    await reader(body).leave();
    await settle();
    assert.ok(cleanedUp);
    fleet.assertIdle();
  });
});

describe('a stream through a client', () => {
  it('gives its elements, and a new request for each loop', async () => {
    const fleet = await serving(upToThree);
    const elements = fleet.client(numbers).count({ from: 1 });
    assert.deepEqual(
      [await collect(elements), await collect(elements)],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    );
    fleet.assertIdle();
  });

  it('runs its handler in its call, also after the first element', async () => {
    const calls = new Set<unknown>();
    const fleet = await serving(async function* (_, call) {
      for (let n = 1; n <= 3; n++) {
        calls.add(currentCall() === call);
        yield { n };
      }
    });
    await collect(fleet.client(numbers).count({ from: 1 }));
    assert.deepEqual([...calls], [true]);
  });

  it('throws a declared error after the elements before it', async () => {
    const fleet = await serving(async function* ({ from }, call) {
      yield { n: from };
      call.fail('TOO_FAR', { from });
    });
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const { n } of fleet.client(numbers).count({ from: 5 })) seen.push(n);
    };
    await assert.rejects(loop(), { code: 'TOO_FAR', data: { from: 5 }, httpStatus: 409, fromPeer: true });
    assert.deepEqual(seen, [5]);
    fleet.assertIdle();
  });

  it('throws the error of a stream that did not begin', async () => {
    const fleet = await serving(async function* ({ from }, call) {
      call.fail('TOO_FAR', { from });
      yield { n: from };
    });
    await assert.rejects(collect(fleet.client(numbers).count({ from: 5 })), { code: 'TOO_FAR', data: { from: 5 } });
    fleet.assertIdle();
  });

  it('is cancelled by leaving the loop', async () => {
    let cleanedUp = false;
    const fleet = await serving(async function* () {
      try {
        for (let n = 0; ; n++) yield { n };
      } finally {
        cleanedUp = true;
      }
    });
    for await (const { n } of fleet.client(numbers).count({ from: 1 })) if (n === 2) break;
    await settle();
    assert.ok(cleanedUp);
    fleet.assertIdle();
  });

  it('is cut by a lost connection, and says so', async () => {
    const fleet = await serving(async function* (_, call) {
      yield { n: 1 };
      await sleep(60_000, call);
    });
    const seen: number[] = [];
    const loop = (async () => {
      for await (const { n } of fleet.client(numbers).count({ from: 1 })) seen.push(n);
    })();
    const refused = assert.rejects(loop, { code: 'CONNECTION_LOST' });
    await fleet.clock.advance(1);
    fleet.network.partition('services:80');
    await refused;
    assert.deepEqual(seen, [1]);
    fleet.assertIdle();
  });

  it('may last longer than the time-out of its beginning', async () => {
    const fleet = await serving(async function* (_, call) {
      for (let n = 1; n <= 3; n++) {
        yield { n };
        await sleep(1_000, call);
      }
    });
    const all = collect(fleet.client(numbers, { timeoutMs: 300 }).count({ from: 1 }));
    await fleet.clock.advance(5_000);
    assert.deepEqual(await all, [1, 2, 3]);
    fleet.assertIdle();
  });

  it('that does not begin in time is given up', async () => {
    const fleet = await serving(
      async function* (_, call) {
        await sleep(1_000, call);
        yield { n: 1 };
      },
      { headWaitMs: 10_000 },
    );
    const all = collect(fleet.client(numbers, { timeoutMs: 300 }).count({ from: 1 }));
    const refused = assert.rejects(all, {
      code: 'DEADLINE_EXCEEDED',
      message: /did not begin its answer within 300 ms/,
    });
    await fleet.clock.advance(300);
    await refused;
    await fleet.clock.advance(1);
    fleet.assertIdle();
  });

  it('ends with the deadline of its caller', async () => {
    const fleet = await serving(async function* (_, call) {
      for (let n = 1; ; n++) {
        yield { n };
        await sleep(100, call);
      }
    });
    const all = collect(fleet.client(numbers).count({ from: 1 }, fleet.call(450)));
    const refused = assert.rejects(
      all,
      (thrown) => thrown instanceof FlotillaError && ['DEADLINE_EXCEEDED', 'CONNECTION_LOST'].includes(thrown.code),
    );
    await fleet.clock.advance(500);
    await refused;
    fleet.assertIdle();
  });

  it('refuses an input that cannot be sent at once, not at the first element', async () => {
    const fleet = await serving(upToThree);
    assert.throws(() => fleet.client(numbers).count({ from: Number.NaN }), { code: 'INVALID_INPUT' });
  });
});

describe('a stream of a callee that is not ours', () => {
  const answering = async (type: string, text: string): Promise<Fleet> => {
    const fleet = new Fleet();
    const headers = new HttpHeaders([['content-type', type]]);
    const body = new TextEncoder().encode(text);
    await fleet.network.listen({ host: 'services', port: 80 }, async () => ({ status: 200, headers, body }));
    return fleet;
  };
  const elements = (fleet: Fleet): Promise<number[]> => collect(fleet.client(numbers).count({ from: 1 }));

  it('is read as server-sent events too', async () => {
    const fleet = await answering('text/event-stream; charset=utf-8', ': hi\n\ndata: {"n":1}\n\nevent: end\ndata:\n\n');
    assert.deepEqual(await elements(fleet), [1]);
  });

  const rows: Record<string, readonly [type: string, text: string, error: { code: string; message?: RegExp }]> = {
    'events that stop before the end': ['text/event-stream', 'data: {"n":1}\n\n', { code: 'CONNECTION_LOST' }],
    'an error event': [
      'text/event-stream',
      'event: error\ndata: {"code":"TOO_FAR","status":409}\n\n',
      { code: 'TOO_FAR' },
    ],
    'an undeclared error': [
      'application/x-ndjson',
      '{"flotilla:problem":{"code":"NEW"}}\n',
      { code: 'BAD_RESPONSE', message: /"NEW" that its contract does not declare/ },
    ],
    'an error that is none': [
      'application/x-ndjson',
      '{"flotilla:problem":7}\n',
      { code: 'BAD_RESPONSE', message: /no problem document/ },
    ],
    'a line that is no JSON': [
      'application/x-ndjson',
      '{"n":1}\n{"n"\n',
      { code: 'BAD_RESPONSE', message: /not understood/ },
    ],
    'another media type': [
      'application/json',
      '[]',
      { code: 'BAD_RESPONSE', message: /a stream of type "application\/json"/ },
    ],
  };
  for (const [claim, [type, text, expected]] of Object.entries(rows)) {
    it(`${claim} is ${expected.code}`, async () => {
      const fleet = await answering(type, text);
      await assert.rejects(elements(fleet), expected);
      fleet.assertIdle();
    });
  }
});
