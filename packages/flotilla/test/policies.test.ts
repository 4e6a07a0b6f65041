import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '@flotilla/config';
import {
  Call,
  type FlotillaError,
  type Instance,
  identity,
  nullLogger,
  nullMeter,
  nullTracer,
  type Resolver,
  systemClock,
} from '@flotilla/core';
import { seededRandom, unheard } from '@flotilla/core/testing';
import { memoryNetwork } from '@flotilla/http/memory';
import { nullEvents } from '@flotilla/resilience';
import { createHealth } from '@flotilla/telemetry';
import { z } from 'zod';
import { contract, get, query, stream } from '../src/contract.ts';
import { fallbackFilter } from '../src/fallbacks.ts';
import {
  type App,
  configSchemaOf,
  type ServiceConfig,
  type ServiceRuntime,
  service,
  startService,
} from '../src/index.ts';

const stock = contract(
  { name: 'stock', version: 1 },
  { item: query({ out: z.object({ priority: z.string() }), http: get('/item') }) },
);
const pages = contract(
  { name: 'pages', version: 1 },
  { page: query({ out: z.object({ priority: z.string() }), http: get('/page') }) },
);

const random = seededRandom(1);

function runtimeFor(network: ServiceRuntime['network'], resolver: Resolver): ServiceRuntime {
  return {
    clock: systemClock,
    random,
    logger: nullLogger,
    meter: nullMeter,
    tracer: nullTracer,
    network,
    bindOf: (host, port) => ({ host, port }),
    discovery: {
      resolver,
      registrar: {
        register: () => unheard,
      },
      close: async () => {},
    },
    health: createHealth(),
    advertise: (host) => ({ host, reason: 'a test' }),
  };
}

/** A resolver of services whose ports are known by then. */
function ports(known: Readonly<Record<string, number>>): Resolver {
  return {
    watch(target, listener) {
      const name = 'service' in target ? target.service : target.contract;
      const port = known[name ?? ''];
      const served = name === 'stock' ? stock : pages;
      const instance = {
        id: `${name}:${port}`,
        identity: identity(name ?? ''),
        addresses: [{ protocol: 'http', host: '127.0.0.1', port }],
        contracts: [{ name: served.name, version: served.version, hash: '' }],
        status: 'up',
        weight: 1,
        incarnation: 1,
        startedAt: 0,
        revision: 0,
        metadata: {},
        bags: {},
        calls: [],
      } as unknown as Instance;
      listener({ instances: port === undefined ? [] : [instance], warming: false } as never);
      return { close() {} };
    },
  };
}

function configOf<S>(app: App<S>, written: object): ServiceConfig<S> {
  const text = JSON.stringify({ drainNoticeMs: 0, ...written });
  return loadConfig(configSchemaOf(app), { files: [{ name: 'test', text }] }).values;
}

/** A service `stock` whose answers wait for the test, and `pages` before it. */
async function fleet(context: TestContext, written: object) {
  const network = memoryNetwork({ clock: systemClock, random });
  const held: ((priority?: unknown) => void)[] = [];
  let hold = false;
  const backend = service('stock');
  backend.handle(stock, {
    item: async (_, call) => {
      if (hold) await new Promise((resolve) => held.push(resolve));
      return { priority: call.priority };
    },
  });
  const edge = service('pages');
  const items = edge.client(stock, { retries: 0 });
  edge.handle(pages, { page: () => items.item(undefined) });
  const behind = await startService(backend, configOf(backend, written), runtimeFor(network, ports({})));
  const known = { stock: Number(new URL(behind.url).port) };
  const before = await startService(edge, configOf(edge, written), runtimeFor(network, ports(known)));
  const test = service('test');
  const client = test.client(pages, { retries: 0 });
  const caller = await startService(
    test,
    configOf(test, {}),
    runtimeFor(network, ports({ pages: Number(new URL(before.url).port) })),
  );
  context.after(async () => {
    hold = false;
    for (const release of held) release();
    await Promise.all([caller.stop('done'), before.stop('done'), behind.stop('done')]);
  });
  return {
    ask: (urgency = 3) => client.page(undefined, new Call({ clock: systemClock, random, urgency })),
    holdAnswers: () => {
      hold = true;
    },
    release: () => {
      hold = false;
      for (const one of held.splice(0)) one();
    },
    held: async (count: number) => {
      while (held.length < count) await new Promise((resolve) => setImmediate(resolve));
    },
    configure(now: object) {
      behind.refresh(configOf(backend, now));
      before.refresh(configOf(edge, now));
    },
  };
}

test('a handler that calls out without passing anything still carries the priority', async (context) => {
  const { ask } = await fleet(context, {});
  assert.deepEqual(await ask(0), { priority: 'critical' });
  assert.deepEqual(await ask(6), { priority: 'bulk' });
  assert.deepEqual(await ask(), { priority: 'default' });
});

const one = { concurrency: { initialLimit: 1, minLimit: 1, maxLimit: 1 }, queue: { maxQueued: 0 } };

test('a server that is at its limit refuses before it works, and another configuration counts at once', async (context) => {
  const { ask, holdAnswers, held, release, configure } = await fleet(context, { server: one });
  holdAnswers();
  const first = ask();
  await held(1);
  await assert.rejects(ask(), (error: FlotillaError) => {
    assert.equal(error.code, 'UNAVAILABLE');
    assert.equal(error.executed, 'no');
    assert.ok(error.retryAfterMs);
    return true;
  });
  configure({ server: { concurrency: { enabled: false } } });
  const second = ask();
  await held(2);
  release();
  assert.deepEqual([await first, await second], [{ priority: 'default' }, { priority: 'default' }]);
});

test('a client follows `clients`: for all, for its service, for one operation', async (context) => {
  const { ask, holdAnswers, held, release, configure } = await fleet(context, {});
  holdAnswers();
  for (const clients of [
    { '*': { bulkhead: { maxConcurrent: 1, maxQueued: 0 } } },
    { stock: { bulkhead: { maxConcurrent: 1, maxQueued: 0 } } },
    { stock: { operations: { item: { bulkhead: { maxConcurrent: 1, maxQueued: 0 } } } } },
  ]) {
    configure({ clients });
    const first = ask();
    await held(1);
    await assert.rejects(ask(), { code: 'UNAVAILABLE' });
    configure({ clients: {} });
    const second = ask();
    await held(2);
    release();
    await Promise.all([first, second]);
    holdAnswers();
  }
});

test('when nobody can answer, a client answers by its fallback; an answer of the service is passed on', async (context) => {
  const network = memoryNetwork({ clock: systemClock, random });
  const app = service('caller');
  const terms = { retries: 0, service: 'stock' } as const;
  const byValue = app.client(stock, { ...terms, fallback: { item: { value: { priority: 'none' } } } });
  const byAnswer = app.client(stock, {
    ...terms,
    fallback: { item: { answer: ({ code }) => ({ priority: code }), codes: ['CONNECT_FAILED'] } },
  });
  const otherwise = app.client(stock, {
    ...terms,
    fallback: { item: { value: { priority: 'none' }, codes: ['RATE_LIMITED'] } },
  });
  const running = await startService(app, configOf(app, {}), runtimeFor(network, ports({ stock: 1 })));
  context.after(() => running.stop('done'));
  assert.deepEqual(await byValue.item(undefined), { priority: 'none' });
  assert.deepEqual(await byAnswer.item(undefined), { priority: 'CONNECT_FAILED' });
  await assert.rejects(otherwise.item(undefined), { code: 'CONNECT_FAILED' });
});

test('a fallback for an operation that cannot have one is refused by name', () => {
  const watched = contract({ name: 'watched', version: 1 }, { ticks: stream({ out: z.int() }) });
  const filter = (fallbacks: object) => () => fallbackFilter(watched, fallbacks, 'watched', nullEvents);
  assert.throws(filter({ ticks: { value: 1 } }), /^TypeError: .*"watched\.ticks", a stream: only a query or command/);
  assert.throws(filter({ tickz: { value: 1 } }), /^TypeError: .*does not have; did you mean "ticks"/);
});

test('mistakes are named with their path and their limit', () => {
  const app = service('a');
  for (const [written, message] of [
    [{ clients: { orders: { breaker: { minCalls: 0 } } } }, /clients\.orders\.breaker\.minCalls.*from 1 to 1000000/s],
    [{ clients: { orders: { breakr: {} } } }, /clients\.orders\.breakr.*did you mean "breaker"/s],
    [
      { clients: { orders: { operations: { item: { maxConcurrent: 1 } } } } },
      /operations\.item\.maxConcurrent.*no such key/s,
    ],
    [{ server: { concurrency: { maxLoopDelayMs: -1 } } }, /server\.concurrency\.maxLoopDelayMs.*from 1 to 10000/s],
    [{ clients: { orders: { breaker: { per: 'instance' } } } }, /breaker\.per.*"operation", "service"/s],
  ] as const) {
    assert.throws(() => configOf(app, written), message);
  }
});
