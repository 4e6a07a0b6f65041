import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentCall, FlotillaError } from '@flotilla/core';
import { HttpHeaders } from '@flotilla/http';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { pipe } from 'valibot';
import * as z from 'zod';
import { Fleet, problemOf } from '../../test/fleet.ts';
import { command, contract, error, get, post, query, type Schema } from '../contract/index.ts';
import { bind } from '../handlers.ts';
import { contractHandler } from './contract-handler.ts';
import { contractHandlerDefaults } from './options.ts';

it('a number that cannot be used is refused', () => {
  for (const options of [{ maxBodyBytes: -1 }, { heartbeatMs: 0 }, { headWaitMs: Number.NaN }]) {
    const [name = ''] = Object.keys(options);
    assert.throws(
      () => contractHandler([], options),
      (thrown) => thrown instanceof RangeError && thrown.message.startsWith(name),
    );
  }
});

it('the defaults', () => {
  assert.deepEqual(contractHandlerDefaults, { maxBodyBytes: 1_048_576, heartbeatMs: 15_000, headWaitMs: 250 });
});

interface Search {
  readonly shelf: string;
  readonly page?: number | undefined;
  readonly tags: readonly string[];
}

interface Found {
  readonly shelf: string;
  readonly page: number;
  readonly tags: readonly string[];
}

const isText = (value: unknown): boolean => typeof value === 'string';

/** Written by hand: checks, strips, and gives no JSON Schema. */
const searchByHand: StandardSchemaV1<Search, Search> = {
  '~standard': {
    version: 1,
    vendor: 'hand',
    // Asynchronous on purpose: the standard allows it.
    async validate(value) {
      const { shelf, page, tags } = value as Record<string, unknown>;
      const issues = [];
      if (!isText(shelf)) issues.push({ message: 'a text is expected', path: ['shelf'] });
      if (page !== undefined && !Number.isInteger(page))
        issues.push({ message: 'an integer is expected', path: [{ key: 'page' }] });
      if (!Array.isArray(tags) || !tags.every(isText)) issues.push({ message: 'texts are expected', path: ['tags'] });
      return issues.length > 0 ? { issues } : { value: { shelf, page, tags } as Search };
    },
  },
};

const foundByHand: StandardSchemaV1<Found, Found> = {
  '~standard': {
    version: 1,
    vendor: 'hand',
    validate(value) {
      const { shelf, page, tags } = value as Found;
      return { value: { shelf, page, tags } };
    },
  },
};

/** One contract, three validators. */
const validators = {
  zod: {
    in: z.object({ shelf: z.string(), page: z.number().int().optional(), tags: z.array(z.string()) }),
    out: z.object({ shelf: z.string(), page: z.number(), tags: z.array(z.string()) }),
  },
  valibot: {
    in: toStandardJsonSchema(
      v.object({ shelf: v.string(), page: v.optional(pipe(v.number(), v.integer())), tags: v.array(v.string()) }),
    ),
    out: v.object({ shelf: v.string(), page: v.number(), tags: v.array(v.string()) }),
  },
  'a validator written by hand': {
    in: searchByHand,
    out: foundByHand,
    coerce: { shelf: 'string', page: 'integer', tags: 'string[]' },
  },
} as const;

for (const [vendor, { in: input, out, ...more }] of Object.entries(validators)) {
  describe(`a contract in ${vendor}`, () => {
    const library = contract(
      { name: 'library', version: 1 },
      {
        search: query({
          in: input as typeof searchByHand,
          out: out as typeof foundByHand,
          http: get('/shelves/{shelf}'),
          ...more,
        }),
      },
    );
    const serve = async (): Promise<Fleet> => {
      const fleet = new Fleet();
      const search = ({ shelf, page = 1, tags }: Search): Found => ({ shelf, page, tags, secret: 'stripped' }) as Found;
      await fleet.serve([bind(library, { search })]);
      return fleet;
    };

    it('reads path and query, coerces, and strips what it returns', async () => {
      const fleet = await serve();
      const answer = await fleet.ask('/shelves/new%20ones', { query: 'page=2&tags=a&tags=b' });
      assert.deepEqual([answer.status, answer.json], [200, { shelf: 'new ones', page: 2, tags: ['a', 'b'] }]);
      fleet.assertIdle();
    });

    it('refuses what does not fit, naming the field', async () => {
      const fleet = await serve();
      const answer = await fleet.ask('/shelves/a', { query: 'page=two&tags=a' });
      const { code, data, executed } = problemOf(answer);
      assert.deepEqual([answer.status, code, executed], [400, 'INVALID_INPUT', 'no']);
      const { issues } = data as { issues: { path: unknown[]; message: string }[] };
      assert.deepEqual(
        issues.map(({ path }) => path),
        [['page']],
      );
      assert.match(issues[0]?.message ?? '', /integer|number/i);
    });

    it('its client sends and gets what its types say', async () => {
      const fleet = await serve();
      const found = await fleet.client(library).search({ shelf: 'a', tags: [] });
      assert.deepEqual(found, { shelf: 'a', page: 1, tags: [] });
      fleet.assertIdle();
    });
  });
}

const Key = z.object({ id: z.string() });
const items = contract(
  { name: 'items', version: 1 },
  {
    item: query({ in: Key, out: Key, errors: { GONE: error(410), LOST: error(404, Key) }, http: get('/items/{id}') }),
    add: command({ in: z.object({ id: z.string(), count: z.number() }), out: Key, http: post('/items', 201) }),
    clear: command({}),
  },
);
type ItemHandler = Parameters<typeof bind<typeof items>>[1]['item'];

async function serving(item: ItemHandler, more: Parameters<Fleet['serve']>[1] = {}): Promise<Fleet> {
  const fleet = new Fleet();
  await fleet.serve([bind(items, { item, add: ({ id }) => ({ id }), clear: () => {} })], more);
  return fleet;
}

const echo: ItemHandler = ({ id }) => ({ id });

describe('an address', () => {
  it('that is not served is NO_ROUTE', async () => {
    const answer = await (await serving(echo)).ask('/item/1');
    assert.deepEqual([answer.status, problemOf(answer).code], [404, 'NO_ROUTE']);
    assert.match(problemOf(answer).detail, /GET \/item\/1/);
  });

  it('that takes other methods is METHOD_NOT_ALLOWED and names them', async () => {
    const answer = await (await serving(echo)).ask('/items/1', { method: 'DELETE' });
    assert.deepEqual([answer.status, problemOf(answer).code], [405, 'METHOD_NOT_ALLOWED']);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD, OPTIONS');
  });

  it('tells its methods when asked', async () => {
    const answer = await (await serving(echo)).ask('/items', { method: 'OPTIONS' });
    assert.deepEqual([answer.status, answer.headers.get('allow'), answer.text], [204, 'OPTIONS, POST', '']);
  });

  it('of a GET answers HEAD with the same fields and no body', async () => {
    const fleet = await serving(echo);
    const [head, whole] = [await fleet.ask('/items/1', { method: 'HEAD' }), await fleet.ask('/items/1')].map(
      ({ status, headers, text }) => ({
        status,
        type: headers.get('content-type'),
        length: headers.get('content-length'),
        text,
      }),
    );
    assert.deepEqual(head, { ...whole, text: '' });
    assert.equal(whole?.length, '10');
  });

  it('of another kind is served beside the contracts', async () => {
    const page = {
      path: '/pages/{name}',
      methods: ['GET'],
      value: async () => ({ status: 200, headers: new HttpHeaders(), body: undefined }),
    };
    const fleet = await serving(echo, { extraRoutes: [page] });
    assert.equal((await fleet.ask('/pages/a')).status, 200);
    assert.equal((await fleet.ask('/items/a')).status, 200);
  });
});

describe('bad input', () => {
  const rows: Record<
    string,
    readonly [path: string, ask: Parameters<Fleet['ask']>[1], status: number, code: string, detail: RegExp]
  > = {
    'no JSON': ['/items', { body: '{"id":' }, 400, 'MALFORMED_REQUEST', /character 7/],
    'bytes that are no UTF-8 JSON': ['/items', { body: '\u0000' }, 400, 'MALFORMED_REQUEST', /cannot be read/],
    'a wrong type': [
      '/items',
      { body: { id: 1, count: 1 } },
      400,
      'INVALID_INPUT',
      /items\.add does not take this: "id"/,
    ],
    'several wrong fields': ['/items', { body: {} }, 400, 'INVALID_INPUT', /\(and 1 more\)/],
    'a list instead of an object': ['/items', { body: [] }, 400, 'INVALID_INPUT', /expected object/],
    'no body': ['/items', { method: 'POST' }, 400, 'INVALID_INPUT', /expected object/],
    'a form': [
      '/items',
      { body: 'id=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /send content-type: application\/json, got "application\/x-www/,
    ],
    'another charset': [
      '/items',
      { body: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /UTF-8/,
    ],
    'a body over the limit': [
      '/items',
      { body: { id: 'x'.repeat(300), count: 1 } },
      413,
      'BODY_TOO_LARGE',
      /200 bytes/,
    ],
    'a member that changes prototypes': [
      '/items',
      { body: '{"__proto__":{"id":"1"},"count":1}' },
      400,
      'MALFORMED_REQUEST',
      /__proto__/,
    ],
    'a prototype in the query': [
      '/items/1',
      { query: '__proto__=x' },
      400,
      'INVALID_INPUT',
      /"__proto__": no field may have this name/,
    ],
    'a constructor in the query': [
      '/items/1',
      { query: 'constructor=x' },
      400,
      'INVALID_INPUT',
      /"constructor": no field/,
    ],
    'a path field in the query too': [
      '/items/1',
      { query: 'id=2' },
      400,
      'INVALID_INPUT',
      /"id": belongs in the path, not in the query/,
    ],
    'a huge query': ['/items/1', { query: 'a=b&'.repeat(1_001) }, 400, 'INVALID_INPUT', /more than 1000 values/],
  };
  for (const [claim, [path, ask, status, code, detail]] of Object.entries(rows)) {
    it(`${claim} is ${code}`, async () => {
      const fleet = await serving(echo, { maxBodyBytes: 200 });
      const answer = await fleet.ask(path, ask);
      assert.deepEqual([answer.status, problemOf(answer).code], [status, code], answer.text);
      assert.match(problemOf(answer).detail, detail);
      assert.equal((await fleet.ask('/items/1')).status, 200, 'it goes on serving');
      assert.deepEqual(fleet.lines, [], 'a caller cannot fill the log');
      fleet.assertIdle();
    });
  }

  it('a hundred wrong fields are answered with twenty issues', async () => {
    const many = contract({ name: 'many', version: 1 }, { put: command({ in: z.array(z.number()) }) });
    const fleet = new Fleet();
    await fleet.serve([bind(many, { put: () => {} })]);
    const { data } = problemOf(await fleet.ask('/many/v1/put', { body: Array.from({ length: 100 }, () => 'x') }));
    assert.equal((data as { issues: unknown[] }).issues.length, 20);
  });

  it('a query of an operation without input is ignored', async () => {
    assert.equal((await (await serving(echo)).ask('/items/v1/clear', { method: 'POST', query: 'a=b' })).status, 204);
  });
});

describe('a handler', () => {
  it('gets the parsed input, in the call of the request', async () => {
    const seen: unknown[] = [];
    const fleet = await serving((input, call) => {
      seen.push(input, call === currentCall(), call.idempotencyKey);
      return input;
    });
    await fleet.ask('/items/7', { query: 'more=1', headers: { 'idempotency-key': 'k' } });
    assert.deepEqual(seen, [{ id: '7' }, true, 'k']);
  });

  const failures: Record<
    string,
    readonly [item: ItemHandler, status: number, code: string, executed: string, logged: number]
  > = {
    'that answers a declared error': [(_, call) => call.fail('GONE'), 410, 'GONE', 'yes', 0],
    'that throws a declared error by hand': [
      () => {
        throw new FlotillaError('LOST', 'x', { data: { id: '1' } });
      },
      404,
      'LOST',
      'yes',
      0,
    ],
    'that answers data of another shape': [
      (_, call) => call.fail('LOST', { sku: '1' } as never),
      500,
      'INTERNAL',
      'unknown',
      1,
    ],
    'that answers an undeclared error': [
      (_, call) => (call.fail as (code: string) => never)('TOO_LATE'),
      500,
      'INTERNAL',
      'unknown',
      1,
    ],
    'that throws an undeclared error': [
      () => {
        throw new FlotillaError('TOO_LATE', 'x');
      },
      500,
      'INTERNAL',
      'unknown',
      1,
    ],
    'that throws anything': [
      () => {
        throw new TypeError('secret path /etc');
      },
      500,
      'INTERNAL',
      'unknown',
      1,
    ],
    'that throws no error at all': [
      () => {
        throw 'text';
      },
      500,
      'INTERNAL',
      'unknown',
      1,
    ],
    'that rejects': [() => Promise.reject(new Error('secret')), 500, 'INTERNAL', 'unknown', 1],
    'that finds no instance to call': [
      () => {
        throw new FlotillaError('NO_INSTANCE', 'no instance of "x"');
      },
      503,
      'NO_INSTANCE',
      'unknown',
      0,
    ],
    'that refuses': [
      () => {
        throw new FlotillaError('FORBIDDEN', 'not yours');
      },
      403,
      'FORBIDDEN',
      'unknown',
      0,
    ],
    "that lets a peer's unavailability through": [
      () => {
        throw new FlotillaError('UNAVAILABLE', 'secret', { fromPeer: true });
      },
      503,
      'UNAVAILABLE',
      'unknown',
      0,
    ],
    "that lets a peer's deadline through": [
      () => {
        throw new FlotillaError('DEADLINE_EXCEEDED', 'secret', { fromPeer: true });
      },
      504,
      'DEADLINE_EXCEEDED',
      'unknown',
      0,
    ],
    "that lets a peer's refusal through": [
      () => {
        throw new FlotillaError('FORBIDDEN', 'secret', { fromPeer: true });
      },
      500,
      'INTERNAL',
      'unknown',
      1,
    ],
    "that lets a peer's error with a declared code through": [
      () => {
        throw new FlotillaError('GONE', 'secret', { fromPeer: true });
      },
      500,
      'INTERNAL',
      'unknown',
      1,
    ],
    'whose file is broken': [
      () => {
        throw new FlotillaError('STORE_FAILED', 'secret path');
      },
      500,
      'INTERNAL',
      'unknown',
      1,
    ],
    'that returns another shape': [() => ({ sku: 'secret' }) as never, 500, 'INTERNAL', 'unknown', 1],
    'that returns nothing': [() => undefined as never, 500, 'INTERNAL', 'unknown', 1],
  };
  for (const [claim, [item, status, code, executed, logged]] of Object.entries(failures)) {
    it(`${claim} is ${code}`, async () => {
      const fleet = await serving(item);
      const answer = await fleet.ask('/items/1');
      const problem = problemOf(answer);
      assert.deepEqual([answer.status, problem.code, problem.executed], [status, code, executed], answer.text);
      assert.doesNotMatch(answer.text, /secret|TypeError|at .*\.ts/, 'nothing from inside goes out');
      assert.equal(fleet.lines.length, logged, JSON.stringify(fleet.lines));
      fleet.assertIdle();
    });
  }

  it('that fails is logged with its cause and the trace id that the caller was told', async () => {
    const cause = new TypeError('broken');
    const fleet = await serving(() => Promise.reject(cause));
    const answer = await fleet.ask('/items/1');
    const [line] = fleet.lines;
    assert.equal(line?.level, 'error');
    assert.deepEqual([line?.fields['operation'], line?.fields['cause']], ['items.item', cause]);
    assert.equal(line?.fields['traceId'], (answer.json as { traceId: string }).traceId);
  });

  it('that returns another shape is logged with the place, not with the value', async () => {
    const fleet = await serving(() => ({ id: 7 }) as never);
    await fleet.ask('/items/1');
    assert.deepEqual(
      fleet.lines.flatMap(({ fields }) => fields['issues'] as { path: unknown }[]).map(({ path }) => path),
      [['id']],
    );
  });

  it('that looks at no deadline is answered for at its deadline', async () => {
    const fleet = await serving(() => new Promise(() => {}));
    const answer = fleet.ask('/items/1', { timeoutMs: 200 });
    await fleet.clock.advance(200); // the callee is told 10 ms less, so that its answer comes in time
    assert.deepEqual([(await answer).status, problemOf(await answer).code], [504, 'DEADLINE_EXCEEDED']);
    fleet.assertIdle();
  });

  it('is cancelled when its caller goes away', async () => {
    let reason: string | undefined;
    const fleet = await serving((input, call) => {
      call.onCancel(({ code }) => {
        reason = code;
      });
      return new Promise(() => void input);
    });
    const call = fleet.call();
    const answer = fleet.send('/items/1', {}, call);
    await fleet.clock.advance(1);
    call.cancel();
    await assert.rejects(answer, { code: 'CANCELLED' });
    await fleet.clock.advance(1);
    assert.equal(reason, 'CANCELLED');
    fleet.assertIdle();
  });

  it('keeps its this', async () => {
    const fleet = new Fleet();
    const handlers = {
      prefix: 'p-',
      item({ id }: { id: string }): { id: string } {
        return { id: handlers.prefix + id };
      },
    };
    const single = contract(
      { name: 'single', version: 1 },
      { item: query({ in: Key, out: Key, http: get('/single/{id}') }) },
    );
    const bound = { item: handlers.item };
    await fleet.serve([bind(single, bound)]);
    assert.deepEqual((await fleet.ask('/single/1')).json, { id: 'p-1' });
  });
});

describe('a schema that throws', () => {
  const throwing: Schema = {
    '~standard': {
      version: 1,
      vendor: 'hand',
      validate: () => {
        throw new Error('secret');
      },
    },
  };
  const broken = contract({ name: 'broken', version: 1 }, { put: command({ in: throwing }) });

  it('is INTERNAL, and logged', async () => {
    const fleet = new Fleet();
    await fleet.serve([bind(broken, { put: () => {} })]);
    const answer = await fleet.ask('/broken/v1/put', { body: {} });
    assert.deepEqual([answer.status, problemOf(answer).code, fleet.lines.length], [500, 'INTERNAL', 1]);
    assert.doesNotMatch(answer.text, /secret/);
  });
});

describe('bindings that cannot be served are refused when the server is built', () => {
  const one = contract({ name: 'one', version: 1 }, { get: query({ in: Key, http: get('/things/{id}') }) });
  const two = contract(
    { name: 'two', version: 1 },
    { find: query({ in: z.object({ sku: z.string() }), http: get('/things/{sku}') }) },
  );
  const refused = (build: () => unknown, message: RegExp): void => {
    assert.throws(
      build,
      (thrown) => thrown instanceof FlotillaError && thrown.code === 'CONTRACT_INVALID' && message.test(thrown.message),
    );
  };

  it('two operations at one address, by both names', () => {
    refused(
      () => contractHandler([bind(one, { get: () => {} }), bind(two, { find: () => {} })]),
      /one\.get \(version 1\) and two\.find \(version 1\) are both at GET \/things\/\{sku\}/,
    );
  });

  it('one contract twice', () => {
    refused(
      () => contractHandler([bind(one, { get: () => {} }), bind(one, { get: () => {} })]),
      /one\.get .* and one\.get/,
    );
  });

  it('an extra route at the address of an operation', () => {
    const extraRoutes = [
      {
        path: '/things/{id}',
        methods: ['GET'],
        value: async () => ({ status: 200, headers: new HttpHeaders(), body: undefined }),
      },
    ];
    refused(
      () => contractHandler([bind(one, { get: () => {} })], { extraRoutes }),
      /the route GET \/things\/\{id\} can never be reached/,
    );
  });

  it('a missing handler', () =>
    refused(() => contractHandler([bind(one, {} as never)]), /"one" is served without a handler for get/));

  it('a handler too many, with the name that was meant', () => {
    refused(
      () => contractHandler([bind(items, { item: echo, add: echo, clear: () => {}, itm: echo } as never)]),
      /no operation "itm"; did you mean "item"\?/,
    );
  });
});
