import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, afterEach, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  currentCall,
  type Instance,
  nullLogger,
  nullMeter,
  nullTracer,
  Secret,
  systemClock,
  systemRandom,
} from '@flotilla/core';
import { type HttpListener, routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { type RegistryClient, registryClient } from '@flotilla/registry/client';
import { createRegistry, type Registry, registryRoutes } from '@flotilla/registry/server';
import { join } from '../src/engines/join.ts';
import { createLazyFetch } from '../src/fetch/fetch.ts';
import type { JoinOptions } from '../src/join/options.ts';
import { type Child, children } from './child.ts';

const program = fileURLToPath(new URL('fixtures/joined.ts', import.meta.url));
const processes = children();
const foundation = { clock: systemClock, random: systemRandom };
const network = nodeNetwork(foundation);
const balanced = createLazyFetch();
let registry: Registry;
let listener: HttpListener;
let discovery: RegistryClient;
before(async () => {
  registry = createRegistry(foundation);
  await registry.start();
  listener = await network.listen({ host: '127.0.0.1', port: 0 }, routesHandler(registryRoutes(registry)));
  discovery = registryClient({ ...foundation, network, urls: [registryUrl()] });
  const { resolver } = discovery;
  balanced.connect({ ...foundation, network, resolver, logger: nullLogger, meter: nullMeter, tracer: nullTracer });
});
afterEach(() => processes.killAll());
after(async () => {
  processes.remove();
  await balanced.close();
  await discovery.close();
  const drained = listener.drain(1_000);
  await registry.stop('the tests are over');
  await drained;
});

const registryUrl = (): string => `http://127.0.0.1:${listener.port}`;
let names = 0;

/** An app of its own name, so that no test sees another one's. */
function startApp(
  options: Partial<JoinOptions> = {},
  { env = {}, flags = [], url }: { env?: Record<string, string>; flags?: readonly string[]; url?: string } = {},
): Child & { readonly name: string } {
  const name = options.name ?? `orders-${++names}`;
  const common = {
    FLOTILLA_REGISTRY: url ?? registryUrl(),
    FLOTILLA_LOG_FORMAT: 'json',
    FLOTILLA_DRAIN_NOTICE_MS: '0',
    FLOTILLA_HEALTH_INTERVAL_MS: '100',
    FLOTILLA_HEALTH_DOWN_AFTER: '2',
    JOIN: JSON.stringify({ ...options, name }),
  };
  return { ...processes.start(program, ['--its-own-flag', ...flags], { ...common, ...env }), name };
}

interface Serving {
  readonly url: string;
  readonly management: string;
}

async function serving(app: Child): Promise<Serving> {
  return JSON.parse(await app.line(/"msg":"serving"/));
}

/** Resolves with the instances of a service once they are as `wanted`; also with every status that was seen till then. */
function listed(name: string, wanted: (instances: readonly Instance[]) => boolean): Promise<string[]> {
  const seen: string[] = [];
  return new Promise((resolve) => {
    const watch = discovery.resolver.watch({ service: name }, ({ instances }) => {
      const [first] = instances;
      if (first && seen.at(-1) !== first.status) seen.push(first.status);
      if (!wanted(instances)) return;
      queueMicrotask(() => watch.close());
      resolve(seen);
    });
  });
}

const isUp = ([first]: readonly Instance[]): boolean => first?.status === 'up';
const isDown = ([first]: readonly Instance[]): boolean => first?.status === 'down';

suite('an app that joined', () => {
  test('is registered as starting, then up; it is reached, traced and metered, and leaves without losing a request', async () => {
    const app = startApp({ health: '/health', zone: 'a' });
    const { url, management } = await serving(app);
    await app.line(/join resolved: starting/);
    await listed(app.name, isUp);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const direct = await fetch(`${url}/x`, { headers: { traceparent } });
    assert.deepEqual(await direct.json(), { traceId: '0af7651916cd43dd8448eb211c80319c' });
    const { traceId } = (await (await balanced.fetch(`http://${app.name}/x`)).json()) as { traceId: string };
    assert.match(traceId, /^[0-9a-f]{32}$/);
    assert.equal((await fetch(`${management}/health/ready`)).status, 200);
    const metrics = await (await fetch(`${management}/metrics`)).text();
    assert.match(metrics, /flotilla_server_calls_total\{operation="GET",code="OK"\} [1-9]/);

    const held = balanced.fetch(`http://${app.name}/wait`);
    await app.line(/^waiting$/);
    const gone = listed(app.name, (instances) => instances.length === 0);
    app.process.kill('SIGTERM');
    assert.ok((await gone).includes('up'));
    // It has left the registry and takes no more; what is in hand still goes on, on a connection that is open.
    await app.line(/"msg":"deregistered"/);
    assert.equal(
      app.lines.some((line) => line.startsWith('own handler')),
      false,
      'the own handler waits',
    );
    const answer = await heldAnswer(held, app);
    assert.equal(answer.status, 200);
    const { code, text } = await app.ended;
    assert.equal(code, 0);
    assert.match(
      text,
      /"msg":"draining"[\s\S]*"msg":"deregistered"[\s\S]*own handler, listening: false\na handler that was added later/,
    );
  });

  test('without a server, the first promise of the docs holds: a name and a port', async () => {
    const port = await freePort();
    const app = startApp({ port }, { env: { APP_PORT: String(port) } });
    await listed(app.name, isUp);
    const answer = await balanced.fetch(`http://${app.name}/x`);
    assert.equal(answer.status, 200);
    await answer.text();
    await app.line(/requests in hand that no middleware saw are not waited for/);
  });

  test('its configuration wins over the options of the code, and shows where each value is from', async () => {
    const app = startApp(
      { zone: 'from-code', weight: 3 },
      { flags: ['--flotilla.zone=from-flag'], env: { FLOTILLA_STATE_DIR: 'elsewhere' } },
    );
    const { management } = await serving(app);
    const origins = (await (await fetch(`${management}/config`)).json()) as {
      key: string;
      value: unknown;
      where: string;
    }[];
    const rowOf = (key: string): unknown[] => {
      const row = origins.find((candidate) => candidate.key === key);
      return [row?.value, row?.where];
    };
    assert.deepEqual(rowOf('zone'), ['from-flag', '--zone']);
    assert.deepEqual(rowOf('stateDir'), ['elsewhere', 'FLOTILLA_STATE_DIR']);
    assert.equal(rowOf('weight')[0], 3);
    assert.match(String(rowOf('weight')[1]), /^join\(\)/);
    assert.equal([...registry.named(app.name)][0]?.instance.zone, 'from-flag');
  });

  test('how the process ends is its own handlers to say', async () => {
    const app = startApp({}, { env: { APP_ENDS_WITH: '7' } });
    await serving(app);
    app.process.kill('SIGTERM');
    assert.equal((await app.ended).code, 7);
  });

  test('a middleware, or a wrapped listener, sees what a server object would show', async () => {
    const flags = [
      `--flotilla.registry=${registryUrl()}`,
      '--flotilla.drain-notice-ms=0',
      '--flotilla.log.level=error',
    ];
    const name = `orders-${++names}`;
    const place = await freePort();
    const member = await join({ name, port: place, signals: false }, { args: flags, env: {}, files: [] });
    const listener = member.handler((request, response) => {
      member.middleware(request, response, () => response.end(currentCall()?.trace.traceId));
    });
    const app = createHttpServer(listener);
    await once(app.listen(place, '127.0.0.1'), 'listening');
    await member.up;
    const headers = { traceparent: `00-${'d'.repeat(32)}-${'1'.repeat(16)}-01` };
    const answer = await fetch(`http://127.0.0.1:${place}/`, { headers });
    assert.equal(await answer.text(), 'd'.repeat(32));
    const { host, port } = member.management;
    const metrics = await (await fetch(`http://${host}:${port}/metrics`)).text();
    assert.match(metrics, /flotilla_server_calls_total\{operation="GET",code="OK"\} 1\n/, 'seen twice, counted once');
    await member.leave();
    app.closeAllConnections();
    app.close();
  });

  test('a second signal ends it at once and says what was lost', async () => {
    const app = startApp({}, { flags: ['--flotilla.drain-notice-ms=60000'] });
    const { url } = await serving(app);
    const lost = assert.rejects(fetch(`${url}/wait`));
    await app.line(/^waiting$/);
    app.process.kill('SIGTERM');
    await app.line(/"msg":"draining"/);
    app.process.kill('SIGTERM');
    const { code, text } = await app.ended;
    assert.equal(code, 1);
    assert.match(text, /second signal: ending at once.*"lost":"1 request"/);
    await lost;
  });
});

async function heldAnswer(held: Promise<Response>, app: Child): Promise<Response> {
  // The server takes no more connections, so the word to go on comes over the process itself.
  app.process.kill('SIGUSR2');
  const answer = await held;
  await answer.text();
  return answer;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A server that does with each connection what the test says. */
async function raw(answer: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

suite('an app that is not well', () => {
  const broken: readonly [claim: string, answer: (socket: Socket) => void, reason: RegExp][] = [
    ['never answers', () => {}, /GET \/health at .* had no answer within 200 ms/],
    [
      'answers bytes that are no HTTP',
      (socket) => socket.end('\u0000\u0001garbage\r\n\r\n'),
      /GET \/health at .* failed/,
    ],
    [
      'answers header fields without end',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const more = (): void => {
          if (!socket.destroyed) socket.write(`x-${'a'.repeat(1_000)}: 1\r\n`, () => void setImmediate(more));
        };
        more();
      },
      /GET \/health at .* failed/,
    ],
    ['answers 500', (socket) => socket.end('HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n'), /answered 500, not 2xx/],
    [
      'answers with a redirect',
      (socket) => socket.end('HTTP/1.1 302 F\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n'),
      /answered 302, not 2xx/,
    ],
    ['hangs up', (socket) => socket.destroy(), /GET \/health at .* failed/],
    [
      'begins an answer and never ends it',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'),
      /had no answer within 200 ms/,
    ],
  ];
  for (const [claim, answer, reason] of broken) {
    test(`who ${claim} is listed as starting, never as up, and the log says why`, async () => {
      const { server, port } = await raw(answer);
      const app = startApp(
        { port, health: '/health' },
        { env: { APP_LISTENS: 'no' }, flags: ['--flotilla.health.timeout-ms=200'] },
      );
      const line = JSON.parse(await app.line(/the app is not up yet/));
      assert.match(line.reason, reason);
      assert.match(line.next, /health\.path/);
      assert.deepEqual(await listed(app.name, (instances) => instances.length === 1), ['starting']);
      app.process.kill('SIGTERM');
      await app.ended;
      assert.equal(
        app.lines.some((said) => said.includes('"msg":"the app is up"')),
        false,
      );
      server.close();
    });
  }

  test('a port that is not open yet is waited for', async () => {
    const port = await freePort();
    const app = startApp({ port }, { env: { APP_LISTENS: 'no' } });
    assert.match(
      JSON.parse(await app.line(/the app is not up yet/)).reason,
      /no connection to 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
    );
    const late = createServer((socket) => socket.on('error', () => {}));
    await once(late.listen(port, '127.0.0.1'), 'listening');
    await listed(app.name, isUp);
    late.close();
  });

  test('a server that does not listen yet is no mistake either', async () => {
    const app = startApp({}, { env: { APP_LISTENS: 'no' } });
    assert.match(JSON.parse(await app.line(/the app is not up yet/)).reason, /the server does not listen yet/);
    assert.equal([...registry.named(app.name)].length, 0, 'without an address there is nothing to register');
  });

  test('who falls ill is taken out, and comes back', async () => {
    const app = startApp({ health: '/health' });
    const { url } = await serving(app);
    await fetch(`${url}/sick`);
    await listed(app.name, isDown);
    assert.match(JSON.parse(await app.line(/the app is down/)).reason, /answered 503/);
    await fetch(`${url}/cure`);
    await listed(app.name, isUp);
  });

  test('a port that closes later takes the instance out', async () => {
    const app = startApp();
    const { url } = await serving(app);
    fetch(`${url}/away`).catch(() => {});
    await listed(app.name, isDown);
    await app.line(/the app is down.*the server does not listen yet/);
  });

  test('a busy second takes nobody out', async () => {
    const app = startApp({ health: '/health' }, { env: { FLOTILLA_HEALTH_DOWN_AFTER: '3' } });
    const { url } = await serving(app);
    await (await fetch(`${url}/block`)).text();
    await (await fetch(`${url}/x`)).text();
    assert.equal(
      app.lines.some((line) => line.includes('"msg":"the app is down"')),
      false,
    );
  });
});

suite('the registry of an app that joined', () => {
  test('that cannot be reached keeps nobody from serving, and the log says so', async () => {
    const app = startApp({}, { url: 'http://127.0.0.1:1' });
    const { url } = await serving(app);
    await app.line(/no registry can be reached/);
    assert.equal((await fetch(`${url}/x`)).status, 200);
  });

  test('that refuses its credentials is told in the log; the app goes on', async () => {
    const users = [{ name: 'orders', password: new Secret('correct-horse-9'), role: 'instance' as const }];
    const guarded = createRegistry(foundation);
    await guarded.start();
    const door = await network.listen(
      { host: '127.0.0.1', port: 0 },
      routesHandler(registryRoutes(guarded, { users })),
    );
    const app = startApp({}, { url: `http://orders:wrong-password@127.0.0.1:${door.port}` });
    await app.line(/a registry refuses our credentials/);
    assert.doesNotMatch(app.lines.join('\n'), /wrong-password/);
    const { url } = await serving(app);
    assert.equal((await fetch(`${url}/x`)).status, 200);
    app.process.kill('SIGTERM');
    await app.ended;
    const drained = door.drain(1_000);
    await guarded.stop('the test is over');
    await drained;
  });
});

suite('a mistake in joining', () => {
  const nothing = { args: [], env: {}, files: [] };
  const rows: readonly [claim: string, options: unknown, sources: object, message: RegExp][] = [
    ['a name that is none', { name: 'my orders', port: 1 }, {}, /service "my orders" must be letters, digits/],
    ['no name', { port: 1 }, {}, /name must be a text, got undefined/],
    [
      'a port that is text',
      { name: 'a', port: '3000' },
      {},
      /whole number from 1 to 65535, got "3000" \(string\); write Number/,
    ],
    ['a port out of range', { name: 'a', port: 70_000 }, {}, /port of "a" must be .* got 70000/],
    [
      'no place',
      { name: 'a' },
      {},
      /where does "a" listen\? Write join\(\{ name, port \}\) or join\(\{ name, server \}\)/,
    ],
    ['an app for a server', { name: 'a', server: () => {} }, {}, /app\.server with Fastify/],
    ['a context path that is none', { name: 'a', port: 1, contextPath: 'ctx' }, {}, /is no path such as "\/ctx"/],
    ['a misspelt option', { name: 'a', port: 1, heath: '/x' }, {}, /join\(\):1.*"?heath"?.*"health"/s],
    ['a health path without a slash', { name: 'a', port: 1, health: 'x' }, {}, /join\(\):1.*health\.path/s],
    [
      'another port in the configuration',
      { name: 'a', port: 3000 },
      { env: { FLOTILLA_PORT: '4000' } },
      /the code says that "a" listens on port 3000, its configuration says 4000: joining moves no app/,
    ],
    ['a misspelt flag', { name: 'a', port: 1 }, { args: ['--flotilla.zoen=a'] }, /--zoen.*--zone/s],
    ['a setting of our own listener', { name: 'a', port: 1, maxBodyBytes: 5 }, {}, /join\(\):1.*maxBodyBytes/s],
    [
      'a management port for all to see',
      { name: 'a', port: 1, management: { bind: '0.0.0.0' } },
      {},
      /management\.user/,
    ],
    [
      'a file of the configuration that is not there',
      { name: 'a', port: 1 },
      { files: ['absent.yaml'] },
      /absent\.yaml: there is no such file/,
    ],
    [
      'a registry of an unknown kind',
      { name: 'a', port: 1 },
      { args: ['--flotilla.registry=pigeon://x'] },
      /registry.*"http:\/\/"/s,
    ],
  ];
  for (const [claim, options, sources, message] of rows) {
    test(`${claim} is refused by name`, async () => {
      await assert.rejects(join(options as JoinOptions, { ...nothing, ...sources }), {
        name: 'FlotillaError',
        message,
      });
    });
  }

  test('joining twice under one name is refused, until the first one left', async () => {
    const app = createServer();
    await once(app.listen(0, '127.0.0.1'), 'listening');
    const { port } = app.address() as AddressInfo;
    const flags = [
      `--flotilla.registry=${registryUrl()}`,
      '--flotilla.drain-notice-ms=0',
      '--flotilla.log.level=error',
    ];
    const options = { name: 'twice', port, signals: false, drainMs: 0 };
    const first = await join(options, { ...nothing, args: flags });
    await assert.rejects(join(options, nothing), { message: /"twice" has joined from this process already/ });
    await first.up;
    assert.equal(first.status, 'up');
    assert.equal(first.instance.addresses[0]?.port, port);
    await first.leave();
    assert.equal(first.status, 'draining');
    const second = await join(options, { ...nothing, args: flags });
    await second[Symbol.asyncDispose]();
    app.close();
  });
});
