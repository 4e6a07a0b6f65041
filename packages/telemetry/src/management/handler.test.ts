import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, FlotillaError, type LogFields, type Logger, nullLogger, Secret } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, isLoopback, readBody } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import { createHealth } from '../health.ts';
import { prometheusMeter } from '../metrics/prometheus-meter.ts';
import { assertManagementExposure, hostAllowed } from './exposure.ts';
import { type ManagementOptions, managementHandler } from './handler.ts';

const credentials = { user: 'operator', password: new Secret('kX9-hj2-qq71-vL') };

function management(options: Partial<ManagementOptions> = {}) {
  const health = createHealth();
  const logged: (readonly [string, LogFields | undefined])[] = [];
  const log = (message: string, fields?: LogFields): void => void logged.push([message, fields]);
  const logger: Logger = { ...nullLogger, warn: log, error: log };
  const handler = managementHandler({
    health,
    meter: prometheusMeter({ processMetrics: false }),
    config: () => [{ key: 'apiKey', value: '***', source: 'env', where: 'FLOTILLA_API_KEY' }],
    info: () => ({ service: 'catalog' }),
    logger,
    ...options,
  });
  const ask = async (path: string, request: Partial<HttpRequest> = {}) => {
    const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
    const { status, headers, body } = await handler(
      {
        method: 'GET',
        authority: '127.0.0.1:9000',
        path: { text: path, segments: path.slice(1).split('/') },
        query: '',
        headers: new HttpHeaders(),
        body: undefined,
        ...request,
      },
      call,
    );
    assert(body === undefined || body instanceof Uint8Array);
    return { status, headers, text: body ? new TextDecoder().decode(body) : undefined };
  };
  return { ask, health, logged };
}

function basic(user: string, password: string): HttpHeaders {
  return new HttpHeaders([['authorization', `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`]]);
}

describe('managementHandler', () => {
  it('answers live and ready, with reasons when it is not', async () => {
    const { ask, health } = management();
    assert.deepEqual([(await ask('/health/live')).status, (await ask('/health/ready')).status], [200, 200]);
    health.register({ name: 'registry', check: () => ({ ready: false, reason: 'no answer yet' }) });
    const { status, text } = await ask('/health/ready');
    assert.equal(status, 503);
    assert.deepEqual(JSON.parse(text ?? ''), {
      ready: false,
      draining: false,
      checks: [{ name: 'registry', ready: false, reason: 'no answer yet' }],
    });
    assert.equal((await ask('/health/live')).status, 200);
    health.fail('stuck');
    assert.equal((await ask('/health/live')).status, 503);
  });

  it('shows metrics, configuration, info and contracts, never cached', async () => {
    const { ask } = management({ contracts: () => ['catalog/1'] });
    const metrics = await ask('/metrics');
    assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(metrics.text ?? '', /^# HELP /);
    assert.equal(
      (await ask('/config')).text,
      '[{"key":"apiKey","value":"***","source":"env","where":"FLOTILLA_API_KEY"}]',
    );
    assert.equal((await ask('/info')).text, '{"service":"catalog"}');
    assert.equal((await ask('/contracts')).text, '["catalog/1"]');
    for (const path of ['/metrics', '/config']) {
      const { headers } = await ask(path);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
    }
  });

  it('describes operations as OpenAPI, and says in a catalog where', async () => {
    let url: string | undefined;
    const mediaType = 'application/vnd.oai.openapi+json;version=3.1';
    const { ask } = management({ openapi: () => ({ document: { openapi: '3.1.0' }, mediaType, url }) });
    const { headers, text } = await ask('/.well-known/openapi.json');
    assert.deepEqual([headers.get('content-type'), text], [mediaType, '{"openapi":"3.1.0"}']);
    assert.equal((await ask('/.well-known/api-catalog')).text, '{"linkset":[]}');
    url = 'http://127.0.0.1:4000';
    const catalog = await ask('/.well-known/api-catalog');
    assert.match(catalog.headers.get('content-type') ?? '', /^application\/linkset\+json/);
    assert.deepEqual(JSON.parse(catalog.text ?? ''), {
      linkset: [{ anchor: url, 'service-desc': [{ href: '/.well-known/openapi.json', type: mediaType }] }],
    });
    const none = management();
    for (const path of ['/.well-known/openapi.json', '/.well-known/api-catalog'])
      assert.equal((await none.ask(path)).status, 404);
  });

  it('says why calls go where they go, of one service or of all, behind the same credentials', async () => {
    const why = (service: string | undefined) => {
      if (service === 'nobody') throw new FlotillaError('NO_ROUTE', 'this process does not call "nobody"');
      return [{ target: service ?? 'all' }];
    };
    const { ask } = management({ why });
    assert.equal((await ask('/why')).text, '[{"target":"all"}]');
    assert.equal((await ask('/why', { query: 'service=or%20ders' })).text, '[{"target":"or ders"}]');
    assert.equal((await ask('/why', { query: 'service=nobody' })).status, 404);
    assert.equal((await management().ask('/why')).status, 404);
    const closed = management({ why, host: '10.0.0.5', credentials: () => credentials });
    assert.equal((await closed.ask('/why', { authority: '10.0.0.5:9000' })).status, 401);
  });

  it('answers HEAD without a body', async () => {
    const { status, text } = await management().ask('/info', { method: 'HEAD' });
    assert.deepEqual([status, text], [200, undefined]);
  });

  it('refuses a host name that is not its own, before anything else, and logs it', async () => {
    const { ask, logged } = management();
    const { status, text } = await ask('/config', { authority: 'evil.example:9000' });
    assert.equal(status, 403);
    assert.equal(JSON.parse(text ?? '').code, 'FORBIDDEN');
    assert(!text?.includes('apiKey'));
    assert.deepEqual(logged, [
      ['management request denied', { code: 'FORBIDDEN', method: 'GET', path: '/config', peer: 'unknown' }],
    ]);
  });

  it('refuses other methods and other paths', async () => {
    const { ask } = management();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask('/info', { method });
      assert.deepEqual([status, headers.get('allow')], [405, 'GET, HEAD']);
    }
    for (const path of ['/', '/contracts', '/health', '/__proto__', '/info/'])
      assert.equal((await ask(path)).status, 404);
  });

  it('wants credentials on every route once they are set', async () => {
    const { ask } = management({ host: '10.0.0.5', credentials: () => credentials });
    const authority = '10.0.0.5:9000';
    for (const path of ['/health/live', '/metrics', '/absent']) {
      const { status, headers } = await ask(path, { authority });
      assert.deepEqual([status, headers.get('www-authenticate')?.startsWith('Basic ')], [401, true]);
    }
    const right = basic('operator', 'kX9-hj2-qq71-vL');
    assert.equal((await ask('/info', { authority, headers: right })).status, 200);
    const wrong = [
      basic('operator', 'x'),
      basic('x', 'kX9-hj2-qq71-vL'),
      basic('', ''),
      new HttpHeaders([['authorization', 'Bearer x']]),
    ];
    const answers = await Promise.all(wrong.map((headers) => ask('/info', { authority, headers })));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [401, 401, 401, 401],
    );
    assert.equal(
      new Set(answers.map(({ text }) => text)).size,
      1,
      'an unknown user and a wrong password read the same',
    );
  });

  it('does not tell the caller why it failed itself', async () => {
    const { ask, logged } = management({
      info: () => {
        throw new Error('/etc/hidden');
      },
    });
    const { status, text } = await ask('/info');
    assert.equal(status, 500);
    assert(!text?.includes('hidden'));
    assert.equal(logged[0]?.[0], 'management request failed');
  });

  it('is served by a network like any other handler', async () => {
    const options = { clock: new ManualClock(), random: seededRandom(1) };
    const network = memoryNetwork(options);
    const health = createHealth();
    const meter = prometheusMeter({ processMetrics: false });
    const handler = managementHandler({ health, meter, config: () => [], info: () => ({}), logger: nullLogger });
    const listener = await network.listen({ host: '127.0.0.1', port: 9000 }, handler);
    const client = network.connect({ protocol: 'http', host: '127.0.0.1', port: 9000 });
    const call = new Call(options);
    const path = { text: '/health/ready', segments: ['health', 'ready'] };
    const request = { method: 'GET', authority: '127.0.0.1:9000', path, query: '', headers: new HttpHeaders() };
    const response = await client.handle({ ...request, body: undefined }, call);
    const body = await readBody(response.body, 1_000, call);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(body)), { ready: true, draining: false, checks: [] });
    await client.close();
    await listener.drain(0);
  });

  it('refuses to be built where others could reach it without credentials', () => {
    assert.throws(() => management({ host: '0.0.0.0' }), { code: 'CONFIG_INVALID' });
  });
});

describe('assertManagementExposure', () => {
  it('lets loopback be open and wants credentials anywhere else', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1']) {
      assert.equal(isLoopback(host), true, host);
      assertManagementExposure(host, undefined);
    }
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '1127.0.0.1',
      '',
    ]) {
      assert.equal(isLoopback(host), false, host);
      assert.throws(() => assertManagementExposure(host, undefined), /set management\.user and management\.password/);
      assertManagementExposure(host, credentials);
    }
  });

  it('refuses a short password and a user that Basic cannot carry', () => {
    assert.throws(() => assertManagementExposure('::1', { user: 'a', password: new Secret('short') }), /12 characters/);
    for (const user of ['', 'a:b']) {
      assert.throws(
        () => assertManagementExposure('::1', { ...credentials, user }),
        /must not be empty or hold a colon/,
      );
    }
  });
});

describe('hostAllowed', () => {
  const rows: [authority: string, bound: string, allowed: readonly string[], expected: boolean][] = [
    ['localhost:9000', '127.0.0.1', [], true],
    ['LOCALHOST', '127.0.0.1', [], true],
    ['[::1]:9000', '127.0.0.1', [], true],
    ['127.0.0.1', '127.0.0.1', [], true],
    ['127.0.0.1.evil.example', '127.0.0.1', [], false],
    ['evil.example', '127.0.0.1', [], false],
    ['evil.example@localhost', '127.0.0.1', [], false],
    ['localhost:9000:1', '127.0.0.1', [], false],
    ['', '127.0.0.1', [], false],
    ['10.0.0.5:9000', '127.0.0.1', [], false],
    ['10.0.0.5:9000', '10.0.0.5', [], true],
    ['10.0.0.5:9000', '0.0.0.0', [], true],
    ['[fe80::1]', '::', [], true],
    ['evil.example', '0.0.0.0', [], false],
    ['ops.example', '0.0.0.0', ['ops.example'], true],
  ];
  for (const [authority, bound, allowed, expected] of rows) {
    it(`"${authority}" at ${bound}${allowed.length ? ` with ${allowed}` : ''}: ${expected ? 'yes' : 'no'}`, () => {
      assert.equal(hostAllowed(authority, bound, allowed), expected);
    });
  }
});

describe('/policies and /events', () => {
  /** A feed of a test: events come when it says so. */
  function feed(room = 1) {
    const queue: object[] = [];
    let wake = (): void => {};
    let closed = 0;
    let left = room;
    let dropped = 0;
    return {
      closed: () => closed,
      say(event: object) {
        queue.push(event);
        wake();
      },
      drop(count: number) {
        dropped += count;
      },
      recent: () => [{ at: 1 }],
      subscribe() {
        if (left === 0) return undefined;
        left -= 1;
        let open = true;
        return {
          takeDropped() {
            const taken = dropped;
            dropped = 0;
            return taken;
          },
          close() {
            if (open) closed += 1;
            open = false;
            wake();
          },
          async *[Symbol.asyncIterator]() {
            while (open) {
              if (queue.length === 0) {
                await new Promise<void>((resolve) => {
                  wake = resolve;
                });
              }
              yield* queue.splice(0);
            }
          },
        };
      },
    };
  }

  async function follow(options: Partial<ManagementOptions>, accept: string, method = 'GET') {
    const clock = new ManualClock();
    const call = new Call({ clock, random: seededRandom(1) });
    const handler = managementHandler({
      health: createHealth(),
      meter: prometheusMeter({ processMetrics: false }),
      config: () => [],
      info: () => ({}),
      logger: nullLogger,
      ...options,
    });
    const { status, headers, body } = await handler(
      {
        method,
        authority: '127.0.0.1:9000',
        path: { text: '/events', segments: ['events'] },
        query: '',
        headers: new HttpHeaders([['accept', accept]]),
        body: undefined,
      },
      call,
    );
    const chunks = body instanceof Uint8Array ? undefined : body;
    const reading = chunks?.[Symbol.asyncIterator]();
    const read = async (): Promise<string | undefined> => {
      const step = await reading?.next();
      return step?.done ? undefined : new TextDecoder().decode(step?.value);
    };
    return { status, type: headers.get('content-type'), read, call, clock, body };
  }

  it('shows every policy, and says of what has no limit that it is unlimited', async () => {
    const { ask } = management({ policies: () => ({ bulkhead: { maxConcurrent: Infinity } }) });
    const { status, text } = await ask('/policies');
    assert.deepEqual([status, text], [200, '{"bulkhead":{"maxConcurrent":"unlimited"}}']);
    assert.equal((await management().ask('/policies')).status, 404);
    assert.equal((await management().ask('/events')).status, 404);
  });

  it('gives the latest events, then what happens, as lines of JSON', async () => {
    const events = feed();
    const { status, type, read, call } = await follow({ events }, '*/*');
    assert.deepEqual([status, type], [200, 'application/x-ndjson']);
    assert.deepEqual([await read(), await read()], ['\n', '{"at":1}\n']);
    events.say({ at: 2 });
    assert.equal(await read(), '{"at":2}\n');
    events.drop(7);
    events.say({ at: 10 });
    assert.deepEqual([await read(), await read()], ['{"dropped":7}\n', '{"at":10}\n']);
    call.cancel();
    assert.equal(await read(), undefined);
    assert.equal(events.closed(), 1);
  });

  it('gives server-sent events to who accepts them, and a sign of life to who waits', async () => {
    const events = feed();
    const { type, read, clock, call } = await follow({ events }, 'text/event-stream');
    assert.equal(type, 'text/event-stream');
    assert.deepEqual([await read(), await read()], [': \n\n', 'data: {"at":1}\n\n']);
    const waiting = read();
    await clock.advance(15_000);
    assert.equal(await waiting, ': \n\n');
    call.end();
    assert.equal(await read(), undefined);
  });

  it('refuses readers beyond its bound; a HEAD takes no place', async () => {
    const events = feed();
    assert.deepEqual([(await follow({ events }, '*/*', 'HEAD')).body, events.closed()], [undefined, 0]);
    await follow({ events }, '*/*');
    assert.equal((await follow({ events }, '*/*')).status, 503);
  });
});
