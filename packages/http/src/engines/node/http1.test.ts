import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Call, currentCall, FlotillaError, type LogFields, nullLogger } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { bytes, response, Supply, stream, Tap, text, untilStill } from '../../../test/contract-support.ts';
import { statuses } from '../../../test/raw-client.ts';
import { rawServer } from '../../../test/raw-server.ts';
import type { HttpResponse } from '../../exchange.ts';
import { HttpHeaders } from '../../headers.ts';
import { answeringNow } from '../../prompt.ts';

const options = { timeout: 20_000 };
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (fields: string, body = ''): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;

describe('HTTP/1.1: bodies that come in', () => {
  it('a body that ends too soon is never taken for a whole one', options, async () => {
    for (const cut of [
      post('Content-Length: 10\r\n', 'hello'),
      post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n'),
      post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n'),
    ]) {
      const calls: Call[] = [];
      const read = Promise.withResolvers<unknown>();
      const server = await rawServer(async ({ body }, call) => {
        calls.push(call);
        const all = text(body);
        all.then(read.resolve, read.resolve);
        return response(200, await all);
      });
      const client = await server.connect();
      client.send(cut);
      await untilStill(() => calls.length);
      client.socket.end();
      assert.match(String(await read.promise), /CANCELLED/);
      assert.equal(await client.untilClosed(), '');
      assert.equal(calls[0]?.cancelled?.code, 'CANCELLED');
      assert.equal(calls[0]?.ended, true);
      await server.close();
    }
  });

  it('a short body that came together with its head is bytes, and any other a stream', options, async () => {
    const kinds: string[] = [];
    const server = await rawServer(async ({ body }) => {
      kinds.push(body instanceof Uint8Array ? 'bytes' : 'stream');
      return response(200, await bytes(body));
    });
    const client = await server.connect();
    client.send(post('Content-Length: 6\r\n', 'first\n'));
    await client.until(/first/);
    client.send(post('Content-Length: 7\r\n', 'second\n'));
    await client.until(/second/);
    client.send(post('Transfer-Encoding: chunked\r\n', '6\r\nthird\n\r\n0\r\n\r\n'));
    await client.until(/third/);
    client.send(post('Content-Length: 7\r\nConnection: close\r\n', 'four'));
    await untilStill(() => kinds.length);
    client.send('th\n');
    const answers = await client.untilClosed();
    assert.deepEqual(statuses(answers), [200, 200, 200, 200]);
    assert.deepEqual(answers.match(/^(?:first|second|third|fourth)$/gm), ['first', 'second', 'third', 'fourth']);
    assert.deepEqual(kinds, ['bytes', 'bytes', 'stream', 'stream']);
    await server.close();
  });

  it('a chunk that is malformed cancels the handler and is answered 400', options, async () => {
    const calls: Call[] = [];
    const server = await rawServer(async ({ body }, call) => {
      calls.push(call);
      return response(200, await bytes(body));
    });
    const client = await server.connect();
    client.send(post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n'));
    await untilStill(() => calls.length);
    client.send('zz\r\n');
    assert.deepEqual(statuses(await client.untilClosed()), [400]);
    assert.equal(calls[0]?.cancelled?.code, 'MALFORMED_REQUEST');
    await server.close();
  });

  it('"100 Continue" is sent when the handler begins to read, not before', options, async () => {
    const proceed = Promise.withResolvers<void>();
    const server = await rawServer(async ({ body }) => {
      await proceed.promise;
      return response(200, await bytes(body));
    });
    const client = await server.connect();
    client.send(post('Expect: 100-continue\r\nContent-Length: 3\r\n'));
    await untilStill(() => server.listener.inFlight);
    assert.equal(client.received, '');
    proceed.resolve();
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    assert.deepEqual(statuses(await client.send('ok\n').until(/ok\n/)), [100, 200]);
    assert.equal(client.socket.destroyed, false);
    await server.close();
  });

  it('a body that waits for "100 Continue" and is not wanted costs the connection', options, async () => {
    const server = await rawServer(async () => {
      throw new FlotillaError('FORBIDDEN', 'not you');
    });
    const client = await server.connect();
    client.send(post('Expect: 100-continue\r\nContent-Length: 3\r\n'));
    assert.deepEqual(statuses(await client.until(/FORBIDDEN/)), [403]);
    assert.match(client.received, /connection: close/i);
    await server.close();
  });

  it('a short body that nobody read is thrown away and the connection goes on', options, async () => {
    const server = await rawServer(async ({ method }) => response(200, `${method} ok\n`));
    const client = await server.connect();
    client.send(post('Content-Length: 5\r\n', 'hello') + get);
    assert.deepEqual(statuses(await client.until(/GET ok/)), [200, 200]);
    await server.close();
  });

  it('a long body that nobody read costs the connection, after the answer could be read', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'));
    const client = await server.connect();
    client.send(post('Content-Length: 1000000\r\n', 'x'.repeat(500_000)));
    await client.until(/ok\n/);
    assert.match(client.received, /connection: close/i);
    assert.equal(server.listener.inFlight, 0);
    client.socket.resume();
    await server.pass(3);
    await untilStill(() => server.listener.connections);
    assert.equal(server.listener.connections, 0);
    await server.close();
  });

  it('the rest of a short body has to come soon, or the connection is cut', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'));
    const client = await server.connect();
    await client.send(post('Content-Length: 5\r\n', 'he')).until(/ok\n/);
    await server.pass(3);
    await client.untilClosed();
    await server.close();
  });
});

describe('HTTP/1.1: answers', () => {
  it('an answer of unknown length is chunked; to HTTP/1.0 it ends with the connection', options, async () => {
    const server = await rawServer(async () => response(200, stream(['one ', 'two\n'])));
    const modern = await server.connect();
    assert.match(
      await modern.send(get).until(/0\r\n\r\n$/),
      /transfer-encoding: chunked\r\n.*4\r\none \r\n4\r\ntwo\n/is,
    );
    const old = await server.connect();
    const answer = await old.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n').untilClosed();
    assert.doesNotMatch(answer, /transfer-encoding/i);
    assert.match(answer, /\r\n\r\none two\n$/);
    await server.close();
  });

  it('HTTP/1.0 keeps its connection where it asks for that, as long as answers have a length', options, async () => {
    const server = await rawServer(async ({ path }) =>
      response(200, path.text === '/streamed' ? stream(['one\n']) : 'ok\n'),
    );
    const client = await server.connect();
    const old = (path: string): string => `GET ${path} HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n`;
    assert.match(await client.send(old('/')).until(/ok\n/), /Connection: keep-alive\r\n/);
    const received = await client.send(old('/streamed')).untilClosed();
    assert.match(received, /Connection: close\r\n\r\none\n$/);
    await server.close();
  });

  it('every byte of an answer is written as it is, however long the answer', options, async () => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const copies of [1, 16, 17, 300]) {
      const body = new Uint8Array(every.length * copies);
      for (let copy = 0; copy < copies; copy++) body.set(every, copy * every.length);
      const server = await rawServer(async () => ({ status: 200, headers: new HttpHeaders(), body }));
      const client = await server.connect();
      client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const answer = await client.untilClosed();
      const sent = Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1');
      assert.equal(sent.equals(body), true, `${body.length} bytes`);
      await server.close();
    }
  });

  it('the head of a stream goes out before its first chunk', options, async () => {
    const tap = new Tap();
    const server = await rawServer(async () => response(200, tap.body, [['content-type', 'text/event-stream']]));
    const client = await server.connect();
    await client.send(get).until(/text\/event-stream/);
    tap.send('data: 1\n\n');
    await client.until(/data: 1/);
    tap.end();
    await client.until(/0\r\n\r\n$/);
    await server.close();
  });

  it('an answer that fails half-way has no end', options, async () => {
    const tap = new Tap();
    const server = await rawServer(async () => response(200, tap.body));
    const client = await server.connect();
    tap.send('half\n');
    await client.send(get).until(/half/);
    tap.fail(new Error('the disk is gone'));
    assert.doesNotMatch(await client.untilClosed(), /0\r\n\r\n$/);
    await server.close();
  });

  it('HEAD and 204 have no bytes behind the head, so the next answer is in its place', options, async () => {
    const server = await rawServer(async ({ path }) => response(path.text === '/204' ? 204 : 200, 'ok\n'));
    const client = await server.connect();
    const head = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';
    const empty = 'GET /204 HTTP/1.1\r\nHost: a\r\n\r\n';
    const received = await client.send(head + empty + get).until(/ok\n/);
    assert.deepEqual(statuses(received), [200, 204, 200]);
    assert.equal(received.match(/ok\n/g)?.length, 1);
    assert.equal(received.match(/content-length: 3/gi)?.length, 2);
    await server.close();
  });

  it('TRACE gets nothing back of what it sent', options, async () => {
    const server = await rawServer(async () => response(200));
    const client = await server.connect();
    const received = await client.send('TRACE / HTTP/1.1\r\nHost: a\r\nX-Secret: hush\r\n\r\n').untilClosed();
    assert.match(received, /^HTTP\/1\.1 405 .*allow: GET/is);
    assert.doesNotMatch(received, /hush/);
    await server.close();
  });

  it('a client that goes away cancels the handler', options, async () => {
    const reached = Promise.withResolvers<Call>();
    const server = await rawServer((_, call) => {
      reached.resolve(call);
      return new Promise(() => {});
    });
    const client = await server.connect();
    client.send(get);
    const call = await reached.promise;
    await client.close();
    await untilStill(() => Number(call.ended));
    assert.equal(call.cancelled?.code, 'CANCELLED');
    assert.equal(call.ended, true);
    await server.close();
  });

  it('a client that goes away stops a stream that waits for its source', options, async () => {
    const tap = new Tap();
    const server = await rawServer(async () => response(200, tap.body));
    const client = await server.connect();
    tap.send('one\n');
    await client.send(get).until(/one/);
    await client.close();
    await tap.left;
    await server.close();
  });

  it('a handler that comes with its answer too late has it taken off its hands', options, async () => {
    const tap = new Tap();
    const proceed = Promise.withResolvers<void>();
    const server = await rawServer(async () => {
      await proceed.promise;
      return response(200, tap.body);
    });
    const client = await server.connect();
    client.send(get);
    await untilStill(() => server.listener.inFlight);
    await client.close();
    await untilStill(() => server.listener.connections);
    proceed.resolve();
    await tap.left;
    await server.close();
  });

  it('a handler that fails without a word of its own is logged with its cause and its trace', options, async () => {
    const logged: [string, LogFields | undefined][] = [];
    const cause = new TypeError('x is not a function');
    const server = await rawServer(
      async ({ path }) => {
        throw path.text === '/declared' ? new FlotillaError('FORBIDDEN', 'not you') : cause;
      },
      { logger: { ...nullLogger, error: (message, fields) => logged.push([message, fields]) } },
    );
    const client = await server.connect();
    client.send('GET /declared HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/FORBIDDEN/);
    await client.send(get).until(/INTERNAL/);
    const [, traceId] = /INTERNAL.*"traceId":"([0-9a-f]+)"/.exec(client.received) ?? [];
    const detail = 'the work failed in a way that was not declared';
    assert.deepEqual(logged, [['a handler failed', { method: 'GET', path: '/', traceId, detail, cause }]]);
    await server.close();
  });

  it('an error whose status is none is INTERNAL', options, async () => {
    for (const httpStatus of [99, 200, 600]) {
      const server = await rawServer(async () => {
        throw new FlotillaError('FORBIDDEN', 'not you', { httpStatus });
      });
      const client = await server.connect();
      assert.deepEqual(statuses(await client.send(get).until(/INTERNAL/)), [500]);
      await server.close();
    }
  });

  it('an encoded slash is kept where the network is told so', options, async () => {
    const server = await rawServer(async ({ path }) => response(200, `${path.segments.join('|')}\n`), {
      encodedSlash: 'keep',
    });
    const client = await server.connect();
    await client.send('GET /a%2fb/c HTTP/1.1\r\nHost: a\r\n\r\n').until(/^a\/b\|c$/m);
    await server.close();
  });

  it('a handler runs inside its call', options, async () => {
    const server = await rawServer(async (_, call) => {
      await settle();
      return response(200, `${currentCall() === call}\n`);
    });
    const client = await server.connect();
    await client.send(get).until(/true\n/);
    await server.close();
  });
});

describe('HTTP/1.1: order and end', () => {
  it('pipelined requests are handled one after the other', options, async () => {
    const taps = [new Tap(), new Tap()];
    let started = 0;
    const server = await rawServer(async () => response(200, taps[started++]?.body));
    const client = await server.connect();
    client.send(get + get);
    await untilStill(() => started);
    assert.equal(started, 1);
    taps[0]?.send('first\n');
    taps[0]?.end();
    taps[1]?.send('second\n');
    taps[1]?.end();
    assert.match(await client.until(/second/), /first.*second/s);
    await server.close();
  });

  it('answers that nobody takes hold back the requests behind them', options, async () => {
    let handled = 0;
    const answer = (): HttpResponse => {
      handled++;
      return response(200, Buffer.alloc(60_000, 'x\n'));
    };
    const server = await rawServer(answeringNow(async () => answer(), answer));
    const client = await server.connect();
    client.socket.pause();
    for (let request = 0; request < 5_000; request++) client.send(get);
    await untilStill(() => handled);
    assert.ok(handled < 2_000, `${handled} answers of 60 kB were made for a client that reads none`);
    client.socket.resume();
    const received = await client.untilClosed();
    assert.ok(handled < 5_000, 'those over the bound of a pipeline are not taken');
    assert.equal(statuses(received).length, handled);
    await server.close();
  });

  it('a long line behind one that takes its time is served without a deep stack', options, async () => {
    const proceed = Promise.withResolvers<void>();
    const handler = answeringNow(
      async () => {
        await proceed.promise;
        return response(200, 'slow\n');
      },
      ({ path }) => (path.text === '/slow' ? undefined : response(200, 'ok\n')),
    );
    const server = await rawServer(handler, { limits: { maxPipelined: Infinity } });
    const client = await server.connect();
    client.send(
      get.replace('/', '/slow') + get.repeat(5_000) + get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
    await untilStill(() => server.listener.inFlight);
    proceed.resolve();
    assert.equal(statuses(await client.untilClosed()).length, 5_002);
    await server.close();
  });

  it('what comes behind the last request is not read, and does not cost its answer', options, async () => {
    const started: string[] = [];
    const server = await rawServer(async ({ path }) => {
      started.push(path.text);
      await settle();
      return response(200, 'ok\n');
    });
    const client = await server.connect();
    client.send(`GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${get}\0\x01${'x'.repeat(200_000)}`);
    assert.deepEqual(statuses(await client.until(/ok\n/)), [200]);
    await client.close();
    assert.deepEqual(started, ['/1']);
    await server.close();
  });

  it('a client that closes its side within a head hears that this is no request', options, async () => {
    const server = await rawServer(async () => response(200));
    const client = await server.connect();
    client.send('GET / HTTP/1.1\r\nHo');
    client.socket.end();
    assert.deepEqual(statuses(await client.untilClosed()), [400]);
    await server.close();
  });

  it('what waits in line behind an exchange that breaks is never started', options, async () => {
    const started: string[] = [];
    const tap = new Tap();
    const server = await rawServer(async ({ path }) => {
      started.push(path.text);
      return response(200, tap.body);
    });
    const client = await server.connect();
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/200 OK/);
    tap.fail(new Error('the disk is gone'));
    await client.untilClosed();
    assert.deepEqual(started, ['/1']);
    await server.close();
  });

  it('breaking at the drain deadline starts nothing that waits in line', options, async () => {
    const started: string[] = [];
    const server = await rawServer(({ path }) => {
      started.push(path.text);
      return new Promise(() => {});
    });
    const client = await server.connect();
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await untilStill(() => server.listener.inFlight);
    assert.equal(server.listener.inFlight, 2);
    const drained = server.listener.drain(3_000);
    await server.pass(3);
    await drained;
    assert.deepEqual(started, ['/1']);
    await server.close();
  });

  it('a client that is still sending a refused body reads why it was refused', options, async () => {
    const server = await rawServer(async () => response(200));
    const client = await server.connect();
    client.send(`${post('Content-Length: 20000000\r\n')}${'x'.repeat(2_000_000)}`);
    assert.deepEqual(statuses(await client.until(/BODY_TOO_LARGE/)), [413]);
    await server.pass(3);
    await client.close();
    await server.close();
  });

  it('draining answers the request in hand with "connection: close"', options, async () => {
    const proceed = Promise.withResolvers<void>();
    const server = await rawServer(async () => {
      await proceed.promise;
      return response(200, 'ok\n');
    });
    const client = await server.connect();
    client.send(get);
    await untilStill(() => server.listener.inFlight);
    const drained = server.listener.drain(Infinity);
    proceed.resolve();
    assert.match(await client.untilClosed(), /connection: close.*ok\n$/is);
    await drained;
    await server.close();
  });

  it('a request that was on its way when draining began is served', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'));
    const client = await server.connect();
    await client.send(get).until(/ok\n/);
    client.send('GET / HTTP/1.1\r\nHo');
    await untilStill(() => server.listener.connections);
    const drained = server.listener.drain(Infinity);
    await untilStill(() => server.listener.connections);
    client.send('st: a\r\n\r\n');
    assert.deepEqual(statuses(await client.untilClosed()), [200, 200]);
    await drained;
    await server.close();
  });

  it('a request that the kernel holds while a quiet connection is about to be closed is served', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'));
    const client = await server.connect();
    await client.send(get).until(/ok\n/);
    const { clock } = server;
    const setTimer = clock.setTimer.bind(clock);
    clock.setTimer = (delayMs, fire) =>
      setTimer(delayMs, () => {
        if (delayMs === 100) client.send(get); // written at once, and read only when the loop turns
        fire();
      });
    const drained = server.listener.drain(Infinity);
    await clock.advance(100);
    assert.deepEqual(statuses(await client.untilClosed()), [200, 200]);
    await drained;
    await server.close();
  });

  it('many quiet connections are closed a few at a time: who sends meanwhile is served', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'));
    const clients = [];
    for (let index = 0; index < 100; index++) {
      const client = await server.connect();
      await client.send(get).until(/ok\n/);
      clients.push(client);
    }
    await server.pass(1);
    const [first, last] = [clients.at(0), clients.at(-1)];
    const sent = first?.closed.then(() => last?.send(get));
    const drained = server.listener.drain(Infinity);
    await sent;
    assert.deepEqual(statuses((await last?.untilClosed()) ?? ''), [200, 200]);
    await drained;
    await server.close();
  });

  it('a stream in hand keeps its connection while draining, and closes it at its end', options, async () => {
    const tap = new Tap();
    const server = await rawServer(async () => response(200, tap.body));
    const client = await server.connect();
    tap.send('one\n');
    await client.send(get).until(/one/);
    const drained = server.listener.drain(Infinity);
    await untilStill(() => server.listener.connections);
    tap.send('two\n');
    await client.until(/two/);
    tap.end();
    await client.until(/0\r\n\r\n$/);
    assert.equal(client.socket.destroyed, false); // it may be about to send: its head promised to stay
    await server.pass(1);
    await client.untilClosed();
    await drained;
    await server.close();
  });

  it('a large answer to a client that stops reading is given up at the drain deadline', options, async () => {
    const supply = new Supply();
    const server = await rawServer(async () => response(200, supply.body()));
    const client = await server.connect();
    client.socket.pause();
    client.send(get);
    await untilStill(() => supply.produced);
    const drained = server.listener.drain(5_000);
    await server.pass(5);
    await drained;
    assert.equal(server.listener.connections, 0);
    await server.close();
  });
});
