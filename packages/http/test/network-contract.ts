import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Call, FlotillaError, problemMediaType } from '@flotilla/core';
import { pathFromSegments, type RequestPath } from '../src/path.ts';
import {
  bytes,
  Fixture,
  hasCode,
  type NetworkUnderTest,
  nextText,
  pattern,
  pieces,
  request,
  response,
  Supply,
  stream,
  Tap,
  text,
  untilCancelled,
  untilStill,
} from './contract-support.ts';
import { upgradeClaims } from './upgrade-claims.ts';

export type { NetworkUnderTest } from './contract-support.ts';

/** What every engine of the port `HttpNetwork` promises. Call it in a test file of the engine. */
export function networkContract(name: string, makeNetwork: () => NetworkUnderTest): void {
  const claim = (title: string, check: (fixture: Fixture) => Promise<void>): void => {
    it(title, { timeout: 20_000 }, async () => {
      const fixture = new Fixture(makeNetwork());
      try {
        await check(fixture);
      } catch (thrown) {
        fixture.abandon();
        throw thrown;
      }
      await fixture.close();
    });
  };
  describe(`the network ${name}: messages`, () => messageClaims(claim));
  describe(`the network ${name}: streams`, () => streamClaims(claim));
  describe(`the network ${name}: calls and failures`, () => failureClaims(claim));
  describe(`the network ${name}: changes of protocol`, () => upgradeClaims(claim));
  describe(`the network ${name}: listening and draining`, () => drainClaims(claim));
}

type Claim = (title: string, check: (fixture: Fixture) => Promise<void>) => void;

function messageClaims(claim: Claim): void {
  claim('a request arrives as it was sent, and its answer as it was given', async (fixture) => {
    const { endpoint } = await fixture.serve(async ({ method, authority, path, query, headers, body }) => {
      const seen = { method, authority, path: path.text, segments: path.segments, query, x: headers.getAll('x-a') };
      return response(201, JSON.stringify({ ...seen, text: await text(body) }), [['location', '/a/1']]);
    });
    const sent = request('POST', '/a/b%20c/', {
      authority: 'shop.example:81',
      query: 'q=1&r=%20',
      body: 'héllo',
      headers: [
        ['X-A', '1'],
        ['x-a', '2'],
      ],
    });
    const answer = await endpoint.handle(sent, fixture.call());
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('location'), '/a/1');
    assert.deepEqual(JSON.parse(await text(answer.body)), {
      method: 'POST',
      authority: 'shop.example:81',
      path: '/a/b%20c/',
      segments: ['a', 'b c', ''],
      query: 'q=1&r=%20',
      x: ['1', '2'],
      text: 'héllo',
    });
  });

  claim('no field that only concerns the connection reaches the other side', async (fixture) => {
    const own: [string, string][] = [
      ['connection', 'close'],
      ['host', 'elsewhere'],
      ['expect', '100-continue'],
      ['keep-alive', 'timeout=1'],
      ['transfer-encoding', 'gzip'],
      ['upgrade', 'h2c'],
    ];
    const names = own.map(([field]) => field);
    const { endpoint } = await fixture.serve(async ({ headers, peer }) => {
      assert.equal(peer?.address, '127.0.0.1');
      return response(200, names.filter((field) => headers.has(field)).join(), own);
    });
    const answer = await endpoint.handle(request('POST', '/', { body: stream(['x']), headers: own }), fixture.call());
    assert.equal(await text(answer.body), '');
    assert.deepEqual(
      names.filter((field) => answer.headers.has(field)),
      [],
    );
  });

  claim('nothing is shared: what one side changes in its message the other does not see', async (fixture) => {
    const given = Buffer.from('given');
    const { endpoint } = await fixture.serve(async ({ headers }) => {
      headers.set('x-mine', 'of the server');
      return { status: 200, headers, body: given };
    });
    const sent = request('GET', '/', { headers: [['x-mine', 'of the client']] });
    const answer = await endpoint.handle(sent, fixture.call());
    assert.deepEqual([...sent.headers], [['x-mine', 'of the client']]);
    assert.equal(answer.headers.get('x-mine'), 'of the server');
    const received = await bytes(answer.body);
    received.fill(0);
    assert.equal(given.toString(), 'given');
  });

  claim('repeated set-cookie fields stay apart', async (fixture) => {
    const cookies: [string, string][] = [
      ['set-cookie', 'a=1; Path=/'],
      ['set-cookie', 'b=2, with a comma'],
    ];
    const { endpoint } = await fixture.serve(async () => response(200, '', cookies));
    const answer = await endpoint.handle(request('GET', '/'), fixture.call());
    assert.deepEqual(answer.headers.getAll('set-cookie'), ['a=1; Path=/', 'b=2, with a comma']);
  });

  claim('HEAD, 204 and 304 have no body, and HEAD keeps the length of what GET would give', async (fixture) => {
    const { endpoint } = await fixture.serve(async ({ path }) => response(Number(path.segments[0]), 'twelve bytes'));
    const rows = [
      ['GET', 200, '12'],
      ['HEAD', 200, '12'],
      ['GET', 204, undefined],
    ] as const;
    for (const [method, status, length] of rows) {
      const answer = await endpoint.handle(request(method, `/${status}`), fixture.call());
      assert.equal(answer.headers.get('content-length'), length, `${method} ${status}`);
      assert.equal(await text(answer.body), method === 'GET' && status === 200 ? 'twelve bytes' : '');
    }
    const unchanged = await endpoint.handle(request('GET', '/304'), fixture.call());
    assert.equal(await text(unchanged.body), '');
  });

  claim('the stream behind an answer to HEAD is left unread', async (fixture) => {
    const tap = new Tap();
    const { endpoint } = await fixture.serve(async () => response(200, tap.body));
    const answer = await endpoint.handle(request('HEAD', '/'), fixture.call());
    assert.equal(await text(answer.body), '');
    await tap.left;
  });

  claim('calls of one endpoint run at once and do not mix', async (fixture) => {
    const { endpoint } = await fixture.serve(async ({ path, body }) =>
      response(200, `${path.text}:${await text(body)}`),
    );
    const numbers = Array.from({ length: 40 }, (_, i) => i);
    const answers = numbers.map(async (n) => {
      const answer = await endpoint.handle(request('POST', `/${n}`, { body: `body ${n}` }), fixture.call());
      return text(answer.body);
    });
    assert.deepEqual(
      await Promise.all(answers),
      numbers.map((n) => `/${n}:body ${n}`),
    );
  });

  claim('trace, baggage, priority, attempt and idempotency key travel with the call', async (fixture) => {
    const seen: Call[] = [];
    const { endpoint } = await fixture.serve(async (_, call) => {
      seen.push(call);
      return response(200);
    });
    const baggage = new Map([
      ['flotilla.tenant', 'blue'],
      ['k', 'ä, b'],
    ]);
    const clientCall = fixture.call({ baggage, urgency: 1, attempt: 2, idempotencyKey: 'k-1' });
    await endpoint.handle(request('GET', '/'), clientCall);
    const [serverCall] = seen;
    assert.ok(serverCall);
    assert.equal(serverCall.trace.traceId, clientCall.trace.traceId);
    assert.deepEqual([...serverCall.baggage], [...baggage]);
    assert.equal(serverCall.tenant, 'blue');
    assert.equal(serverCall.priority, 'critical');
    assert.equal(serverCall.attempt, 2);
    assert.equal(serverCall.idempotencyKey, 'k-1');
  });

  claim('a path is read anew on arrival: what is unsafe in it is refused before the handler', async (fixture) => {
    const { endpoint } = await fixture.serve(async ({ path }) => response(200, path.text));
    const read = async (path: RequestPath): Promise<string> => {
      const answer = await endpoint.handle({ ...request('GET', '/'), path }, fixture.call());
      return `${answer.status} ${await text(answer.body)}`;
    };
    assert.equal(await read({ text: '/a//b/%7ec', segments: [] }), '200 /a/b/~c');
    assert.match(await read(pathFromSegments(['a/b'])), /^400 .*MALFORMED_REQUEST/);
  });

  claim('a message that cannot be written is refused before anything is sent', async (fixture) => {
    let handled = 0;
    const { endpoint } = await fixture.serve(async () => {
      handled++;
      return response(200);
    });
    const good = request('GET', '/');
    const bad = [
      { ...good, method: 'GET / HTTP/1.1\r\nx:' },
      { ...good, authority: 'a@b' },
      { ...good, query: 'a b' },
      request('GET', '/', { headers: [['x', 'a\r\nb: c']] }),
      request('GET', '/', { headers: [['x y', '1']] }),
    ];
    for (const message of bad) {
      await assert.rejects(endpoint.handle(message, fixture.call()), hasCode('INTERNAL', 'no'));
    }
    assert.equal(handled, 0);
  });

  claim('a handler that gives what cannot be written causes a problem of its own making', async (fixture) => {
    const answers = [response(99), response(600), response(200, '', [['x', 'a\r\nb: c']])];
    const { endpoint } = await fixture.serve(async ({ path }) => answers[Number(path.segments[0])] ?? response(200));
    for (const n of [0, 1, 2]) {
      const answer = await endpoint.handle(request('GET', `/${n}`), fixture.call());
      assert.equal(answer.status, 500);
      assert.equal(JSON.parse(await text(answer.body)).code, 'INTERNAL');
    }
  });
}

function streamClaims(claim: Claim): void {
  claim('bytes and streams arrive whole, whatever their size', async (fixture) => {
    const { endpoint } = await fixture.serve(async ({ body }) => response(200, await bytes(body)));
    for (const upload of ['', 'a', 'ab'.repeat(100_000)]) {
      const whole = await endpoint.handle(request('POST', '/', { body: upload }), fixture.call());
      assert.equal(await text(whole.body), upload);
      const streamed = request('POST', '/', { body: stream([upload, '', 'end']) });
      assert.equal(await text((await endpoint.handle(streamed, fixture.call())).body), `${upload}end`);
    }
  });

  claim('a large answer arrives unchanged, with its length', async (fixture) => {
    const { endpoint } = await fixture.serve(async () => response(200, pattern(3_000_000)));
    const answer = await endpoint.handle(request('GET', '/'), fixture.call());
    assert.equal(answer.headers.get('content-length'), '3000000');
    assert.ok((await bytes(answer.body)).equals(pattern(3_000_000)));
  });

  claim('a stream of declared length keeps it, and one that breaks its word is cut', async (fixture) => {
    const declared: [string, string][] = [['content-length', '6']];
    const { endpoint } = await fixture.serve(async ({ path }) =>
      response(200, stream(path.text === '/right' ? ['abc', 'def'] : ['abc', 'defg']), declared),
    );
    const right = await endpoint.handle(request('GET', '/right'), fixture.call());
    assert.equal(right.headers.get('content-length'), '6');
    assert.equal(await text(right.body), 'abcdef');
    const wrong = await endpoint.handle(request('GET', '/wrong'), fixture.call());
    await assert.rejects(text(wrong.body), hasCode('CONNECTION_LOST'));
  });

  claim('a handler may answer while it reads: each piece is back before the next one goes', async (fixture) => {
    const { endpoint } = await fixture.serve(async ({ body }) => response(200, body));
    const tap = new Tap();
    tap.send('one'); // an engine may send the head together with the first piece
    const answer = await endpoint.handle(request('POST', '/', { body: tap.body }), fixture.call());
    const echoed = pieces(answer.body);
    assert.equal(await nextText(echoed), 'one');
    for (const piece of ['two', 'three']) {
      tap.send(piece);
      assert.equal(await nextText(echoed), piece);
    }
    tap.end();
    assert.equal(await nextText(echoed), undefined);
  });

  claim('a reader that takes nothing stops the server from making more', async (fixture) => {
    const supply = new Supply();
    const { endpoint } = await fixture.serve(async () => response(200, supply.body()));
    const answer = await endpoint.handle(request('GET', '/'), fixture.call());
    await untilStill(() => supply.produced);
    assert.ok(supply.produced < supply.chunks / 2, `${supply.produced} of ${supply.chunks} chunks made for nobody`);
    assert.equal((await bytes(answer.body)).length, supply.totalBytes);
  });

  claim('a handler that reads nothing stops the client from sending more', async (fixture) => {
    const supply = new Supply();
    const proceed = Promise.withResolvers<void>();
    const { endpoint } = await fixture.serve(async ({ body }) => {
      await proceed.promise;
      let length = 0;
      for await (const chunk of body as AsyncIterable<Uint8Array>) length += chunk.length;
      return response(200, `${length}`);
    });
    const answer = endpoint.handle(request('POST', '/', { body: supply.body() }), fixture.call());
    await untilStill(() => supply.produced);
    assert.ok(supply.produced < supply.chunks / 2, `${supply.produced} of ${supply.chunks} chunks sent to nobody`);
    proceed.resolve();
    // The listener's own limit of 10 MB comes first: what matters here is that reading went on.
    assert.match(await text((await answer).body), /BODY_TOO_LARGE|^33554432$/);
  });

  claim('a call ends with its last byte, not with its head', async (fixture) => {
    const tap = new Tap();
    const { endpoint, listener } = await fixture.serve(async () => response(200, tap.body));
    const call = fixture.call();
    const answer = await endpoint.handle(request('GET', '/'), call);
    assert.deepEqual([call.ended, endpoint.load, listener.inFlight], [false, 1, 1]);
    const body = pieces(answer.body);
    tap.send('last');
    assert.equal(await nextText(body), 'last');
    assert.equal(call.ended, false);
    tap.end();
    assert.equal(await nextText(body), undefined);
    await untilStill(() => listener.inFlight);
    assert.deepEqual([call.ended, endpoint.load, listener.inFlight], [true, 0, 0]);
  });

  claim('leaving an answer early stops whoever sends it', async (fixture) => {
    const tap = new Tap();
    const calls: Call[] = [];
    const { endpoint } = await fixture.serve(async (_, call) => {
      calls.push(call);
      return response(200, tap.body);
    });
    const answer = await endpoint.handle(request('GET', '/'), fixture.call());
    tap.send('first');
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      assert.equal(Buffer.from(chunk).toString(), 'first');
      break;
    }
    assert.equal(endpoint.load, 0);
    await tap.left;
    assert.equal(calls[0]?.cancelled?.code, 'CANCELLED');
  });

  claim('a body that nobody reads costs neither the answer nor the next call', async (fixture) => {
    const { endpoint } = await fixture.serve(async () => response(200, 'not interested'));
    for (const body of ['small', 'x'.repeat(60_000), 'x'.repeat(3_000_000)]) {
      const answer = await endpoint.handle(request('POST', '/', { body }), fixture.call());
      assert.equal(await text(answer.body), 'not interested');
    }
  });
}

function failureClaims(claim: Claim): void {
  claim('the deadline travels: a handler has no more time than its caller', async (fixture) => {
    const { endpoint } = await fixture.serve(async (_, call) => response(200, `${call.remainingMs}`));
    const deadline = fixture.under.clock.now() + 5_000;
    const limited = await endpoint.handle(request('GET', '/'), fixture.call({ deadline }));
    const remainingMs = Number(await text(limited.body));
    assert.ok(remainingMs > 3_000 && remainingMs <= 5_000, `${remainingMs}`);
  });

  claim('a deadline that passes ends the call, and the handler hears of it', async (fixture) => {
    const heard = Promise.withResolvers<string>();
    const { endpoint } = await fixture.serve((_, call) => {
      call.onCancel((reason) => heard.resolve(reason.code));
      return new Promise(() => {});
    });
    const call = fixture.call({ deadline: fixture.under.clock.now() + 40 });
    // The callee is told a little less time than its caller has, so that its own "too late" may still arrive.
    const code = endpoint.handle(request('GET', '/'), call).then(
      async ({ body }) => JSON.parse(await text(body)).code,
      (error: FlotillaError) => error.code,
    );
    await untilStill(() => endpoint.load);
    await fixture.under.pass(60);
    assert.equal(await code, 'DEADLINE_EXCEEDED');
    assert.equal(call.ended, true);
    assert.match(await heard.promise, /^(CANCELLED|DEADLINE_EXCEEDED)$/);
  });

  claim('cancelling a call rejects it at once with the reason, and reaches the handler', async (fixture) => {
    const reached = Promise.withResolvers<Call>();
    const { endpoint } = await fixture.serve((_, call) => {
      reached.resolve(call);
      return untilCancelled(call);
    });
    const call = fixture.call();
    const answer = endpoint.handle(request('GET', '/'), call);
    const serverCall = await reached.promise;
    const ended = Promise.withResolvers<void>();
    serverCall.onEnd(() => ended.resolve());
    const reason = new FlotillaError('CANCELLED', 'enough');
    call.cancel(reason);
    await assert.rejects(answer, (thrown) => thrown === reason);
    assert.deepEqual([call.ended, endpoint.load], [true, 0]);
    await ended.promise;
    assert.equal(serverCall.cancelled?.code, 'CANCELLED');
  });

  claim('cancelling a call while its answer is read breaks the answer off', async (fixture) => {
    const tap = new Tap();
    const { endpoint } = await fixture.serve(async () => response(200, tap.body));
    const call = fixture.call();
    const answer = await endpoint.handle(request('GET', '/'), call);
    const body = pieces(answer.body);
    tap.send('first');
    assert.equal(await nextText(body), 'first');
    const next = body.next();
    call.cancel();
    await assert.rejects(next, hasCode('CANCELLED'));
    await tap.left;
    assert.equal(endpoint.load, 0);
  });

  claim('cancelling a call stops the upload that belongs to it', async (fixture) => {
    const reads: Promise<unknown>[] = [];
    const reading = Promise.withResolvers<void>();
    const { endpoint } = await fixture.serve(async ({ body }) => {
      reading.resolve();
      const read = text(body);
      reads.push(read.catch((error: unknown) => error));
      return response(200, await read);
    });
    const tap = new Tap();
    const call = fixture.call();
    const answer = endpoint.handle(request('POST', '/', { body: tap.body }), call);
    tap.send('some');
    await reading.promise;
    call.cancel();
    await assert.rejects(answer, hasCode('CANCELLED'));
    await tap.left;
    assert.ok(hasCode('CANCELLED')(await reads[0]));
  });

  claim('a call that is cancelled before it starts sends nothing', async (fixture) => {
    let handled = 0;
    const { endpoint } = await fixture.serve(async () => {
      handled++;
      return response(200);
    });
    const call = fixture.call();
    call.cancel();
    await assert.rejects(endpoint.handle(request('GET', '/'), call), hasCode('CANCELLED'));
    assert.deepEqual([call.ended, endpoint.load, handled], [true, 0, 0]);
  });

  claim('an upload that fails breaks the exchange off on both sides', async (fixture) => {
    const serverCalls: Call[] = [];
    const reached = Promise.withResolvers<void>();
    const { endpoint } = await fixture.serve(async ({ body }, call) => {
      serverCalls.push(call);
      reached.resolve();
      return response(200, await text(body));
    });
    const tap = new Tap();
    const answer = endpoint.handle(request('POST', '/', { body: tap.body }), fixture.call());
    tap.send('half');
    await reached.promise;
    tap.fail(new FlotillaError('UNAVAILABLE', 'the disk is gone'));
    await assert.rejects(answer, hasCode('UNAVAILABLE'));
    await untilStill(() => Number(serverCalls[0]?.ended));
    assert.equal(serverCalls[0]?.cancelled?.code, 'CANCELLED');
  });

  claim(
    'a handler that throws is answered by a problem: what it declared, else INTERNAL without a word',
    async (fixture) => {
      const { endpoint } = await fixture.serve(async ({ path }) => {
        if (path.text === '/declared') throw new FlotillaError('RATE_LIMITED', 'too many', { retryAfterMs: 50 });
        throw new TypeError('secret of the implementation');
      });
      const declared = await endpoint.handle(request('GET', '/declared'), fixture.call());
      assert.deepEqual([declared.status, declared.headers.get('content-type')], [429, problemMediaType]);
      assert.equal(JSON.parse(await text(declared.body)).code, 'RATE_LIMITED');
      const thrown = await endpoint.handle(request('GET', '/thrown'), fixture.call());
      assert.equal(thrown.status, 500);
      const problem = await text(thrown.body);
      assert.equal(JSON.parse(problem).code, 'INTERNAL');
      assert.doesNotMatch(problem, /secret/);
    },
  );

  claim('a handler that throws before its first await is answered by a problem too', async (fixture) => {
    const { endpoint } = await fixture.serve(() => {
      throw new FlotillaError('FORBIDDEN', 'not you');
    });
    const answer = await endpoint.handle(request('GET', '/'), fixture.call());
    assert.equal(answer.status, 403);
    assert.equal(JSON.parse(await text(answer.body)).code, 'FORBIDDEN');
  });

  claim('an answer that fails half-way is never taken for a whole one', async (fixture) => {
    const serverCalls: Call[] = [];
    const tap = new Tap();
    const { endpoint } = await fixture.serve(async (_, call) => {
      serverCalls.push(call);
      return response(200, tap.body);
    });
    const call = fixture.call();
    const answer = await endpoint.handle(request('GET', '/'), call);
    const body = pieces(answer.body);
    tap.send('half');
    assert.equal(await nextText(body), 'half');
    tap.fail(new Error('the disk is gone'));
    await assert.rejects(body.next(), hasCode('CONNECTION_LOST', 'unknown'));
    assert.deepEqual([call.ended, endpoint.load], [true, 0]);
    await untilStill(() => Number(serverCalls[0]?.ended));
    assert.equal(serverCalls[0]?.ended, true);
  });

  claim('nobody listening: CONNECT_FAILED, certainly not executed', async (fixture) => {
    const { endpoint, listener } = await fixture.serve(async () => response(200));
    await listener.drain(0);
    const call = fixture.call();
    await assert.rejects(endpoint.handle(request('POST', '/', { body: 'x' }), call), hasCode('CONNECT_FAILED', 'no'));
    assert.equal(call.ended, true);
  });

  claim('a closed endpoint refuses', async (fixture) => {
    const { endpoint } = await fixture.serve(async () => response(200));
    assert.equal(endpoint.status, 'open');
    const closing = endpoint.close();
    assert.equal(endpoint.close(), closing);
    assert.equal(endpoint.status, 'closed');
    await closing;
    await assert.rejects(endpoint.handle(request('GET', '/'), fixture.call()), hasCode('UNAVAILABLE', 'no'));
  });

  claim('closing an endpoint lets calls in hand end', async (fixture) => {
    const tap = new Tap();
    const { endpoint } = await fixture.serve(async () => response(200, tap.body));
    const answer = await endpoint.handle(request('GET', '/'), fixture.call());
    const closing = endpoint.close();
    tap.send('all ');
    tap.send('of it');
    tap.end();
    assert.equal(await text(answer.body), 'all of it');
    await closing;
  });
}

function drainClaims(claim: Claim): void {
  claim('an address is taken once: the second listener is told which and what to do', async (fixture) => {
    const { listener } = await fixture.serve(async () => response(200));
    const again = fixture.under.network.listen({ host: '127.0.0.1', port: listener.port }, async () => response(200));
    await assert.rejects(again, (thrown) => {
      assert.match(String(thrown), new RegExp(`ADDRESS_IN_USE.*127\\.0\\.0\\.1:${listener.port}.*another port`));
      return hasCode('ADDRESS_IN_USE')(thrown);
    });
  });

  claim('a drained address can be taken again', async (fixture) => {
    const { listener, endpoint } = await fixture.serve(async () => response(200, 'old'));
    assert.equal(await text((await endpoint.handle(request('GET', '/'), fixture.call())).body), 'old');
    await listener.drain(1_000);
    const bind = { host: '127.0.0.1', port: listener.port };
    const next = await fixture.under.network.listen(bind, async () => response(200, 'new'));
    assert.equal(await text((await endpoint.handle(request('GET', '/'), fixture.call())).body), 'new');
    await endpoint.close();
    await next.drain(1_000);
  });

  claim('draining lets work in hand end, refuses what is new, and then is over', async (fixture) => {
    const tap = new Tap();
    const { listener, endpoint, target } = await fixture.serve(async ({ path }) =>
      response(200, path.text === '/slow' ? tap.body : 'quick'),
    );
    const answer = await endpoint.handle(request('GET', '/slow'), fixture.call());
    let over = false;
    const drained = listener.drain(10_000).then(() => {
      over = true;
    });
    assert.equal(listener.drain(0), listener.drain(5));
    const other = fixture.under.network.connect(target);
    await assert.rejects(other.handle(request('GET', '/'), fixture.call()), hasCode('CONNECT_FAILED', 'no'));
    await other.close();
    assert.equal(over, false);
    tap.send('done');
    tap.end();
    assert.equal(await text(answer.body), 'done');
    await drained;
    assert.deepEqual([listener.connections, listener.inFlight], [0, 0]);
  });

  claim('draining closes idle connections at once', async (fixture) => {
    const { listener, endpoint } = await fixture.serve(async () => response(200, 'x'));
    await text((await endpoint.handle(request('GET', '/'), fixture.call())).body);
    await listener.drain(Infinity);
    assert.equal(listener.connections, 0);
  });

  claim('what is still in hand at the drain deadline is cancelled with a reason and broken off', async (fixture) => {
    const serverCalls: Call[] = [];
    const reached = Promise.withResolvers<void>();
    const { listener, endpoint } = await fixture.serve((_, call) => {
      serverCalls.push(call);
      reached.resolve();
      return new Promise(() => {});
    });
    const lost = assert.rejects(
      endpoint.handle(request('GET', '/'), fixture.call()),
      hasCode('CONNECTION_LOST', 'unknown'),
    );
    await reached.promise;
    const drained = listener.drain(20);
    await fixture.under.pass(20);
    await drained;
    await lost;
    assert.equal(serverCalls[0]?.cancelled?.code, 'UNAVAILABLE');
    assert.equal(serverCalls[0]?.ended, true);
  });
}
