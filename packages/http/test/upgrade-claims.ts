import assert from 'node:assert/strict';
import type { Call } from '@flotilla/core';
import { FlotillaError } from '@flotilla/core';
import type { HttpBody, HttpRequest, HttpResponse } from '../src/exchange.ts';
import { HttpHeaders } from '../src/headers.ts';
import { webSocketAccept } from '../src/websocket-handshake.ts';
import {
  bytes,
  type Fixture,
  hasCode,
  nextText,
  pieces,
  request,
  response,
  Supply,
  Tap,
  text,
  untilStill,
} from './contract-support.ts';

type Claim = (title: string, check: (fixture: Fixture) => Promise<void>) => void;

const key = 'dGhlIHNhbXBsZSBub25jZQ==';

/** A request that asks for a WebSocket. */
export function handshake(
  incoming: AsyncIterable<Uint8Array>,
  extra: Iterable<readonly [string, string]> = [],
): HttpRequest {
  const headers: [string, string][] = [
    ['sec-websocket-key', key],
    ['sec-websocket-version', '13'],
  ];
  return {
    ...request('GET', '/socket', { headers: [...headers, ...extra] }),
    upgrade: { protocol: 'websocket', incoming },
  };
}

function accepted(body: AsyncIterable<Uint8Array>, extra: [string, string][] = []): HttpResponse {
  return { status: 101, headers: new HttpHeaders(extra), body };
}

/** What an engine promises of requests that change the protocol. */
export function upgradeClaims(claim: Claim): void {
  claim('a request that asks for a WebSocket says so, and an answer 101 opens both ways', async (fixture) => {
    const seen: HttpRequest[] = [];
    const [up, down] = [new Tap(), new Tap()];
    const { endpoint } = await fixture.serve(async (asked) => {
      seen.push(asked);
      return accepted(down.body, [['sec-websocket-protocol', 'chat']]);
    });
    const answer = await endpoint.handle(handshake(up.body, [['sec-websocket-protocol', 'chat']]), fixture.call());
    const [asked] = seen;
    assert.ok(asked);
    assert.deepEqual([asked.upgrade?.protocol, asked.body], ['websocket', undefined]);
    assert.equal(asked.headers.get('sec-websocket-key'), key);
    assert.equal(answer.status, 101);
    assert.equal(answer.headers.get('sec-websocket-protocol'), 'chat');
    assert.equal(answer.headers.get('sec-websocket-accept'), webSocketAccept(key));
    const [received, given] = [pieces(asked.upgrade?.incoming), pieces(answer.body)];
    for (const word of ['one', 'two']) {
      up.send(word);
      assert.equal(await nextText(received), word);
      down.send(word);
      assert.equal(await nextText(given), word);
    }
    up.end();
    down.end();
    assert.equal(await nextText(received), undefined);
    assert.equal(await nextText(given), undefined);
  });

  claim('bytes that follow the handshake at once arrive, in either direction', async (fixture) => {
    const { endpoint } = await fixture.serve(async ({ upgrade }) => accepted(upperCase(upgrade?.incoming)));
    const up = new Tap();
    up.send('at ');
    up.send('once');
    up.end();
    const answer = await endpoint.handle(handshake(up.body), fixture.call());
    assert.equal(await text(answer.body), 'hello AT ONCE');
  });

  claim('each direction ends by itself, and the call with the later one', async (fixture) => {
    for (const first of ['client', 'server'] as const) {
      const serverCalls: Call[] = [];
      const [up, down] = [new Tap(), new Tap()];
      const bodies: HttpBody[] = [];
      const { endpoint, listener } = await fixture.serve(async ({ upgrade }, call) => {
        serverCalls.push(call);
        bodies.push(upgrade?.incoming);
        return accepted(down.body);
      });
      const call = fixture.call();
      const answer = await endpoint.handle(handshake(up.body), call);
      const [received, given] = [pieces(bodies[0]), pieces(answer.body)];
      const [ended, open] = first === 'client' ? [up, down] : [down, up];
      const [endedAt, openAt] = first === 'client' ? [received, given] : [given, received];
      ended.end();
      assert.equal(await nextText(endedAt), undefined);
      open.send('still here');
      assert.equal(await nextText(openAt), 'still here');
      assert.deepEqual([call.ended, serverCalls[0]?.ended, endpoint.load, listener.inFlight], [false, false, 1, 1]);
      open.end();
      assert.equal(await nextText(openAt), undefined);
      await untilStill(() => endpoint.load + listener.inFlight);
      assert.deepEqual([call.ended, serverCalls[0]?.ended, endpoint.load, listener.inFlight], [true, true, 0, 0]);
      assert.equal(serverCalls[0]?.cancelled, undefined);
    }
  });

  claim('any other answer is an ordinary one, and what the client would send stays untouched', async (fixture) => {
    const { endpoint } = await fixture.serve(async () => response(403, 'not you', [['x-why', 'origin']]));
    let begun = 0;
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: true as const, value: ++begun }),
        return: async () => ({ done: true as const, value: ++begun }),
      }),
    };
    const answer = await endpoint.handle(handshake(body as never), fixture.call());
    assert.deepEqual([answer.status, answer.headers.get('x-why')], [403, 'origin']);
    assert.equal(await text(answer.body), 'not you');
    assert.equal(begun, 0);
  });

  claim('a long answer that is none of 101 arrives whole', async (fixture) => {
    const supply = new Supply();
    const { endpoint } = await fixture.serve(async () => response(200, supply.body()));
    const answer = await endpoint.handle(handshake(new Tap().body), fixture.call());
    assert.equal((await bytes(answer.body)).length, supply.totalBytes);
  });

  claim('whoever takes nothing stops the other side from making more, both ways', async (fixture) => {
    const [up, down] = [new Supply(), new Supply()];
    const bodies: HttpBody[] = [];
    const { endpoint } = await fixture.serve(async ({ upgrade }) => {
      bodies.push(upgrade?.incoming);
      return accepted(down.body());
    });
    const answer = await endpoint.handle(handshake(up.body()), fixture.call());
    await untilStill(() => up.produced + down.produced);
    assert.ok(down.produced < down.chunks / 2, `${down.produced} of ${down.chunks} chunks made for nobody`);
    assert.ok(up.produced < up.chunks / 2, `${up.produced} of ${up.chunks} chunks sent to nobody`);
    const [received, given] = await Promise.all([bytes(bodies[0]), bytes(answer.body)]);
    assert.deepEqual([received.length, given.length], [up.totalBytes, down.totalBytes]);
  });

  claim('an answer 101 that nobody asked for is INTERNAL', async (fixture) => {
    const { endpoint } = await fixture.serve(async () => accepted(new Tap().body));
    const answer = await endpoint.handle(request('GET', '/'), fixture.call());
    assert.equal(answer.status, 500);
    await text(answer.body);
  });

  claim('a handshake that is none is refused before anything is sent', async (fixture) => {
    let handled = 0;
    const { endpoint } = await fixture.serve(async () => {
      handled++;
      return response(200);
    });
    const good = handshake(new Tap().body);
    const bad: HttpRequest[] = [
      { ...good, method: 'POST' },
      { ...good, headers: new HttpHeaders([['sec-websocket-version', '13']]) },
      { ...good, body: Buffer.from('x') },
    ];
    for (const asked of bad) await assert.rejects(endpoint.handle(asked, fixture.call()), hasCode('INTERNAL', 'no'));
    assert.equal(handled, 0);
  });

  claim('cancelling the call breaks both directions, and the server hears of it', async (fixture) => {
    const serverCalls: Call[] = [];
    const [up, down] = [new Tap(), new Tap()];
    const bodies: HttpBody[] = [];
    const { endpoint } = await fixture.serve(async ({ upgrade }, call) => {
      serverCalls.push(call);
      bodies.push(upgrade?.incoming);
      return accepted(down.body);
    });
    const call = fixture.call();
    const answer = await endpoint.handle(handshake(up.body), call);
    const lost = assert.rejects(pieces(bodies[0]).next(), hasCode('CANCELLED'));
    const cancelled = assert.rejects(pieces(answer.body).next(), hasCode('CANCELLED'));
    call.cancel();
    await Promise.all([lost, cancelled, up.left, down.left]);
    assert.deepEqual([endpoint.load, serverCalls[0]?.cancelled?.code], [0, 'CANCELLED']);
  });

  claim('a server that breaks off is CONNECTION_LOST for its client', async (fixture) => {
    const [up, down] = [new Tap(), new Tap()];
    const { endpoint } = await fixture.serve(async () => accepted(down.body));
    const call = fixture.call();
    const given = pieces((await endpoint.handle(handshake(up.body), call)).body);
    down.send('half');
    assert.equal(await nextText(given), 'half');
    down.fail(new Error('the disk is gone'));
    await assert.rejects(given.next(), hasCode('CONNECTION_LOST'));
    await up.left;
    assert.deepEqual([call.ended, endpoint.load], [true, 0]);
  });

  claim('a server that ended its direction can still break off', async (fixture) => {
    const [up, down] = [new Tap(), new Tap()];
    const serverCalls: Call[] = [];
    const { endpoint } = await fixture.serve(async (_, call) => {
      serverCalls.push(call);
      return accepted(down.body);
    });
    const call = fixture.call();
    const given = pieces((await endpoint.handle(handshake(up.body), call)).body);
    down.end();
    assert.equal(await nextText(given), undefined);
    assert.equal(call.ended, false);
    serverCalls[0]?.cancel();
    await untilStill(() => Number(serverCalls[0]?.ended));
    up.send('to nobody'); // a socket whose peer had closed its direction hears of the break when it sends
    await up.left;
    assert.deepEqual([call.ended, endpoint.load], [true, 0]);
  });

  claim('a client that breaks off is CANCELLED for its server', async (fixture) => {
    const [up, down] = [new Tap(), new Tap()];
    const bodies: HttpBody[] = [];
    const { endpoint } = await fixture.serve(async ({ upgrade }) => {
      bodies.push(upgrade?.incoming);
      return accepted(down.body);
    });
    await endpoint.handle(handshake(up.body), fixture.call());
    up.fail(new FlotillaError('UNAVAILABLE', 'the disk is gone'));
    await assert.rejects(pieces(bodies[0]).next(), hasCode('CANCELLED'));
    await down.left;
  });

  claim('what is still open at the drain deadline is broken off with a reason', async (fixture) => {
    const serverCalls: Call[] = [];
    const [up, down] = [new Tap(), new Tap()];
    const { endpoint, listener } = await fixture.serve(async (_, call) => {
      serverCalls.push(call);
      return accepted(down.body);
    });
    const given = pieces((await endpoint.handle(handshake(up.body), fixture.call())).body);
    const drained = listener.drain(20);
    down.send('until the end');
    assert.equal(await nextText(given), 'until the end');
    await fixture.under.pass(20);
    await drained;
    await assert.rejects(given.next(), hasCode('CONNECTION_LOST'));
    assert.equal(serverCalls[0]?.cancelled?.code, 'UNAVAILABLE');
  });
}

async function* upperCase(body: HttpBody): AsyncGenerator<Uint8Array> {
  yield Buffer.from('hello ');
  for await (const chunk of body as AsyncIterable<Uint8Array>)
    yield Buffer.from(Buffer.from(chunk).toString().toUpperCase());
}
