import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settle } from '@flotilla/core/testing';
import type { HttpResponse } from '@flotilla/http';
import { prometheusMeter } from '@flotilla/telemetry';
import { closeFrame } from '../../src/websocket/frames.ts';
import {
  answer,
  type EngineUnderTest,
  nextText,
  SocketServer,
  streamed,
  Tap,
  until,
  World,
  whole,
} from '../support.ts';
import { assertProblem } from './routing.ts';

/** A text frame of a server. */
function frame(text: string): Uint8Array {
  const payload = Buffer.from(text);
  return Uint8Array.of(0x81, payload.length, ...payload);
}

const origin = (value: string): [string, string][] => [['origin', value]];

export function webSocketClaims(engine: () => EngineUnderTest): void {
  describe('WebSockets', () => {
    it('are closed to every route that does not open them, and the upstream is not asked', async () => {
      const { world, server } = await socketWorld(engine(), false);
      assertProblem(await whole(world.socket('/chat', new Tap())), 403, 'FORBIDDEN');
      assert.equal(server.asked.length, 0);
      await world.close();
      assert.match(String(requestLine(world)['reason']), /"webSocket: true" opens it/);
    });

    it('are routed like any request: path filters, forwarding, hygiene', async () => {
      const { world, server } = await socketWorld(engine(), true, { filters: [{ rewritePath: '/inner' }] });
      const up = new Tap();
      const opened = await world.socket('/chat', up, [
        ['sec-websocket-protocol', 'chat'],
        ['sec-websocket-extensions', 'permessage-deflate'],
        ['x-forwarded-for', '1.2.3.4'],
        ['flotilla-attempt', '1'],
        ['cookie', 'sid=1'],
      ]);
      assert.equal(opened.status, 101);
      const [asked] = server.asked;
      assert.equal(asked?.path.text, '/inner');
      const sent = (name: string): string | undefined => asked?.headers.get(name);
      assert.deepEqual(
        [
          'sec-websocket-protocol',
          'sec-websocket-extensions',
          'x-forwarded-for',
          'flotilla-attempt',
          'cookie',
          'via',
        ].map(sent),
        ['chat', 'permessage-deflate', '127.0.0.1', undefined, 'sid=1', '1.1 flotilla'],
      );
      const down = streamed(opened.body);
      server.tap.put('down');
      assert.equal(await nextText(down), 'down');
      up.put('up');
      assert.equal(await nextText(server.received), 'up');
      assert.equal(world.gateway.inFlight, 1);
      up.put();
      server.tap.put();
      assert.equal(await nextText(down), undefined);
      await world.close();
    });

    const origins: readonly (readonly [
      string,
      webSocket: object | true,
      headers: [string, string][],
      status: number,
    ])[] = [
      ['of its own pages are taken', true, origin('http://shop.example'), 101],
      ['of its own pages behind a proxy that ends TLS are taken', true, origin('https://shop.example'), 101],
      ['of no page at all are taken', true, [], 101],
      ['of another site are refused', true, origin('https://evil.example'), 403],
      ['of another port are refused', true, origin('http://shop.example:81'), 403],
      ['of a host that begins like it are refused', true, origin('https://shop.example.evil.example'), 403],
      ['of a page that hides where it is from are refused', true, origin('null'), 403],
      ['of an origin that is none are refused', true, origin('shop.example'), 403],
      ['of an extension are refused', true, origin('chrome-extension://shop.example'), 403],
      ['of two origins are refused', true, [...origin('http://shop.example'), ...origin('http://evil.example')], 403],
      ['of a listed site are taken', { origins: ['https://app.example'] }, origin('https://app.example'), 101],
      [
        'of its own pages are refused where only others are listed',
        { origins: ['https://app.example'] },
        origin('http://shop.example'),
        403,
      ],
      ['of any site are taken where the route says so', { allowAnyOrigin: true }, origin('https://evil.example'), 101],
      [
        'of a host that only a stranger names are refused',
        true,
        [...origin('https://evil.example'), ['x-forwarded-host', 'evil.example']],
        403,
      ],
    ];
    for (const [name, webSocket, headers, status] of origins) {
      it(name, async () => {
        const { world, server } = await socketWorld(engine(), webSocket);
        const up = new Tap();
        const opened = await world.socket('/chat', up, headers);
        assert.equal(opened.status, status);
        assert.equal(server.asked.length, status === 101 ? 1 : 0);
        await end(opened, up, server);
        await world.close();
      });
    }

    it('that the authenticator does not let in are 401 before the upstream is asked', async () => {
      const { world, server } = await socketWorld(engine(), true, { auth: 'required' });
      assertProblem(await whole(world.socket('/chat', new Tap())), 401, 'UNAUTHENTICATED');
      assert.equal(server.asked.length, 0);
      await world.close();
    });

    it('whose proof lapses are closed with 4401', async () => {
      const started = engine();
      const authenticate = async () => ({ subject: 'anna', expiresAt: started.clock.wallNow() + 40 });
      const { world, server } = await socketWorld(started, true, { auth: 'required' }, { authenticate });
      const up = new Tap();
      const down = streamed((await world.socket('/chat', up)).body);
      const last = nextBytes(down);
      await world.engine.pass(60);
      assert.deepEqual(await last, closeFrame(4_401));
      up.put();
      server.tap.put();
      await world.close();
      assert.equal(requestLine(world)['closedBy'], 'expired');
    });

    it('that the upstream declines get its answer as it is', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async () => answer(418, 'a teapot'));
      await world.open({ id: 'a', path: '/**', to: url, webSocket: true });
      const { status, text } = await whole(world.socket('/chat', new Tap()));
      assert.deepEqual([status, text], [418, 'a teapot']);
      await world.close();
    });

    it('that are declined by a long answer take no place, and no drain breaks that off', async () => {
      const world = new World(engine());
      const tap = new Tap().put('long ');
      const { url } = await world.serve(async () => answer(200, tap));
      await world.open({ id: 'a', path: '/**', to: url, webSocket: { maxConnections: 1 } });
      const asked = await world.socket('/chat', new Tap());
      await world.gateway.drainWebSockets(0);
      await world.engine.pass(1_100);
      tap.put('answer').put();
      assert.equal((await whole(Promise.resolve(asked))).text, 'long answer');
      await world.close();
    });

    it('over the limit of the route or of the gateway are 503 that says when to try again', async () => {
      for (const [webSocket, maxWebSockets] of [
        [{ maxConnections: 1 }, 9],
        [true, 1],
      ] as const) {
        const { world, server } = await socketWorld(engine(), webSocket, {}, { maxWebSockets });
        const up = new Tap();
        const opened = await world.socket('/chat', up);
        const refused = await whole(world.socket('/chat', new Tap()));
        assertProblem(refused, 503, 'UNAVAILABLE');
        assert.equal(refused.headers.get('retry-after'), '5');
        await end(opened, up, server);
        await until(() => world.gateway.inFlight === 0, 'the first socket did not end');
        const next = await world.socket('/chat', up);
        assert.equal(next.status, 101, 'its place is free again');
        await end(next, up, server);
        await world.close();
      }
    });

    it('whose handshake takes too long are 504', async () => {
      const world = new World(engine());
      const { url } = await world.serve(() => new Promise(() => {}));
      await world.open({ id: 'a', path: '/**', to: url, webSocket: true, headTimeoutMs: 40 });
      const refused = whole(world.socket('/chat', new Tap()));
      await world.engine.pass(60);
      assertProblem(await refused, 504, 'DEADLINE_EXCEEDED');
      await world.close();
    });

    it('try the next instance when no connection was made, and only then', async () => {
      const world = new World(engine());
      const gone = await world.serve(async () => answer(200));
      await gone.listener.drain(0);
      const server = new SocketServer();
      const good = await world.serve(server.handler);
      world.resolver.set({ service: 'web' }, [gone.instance('gone'), good.instance('good')]);
      await world.open({
        id: 'a',
        path: '/**',
        to: 'service://web',
        webSocket: true,
      });
      for (let i = 0; i < 8; i++) {
        const up = new Tap();
        const opened = await world.socket('/chat', up);
        assert.equal(opened.status, 101);
        await end(opened, up, server);
      }
      await world.close();
    });

    it('in which nothing moves are closed on both sides with 1001', async () => {
      const { world, server } = await socketWorld(engine(), { idleMs: 40 });
      const up = new Tap();
      const opened = await world.socket('/chat', up);
      const down = streamed(opened.body);
      const [clientSees, serverSees] = [nextBytes(down), nextBytes(server.received)];
      await world.engine.pass(60);
      assert.deepEqual(await clientSees, closeFrame(1_001));
      assert.deepEqual([...((await serverSees)?.subarray(0, 2) ?? [])], [0x88, 0x82]);
      up.put();
      server.tap.put();
      assert.equal(await nextText(down), undefined);
      await world.close();
      assert.equal(requestLine(world)['closedBy'], 'idle');
    });

    it('are told 1001 at a boundary of frames when their gateway stops, and what follows is not passed on', async () => {
      const { world, server } = await socketWorld(engine(), true);
      const up = new Tap();
      const opened = await world.socket('/chat', up);
      const down = streamed(opened.body);
      const [one, two] = [frame('first'), frame('second')];
      server.tap.put(Uint8Array.of(...one, ...two.subarray(0, 3)));
      assert.deepEqual(await nextBytes(down), Uint8Array.of(...one, ...two.subarray(0, 3)));
      const drained = world.gateway.drainWebSockets(0);
      assertProblem(await whole(world.socket('/chat', new Tap())), 503, 'UNAVAILABLE');
      const rest = allBytes(down);
      server.tap.put(Uint8Array.of(...two.subarray(3), ...frame('third')));
      // The frame that was open comes whole, then the last word.
      assert.deepEqual(await rest, Uint8Array.of(...two.subarray(3), ...closeFrame(1_001)));
      up.put();
      server.tap.put();
      await drained;
      await world.close();
      assert.equal(requestLine(world)['closedBy'], 'drain');
    });

    it('that do not follow their last word are cut', async () => {
      const { world } = await socketWorld(engine(), true);
      const up = new Tap();
      const opened = await world.socket('/chat', up);
      const down = streamed(opened.body);
      const drained = world.gateway.drainWebSockets(0);
      assert.deepEqual(await nextBytes(down), closeFrame(1_001));
      await world.engine.pass(1_100);
      await drained;
      up.put('to nobody');
      await world.close();
    });

    it('stay through a reload that leaves their route alone, and keep no old table', async () => {
      const { world, server, url } = await socketWorld(engine(), true, {}, { webSocketDrainMs: 0 });
      const other = await world.serve(async () => answer(200));
      const kept = { id: 'a', path: '/**', to: url, webSocket: true };
      world.apply({ routes: [kept, { id: 'b', path: '/b', to: other.url }] });
      const up = new Tap();
      const opened = await world.socket('/chat', up);
      world.apply({ routes: [kept] });
      await until(() => world.gateway.upstreams().length === 1, 'the upstream that nobody names is still open');
      server.tap.put('still here');
      assert.equal(await nextText(streamed(opened.body)), 'still here');
      await end(opened, up, server);
      await world.close();
    });

    it('of a route that changed get their time, then are told 1001', async () => {
      const { world, server, url } = await socketWorld(engine(), true, {}, { webSocketDrainMs: 40 });
      const up = new Tap();
      const opened = await world.socket('/chat', up);
      const down = streamed(opened.body);
      world.apply({ routes: [{ id: 'a', path: '/elsewhere', to: url, webSocket: true }] });
      server.tap.put(frame('in time'));
      assert.deepEqual(await nextBytes(down), frame('in time'));
      const last = nextBytes(down);
      await world.engine.pass(60);
      assert.deepEqual(await last, closeFrame(1_001));
      up.put();
      server.tap.put();
      await world.close();
    });

    it('are counted: open, closed and by whom, one line each with bytes both ways', async () => {
      const meter = prometheusMeter({ processMetrics: false });
      const { world, server } = await socketWorld(engine(), true, {}, { meter });
      const up = new Tap();
      const opened = await world.socket('/chat', up);
      assert.match(await meter.render(), /^flotilla_gateway_websockets\{route="a"\} 1$/m);
      assert.deepEqual(world.gateway.routes()[0]?.counts, { requests: 1, inFlight: 1, failures: 0 });
      const down = streamed(opened.body);
      server.tap.put('four');
      await nextText(down);
      up.put('sixsix').put();
      const received = server.received;
      assert.equal(await nextText(received), 'sixsix');
      assert.equal(await nextText(received), undefined);
      server.tap.put();
      assert.equal(await nextText(down), undefined);
      await world.close();
      const text = await meter.render();
      for (const line of [
        'flotilla_gateway_requests_total{route="a",code="101"} 1',
        'flotilla_gateway_websockets{route="a"} 0',
        'flotilla_gateway_websockets_closed_total{route="a",by="client"} 1',
        'flotilla_gateway_websocket_duration_seconds_count{route="a"} 1',
        'flotilla_gateway_in_flight 0',
      ]) {
        assert(text.includes(`${line}\n`), `${line} is missing in\n${text}`);
      }
      const { status, bytesIn, bytesOut, closedBy, outcome } = requestLine(world);
      assert.deepEqual([status, bytesIn, bytesOut, closedBy, outcome], [101, 6, 4, 'client', 'OK']);
    });
  });
}

async function socketWorld(
  engine: EngineUnderTest,
  webSocket: object | boolean,
  parts: object = {},
  options: ConstructorParameters<typeof World>[1] = {},
): Promise<{ world: World; server: SocketServer; url: string }> {
  const world = new World(engine, options);
  const server = new SocketServer();
  const { url } = await world.serve(server.handler);
  await world.open({ id: 'a', path: '/**', to: url, webSocket, ...parts });
  return { world, server, url };
}

/** Ends a socket from both sides, or reads an ordinary answer. */
async function end(opened: HttpResponse, up: Tap, server: SocketServer): Promise<void> {
  if (opened.status !== 101) return void (await whole(Promise.resolve(opened)));
  up.put();
  server.tap.put();
  const [down, received] = [streamed(opened.body), server.received];
  while ((await down.next()).done !== true);
  while ((await received.next()).done !== true);
  await settle();
}

async function allBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const all: number[] = [];
  for (let chunk = await nextBytes(chunks); chunk; chunk = await nextBytes(chunks)) all.push(...chunk);
  return Uint8Array.from(all);
}

async function nextBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const { done, value } = await chunks.next();
  return done ? undefined : Uint8Array.from(value);
}

function requestLine(world: World): Readonly<Record<string, unknown>> {
  const lines = world.lines.filter(({ message }) => message === 'request');
  const line = lines.find(({ fields }) => 'closedBy' in fields) ?? lines[0];
  assert(line, 'no line in the access log');
  return line.fields;
}
