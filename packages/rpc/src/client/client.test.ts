import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Call, FlotillaError, idempotentAttribute, runInCall } from '@flotilla/core';
import { type HttpHandler, HttpHeaders, type HttpResponse } from '@flotilla/http';
import * as z from 'zod';
import { Fleet } from '../../test/fleet.ts';
import { command, contract, error, get, notify, post, query, stream } from '../contract/index.ts';
import { bind, type Handlers } from '../handlers.ts';
import { type OperationInfo, operationAttribute } from '../operation-attribute.ts';
import { safe } from '../reply.ts';
import { createClient } from './client.ts';
import { httpCalls, httpCallsDefaults } from './http/http-calls.ts';

const Key = z.object({ id: z.string() });
const shop = contract(
  { name: 'shop', version: 4 },
  {
    item: query({ in: Key, out: Key, errors: { GONE: error(410, Key) }, http: get('/items/{id}') }),
    order: command({ in: z.object({ count: z.number().default(1) }), out: z.object({ key: z.string() }) }),
    again: command({ in: Key, out: z.object({ key: z.string() }), idempotent: true }),
    seen: notify({ in: Key }),
    login: command({
      in: Key,
      out: z.object({
        id: z.string(),
        revision: z.number(),
        session: z.string(),
        note: z.string().nullable().optional(),
      }),
      http: post('/login', {
        responseHeader: { revision: 'etag', note: 'x-note' },
        setCookie: { session: { name: 'sid' } },
      }),
    }),
    counts: stream({ in: Key, out: z.number() }),
    clear: command({}),
  },
);

const handlers: Handlers<typeof shop> = {
  item: ({ id }, call) => (id === 'gone' ? call.fail('GONE', { id }, 'sold') : { id }),
  order: ({ count }, call) => ({ key: `${count} ${call.idempotencyKey}` }),
  again: (_, call) => ({ key: String(call.idempotencyKey) }),
  seen: () => {},
  login: ({ id }) => ({ id, revision: 7, session: 'a;b="ü"', note: null }),
  async *counts() {
    yield 1;
  },
  clear: () => {},
};

async function serving(more: Partial<Handlers<typeof shop>> = {}): Promise<Fleet> {
  const fleet = new Fleet();
  await fleet.serve([bind(shop, { ...handlers, ...more })]);
  return fleet;
}

/** A callee that is not ours. */
async function answering(answer: HttpHandler): Promise<Fleet> {
  const fleet = new Fleet();
  await fleet.network.listen({ host: 'services', port: 80 }, answer);
  return fleet;
}

function json(status: number, body: unknown, type = 'application/json'): HttpResponse {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
  return { status, headers: new HttpHeaders([['content-type', type]]), body: bytes };
}

it('the defaults', () => assert.deepEqual(httpCallsDefaults, { maxResponseBytes: 10_485_760 }));

describe('a reply', () => {
  it('is the output', async () => {
    const fleet = await serving();
    assert.deepEqual(await fleet.client(shop).item({ id: 'a b' }), { id: 'a b' });
    fleet.assertIdle();
  });

  it('of an operation without output is undefined', async () => {
    const fleet = await serving();
    assert.equal(await fleet.client(shop).clear(), undefined);
    assert.equal(await fleet.client(shop).seen({ id: '1' }), undefined);
    fleet.assertIdle();
  });

  it('puts fields of headers and cookies back, whatever their text', async () => {
    const fleet = await serving();
    const login = await fleet.client(shop).login({ id: '1' });
    assert.deepEqual(login, { id: '1', revision: 7, session: 'a;b="ü"', note: null });
  });

  it('sends the input as the schema takes it: the callee fills defaults', async () => {
    const fleet = await serving();
    assert.deepEqual(await fleet.client(shop).order({}), { key: '1 undefined' });
  });

  it('that is a declared error has its data, for safe() by its code', async () => {
    const fleet = await serving();
    const result = await safe(fleet.client(shop).item({ id: 'gone' }));
    assert.ok(!result.ok && result.error.code === 'GONE');
    assert.deepEqual(result.error.data.id, 'gone');
    const { httpStatus, detail, executed, fromPeer } = result.error;
    assert.deepEqual([httpStatus, detail, executed, fromPeer], [410, 'sold', 'yes', true]);
    fleet.assertIdle();
  });

  it('that is no error is a value for safe()', async () => {
    const fleet = await serving();
    assert.deepEqual(await safe(fleet.client(shop).item({ id: '1' })), { ok: true, value: { id: '1' } });
  });

  it('safe() throws on what is no answer but a mistake of the program', async () => {
    await assert.rejects(safe(Promise.reject(new TypeError('mistake'))), TypeError);
  });
});

describe('a call that a client makes', () => {
  const callOf = async (use: (fleet: Fleet) => Promise<unknown>): Promise<Call> => {
    const fleet = await serving();
    let made: Call | undefined;
    const { endpoint } = fleet;
    const handle = endpoint.handle;
    Object.assign(endpoint, {
      handle: (request: never, call: Call) => {
        made = call;
        return handle(request, call);
      },
    });
    await use(fleet);
    assert.ok(made?.ended);
    return made;
  };

  it('carries its operation for filters', async () => {
    const call = await callOf((fleet) => fleet.client(shop).item({ id: '1' }));
    const info: OperationInfo = {
      contract: 'shop',
      version: 4,
      operation: 'item',
      kind: 'query',
      idempotent: true,
      streamed: false,
    };
    assert.deepEqual(call.get(operationAttribute), info);
  });

  for (const [operation, idempotent, keyed] of [
    ['item', true, false],
    ['order', false, false],
    ['again', true, true],
    ['seen', false, false],
  ] as const) {
    it(`${operation}: idempotent ${idempotent}, ${keyed ? 'with' : 'without'} a key`, async () => {
      const call = await callOf((fleet) => fleet.client(shop)[operation]({ id: '1' } as never));
      assert.deepEqual(
        [call.get(idempotentAttribute), /^[0-9a-f]{32}$/.test(call.idempotencyKey ?? '')],
        [idempotent, keyed],
      );
    });
  }

  it('has the idempotency key that it was given', async () => {
    const fleet = await serving();
    assert.deepEqual(await fleet.client(shop).again({ id: '1' }, undefined, { idempotencyKey: 'mine' }), {
      key: 'mine',
    });
  });

  it('does not pass the key of its parent on: that belongs to another operation', async () => {
    const fleet = await serving();
    const parent = fleet.call().child({ idempotencyKey: 'parent' });
    assert.notEqual((await fleet.client(shop).again({ id: '1' }, parent)).key, 'parent');
  });

  it('is a child of the call that it was given', async () => {
    let parent: Call | undefined;
    const call = await callOf((fleet) => {
      parent = fleet.call(500);
      return fleet.client(shop).item({ id: '1' }, parent);
    });
    assert.equal(call.parent, parent);
    assert.deepEqual([call.trace.traceId, call.deadline], [parent?.trace.traceId, parent?.deadline]);
  });

  it('is a child of the call that the running code works for', async () => {
    let parent: Call | undefined;
    const call = await callOf((fleet) => {
      parent = fleet.call();
      return runInCall(parent, () => fleet.client(shop).item({ id: '1' }));
    });
    assert.equal(call.parent, parent);
  });

  it('begins a trace when there is none', async () => {
    const call = await callOf((fleet) => fleet.client(shop).item({ id: '1' }));
    assert.equal(call.parent, undefined);
  });

  it('ends at the time-out of the call, else of the client', async () => {
    const fleet = await serving({ item: () => new Promise(() => {}) });
    const client = fleet.client(shop, { timeoutMs: 300 });
    const [byClient, byCall] = [client.item({ id: '1' }), client.item({ id: '1' }, undefined, { timeoutMs: 100 })];
    const ended: string[] = [];
    const note = (name: string) => (error: FlotillaError) =>
      void ended.push(`${name} ${error.code} at ${fleet.clock.now()}`);
    void byClient.catch(note('client'));
    void byCall.catch(note('call'));
    await fleet.clock.advance(400);
    // The callee answers 10 ms before the caller gives up.
    assert.deepEqual(ended, ['call DEADLINE_EXCEEDED at 90', 'client DEADLINE_EXCEEDED at 290']);
    fleet.assertIdle();
  });

  it('ends when its parent is cancelled, and the callee learns of it', async () => {
    let told: string | undefined;
    const fleet = await serving({
      item(_, call) {
        call.onCancel(({ code }) => {
          told = code;
        });
        return new Promise(() => {});
      },
    });
    const parent = fleet.call();
    const reply = fleet.client(shop).item({ id: '1' }, parent);
    await fleet.clock.advance(1);
    parent.cancel();
    await assert.rejects(reply, { code: 'CANCELLED' });
    await fleet.clock.advance(1);
    assert.equal(told, 'CANCELLED');
    fleet.assertIdle();
  });
});

describe('an input that cannot be sent is refused here', () => {
  const rows: Record<string, readonly [(fleet: Fleet) => Promise<unknown>, RegExp]> = {
    'a path parameter with a slash': [
      (fleet) => fleet.client(shop).item({ id: 'a/b' }),
      /shop\.item cannot be sent: "id" must be/,
    ],
    'a bigint': [
      (fleet) => fleet.client(shop).order({ count: 1n as never }),
      /shop\.order cannot be sent: it is no JSON/,
    ],
    'an input that is missing': [(fleet) => fleet.client(shop).item(undefined as never), /"input" must be an object/],
  };
  for (const [claim, [send, message]] of Object.entries(rows)) {
    it(claim, async () => {
      const fleet = await serving();
      await assert.rejects(send(fleet), (thrown) => {
        assert.ok(thrown instanceof FlotillaError);
        assert.deepEqual([thrown.code, thrown.executed], ['INVALID_INPUT', 'no']);
        assert.match(thrown.message, message);
        return true;
      });
      fleet.assertIdle();
    });
  }
});

describe('an answer that is not understood is BAD_RESPONSE', () => {
  const rows: Record<string, readonly [HttpResponse, RegExp]> = {
    'no JSON': [json(200, '{"id":'), /shop\.item answered something that is not understood/],
    'a success without a body': [json(200, ''), /no output, but its contract promises one/],
    'an answer over the limit': [json(200, { id: 'x'.repeat(200) }), /more than 100 bytes; see maxResponseBytes/],
    'an undeclared error': [
      json(409, { code: 'TAKEN', detail: 'secret', executed: 'no' }, 'application/problem+json'),
      /shop\.item answered an error "TAKEN" that its contract does not declare/,
    ],
    'a redirection': [{ status: 302, headers: new HttpHeaders([['location', '/']]), body: undefined }, /status 302/],
    'a page': [json(500, '<html>', 'text/html'), /status 500/],
  };
  for (const [claim, [response, message]] of Object.entries(rows)) {
    it(claim, async () => {
      const fleet = await answering(async () => response);
      await assert.rejects(fleet.client(shop, { maxResponseBytes: 100 }).item({ id: '1' }), (thrown) => {
        assert.ok(thrown instanceof FlotillaError);
        assert.deepEqual([thrown.code, thrown.fromPeer], ['BAD_RESPONSE', true], thrown.message);
        assert.match(thrown.message, message);
        return true;
      });
      fleet.assertIdle();
    });
  }
});

describe('a platform error', () => {
  it('of the callee is what it is', async () => {
    const problem = { code: 'RATE_LIMITED', detail: 'slowly', executed: 'no', retryAfterMs: 50 };
    const fleet = await answering(async () => json(429, problem, 'application/problem+json'));
    await assert.rejects(fleet.client(shop).item({ id: '1' }), {
      code: 'RATE_LIMITED',
      executed: 'no',
      retryAfterMs: 50,
      fromPeer: true,
    });
  });

  it('of the way there is what it is', async () => {
    const fleet = new Fleet();
    await assert.rejects(fleet.client(shop).item({ id: '1' }), {
      code: 'CONNECT_FAILED',
      executed: 'no',
      fromPeer: false,
    });
    fleet.assertIdle();
  });

  it('of a broken connection is what it is', async () => {
    const fleet = await serving({ item: () => new Promise(() => {}) });
    const reply = fleet.client(shop).item({ id: '1' });
    const refused = assert.rejects(reply, { code: 'CONNECTION_LOST', executed: 'unknown' });
    await fleet.clock.advance(1);
    fleet.network.partition('services:80');
    await refused;
    fleet.assertIdle();
  });
});

it('a client is a frozen record of functions', () => {
  const fleet = new Fleet();
  const { clock, random } = fleet;
  const client = createClient(shop, httpCalls(fleet.endpoint, { authority: 'x', random }), { clock, random });
  assert.ok(Object.isFrozen(client));
  assert.deepEqual(Object.keys(client), Object.keys(shop.operations));
});
