import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { suite, test } from 'node:test';
import { systemClock, systemRandom } from '@flotilla/core';
import { nodeNetwork } from './engines/node/index.ts';
import type { HttpHandler, HttpRequest } from './exchange.ts';
import { HttpHeaders } from './headers.ts';
import { answeringNow, answerNowOf } from './prompt.ts';
import { routesHandler } from './routes-handler.ts';

suite('an answer at once', () => {
  test('takes the place of the call where the handler gives one; else the handler itself is asked', async () => {
    const { ask, calls, stop } = await serving();
    assert.match(await ask(get('/beats/7')), /^HTTP\/1\.1 200 .*\r\nway: at once 7\r\n/s);
    assert.equal(calls.length, 0);
    assert.match(await ask(get('/beats/declined')), /\r\nway: called\r\n/);
    assert.match(await ask(get('/beats/broken')), /\r\nway: called\r\n/);
    assert.deepEqual(calls, ['/beats/declined', '/beats/broken']);
    await stop();
  });

  test('is not asked for with a body, nor at another route', async () => {
    const { ask, calls, stop } = await serving();
    const withBody = 'PUT /beats/7 HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nok';
    assert.match(await ask(withBody), /\r\nway: called\r\n/);
    assert.match(await ask(get('/others')), /\r\nway: called\r\n/);
    assert.deepEqual(calls, ['/beats/7', '/others']);
    await stop();
  });

  test('keeps its place in a pipeline, and the connection, and ends it where the client wants that', async () => {
    const { ask, stop } = await serving();
    const three = await ask(get('/beats/1') + get('/beats/declined') + get('/beats/2', 'connection: close\r\n'), 3);
    assert.deepEqual(
      [...three.matchAll(/way: (.*)\r\n/g)].map(([, way]) => way),
      ['at once 1', 'called', 'at once 2'],
    );
    assert.match(three, /Connection: close\r\n/);
    await stop();
  });

  test('does not pass by a handler that was put before it', () => {
    const wrapped: HttpHandler = (request, call) => beats(request, call);
    assert.equal(typeof answerNowOf(beats), 'function');
    assert.equal(answerNowOf(wrapped), undefined);
    assert.equal(answerNowOf(routesHandler([{ path: '/', value: wrapped }])), undefined);
  });
});

suite('fields that are those of the request before', () => {
  test('say the same; one that differs is read', async () => {
    const { ask, seen, stop } = await serving();
    const fields = 'x-one: 1\r\n';
    await ask(get('/others', fields) + get('/others', fields) + get('/others', 'x-one: 2\r\n'), 3);
    assert.deepEqual(
      seen.map(({ headers }) => headers.get('x-one')),
      ['1', '1', '2'],
    );
    await stop();
  });

  test('belong to each request alone, whatever a handler does with them', async () => {
    const { ask, seen, stop } = await serving((request) => request.headers.delete('x-one'));
    await ask(get('/others', 'x-one: 1\r\n') + get('/others', 'x-one: 1\r\n'), 2);
    assert.deepEqual(
      seen.map(({ headers }) => headers.size),
      [0, 0],
    );
    const { ask: again, seen: untouched, stop: end } = await serving();
    await again(get('/others', 'x-one: 1\r\n') + get('/others', 'x-one: 1\r\n'), 2);
    assert.deepEqual(
      untouched.map(({ headers }) => headers.size),
      [1, 1],
    );
    await Promise.all([stop(), end()]);
  });

  test('are checked however often good ones came before', async () => {
    const { ask, seen, stop } = await serving();
    const good = get('/others', 'x-one: 1\r\n');
    for (const bad of ['host: other\r\n', 'content-length: 1\r\ntransfer-encoding: chunked\r\n', 'expect: cake\r\n']) {
      const answers = await ask(good + good + get('/others', bad), 3);
      assert.match(answers, /HTTP\/1\.1 4(?:00|17) .*connection: close/s, bad);
    }
    // The same fields, but HTTP/1.0 knows no chunks.
    const chunked = 'POST /others HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    assert.match(await ask(chunked + chunked.replace('/1.1', '/1.0'), 2), /HTTP\/1\.1 400 /);
    assert.equal(seen.length, 7);
    await stop();
  });
});

const beats = answeringNow(
  async () => answered('called'),
  (_, { params }) => {
    const id = params.get('id');
    if (id === 'broken') throw new TypeError('broken');
    return id === 'declined' ? undefined : answered(`at once ${id}`);
  },
);

function answered(way: string) {
  return { status: 200, headers: new HttpHeaders([['way', way]]), body: undefined };
}

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nhost: h\r\n${fields}\r\n`;
}

async function serving(touch: (request: HttpRequest) => void = () => {}) {
  const calls: string[] = [];
  const seen: HttpRequest[] = [];
  const noted = (handler: HttpHandler): HttpHandler => {
    const called: HttpHandler = (request, call) => {
      touch(request);
      calls.push(request.path.text);
      seen.push(request);
      return handler(request, call);
    };
    const answerNow = answerNowOf(handler);
    return answerNow ? answeringNow(called, answerNow) : called;
  };
  const handler = routesHandler([
    { path: '/beats/{id}', value: noted(beats) },
    { path: '/others', value: noted(async () => answered('called')) },
  ]);
  const network = nodeNetwork({ clock: systemClock, random: systemRandom });
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
  /** @returns so many answers, all of them without a body. */
  const ask = async (sent: string, answers = 1): Promise<string> => {
    const socket = connect({ port: listener.port, host: '127.0.0.1' });
    socket.write(sent);
    let text = '';
    for await (const chunk of socket.setEncoding('latin1')) {
      text += chunk;
      if (text.split('\r\n\r\n').length > answers) break;
    }
    if (!socket.closed) await once(socket.destroy(), 'close');
    return text;
  };
  return { ask, calls, seen, stop: () => listener.drain(0) };
}
