import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { type HttpBody, type HttpHandler, HttpHeaders, type HttpRequest, parsePath, readContext } from '@flotilla/http';
import { listenerDefaults } from '@flotilla/http/node';
import { mimeType, rsocketError, type Sendable, writeEntry } from '@flotilla/rpc/rsocket';
import { Heard, type Pair, type PairOptions, rsocketPair, settle } from '../../../test/rsocket-pair.ts';
import type { PayloadView } from '../payload-view.ts';
import type { ResponderStream } from '../responder-stream.ts';
import { httpOverRSocket } from './http-endpoint.ts';
import { httpMime, readHttpEntry } from './http-entry.ts';
import { httpResponder } from './http-responder.ts';

const random = seededRandom(5);
const peer = { address: '192.0.2.7', port: 1, encrypted: false };

function serving(handler: HttpHandler, options: PairOptions = {}): Pair {
  const clock = new ManualClock();
  const pair = rsocketPair({
    clock,
    ...options,
    responder: httpResponder(
      {
        handler,
        clock,
        limits: { ...listenerDefaults, maxBodyBytes: 300_000 },
        makeCall: ({ headers }) => readContext(headers, { clock: pair.clock, random }),
      },
      peer,
    ),
  });
  return pair;
}

function endpointOf({ client }: Pair) {
  return httpOverRSocket({
    target: 'orders:80',
    status: 'open',
    outstanding: 0,
    current: () => client,
    connect: async () => client,
    close: async () => client.drain(),
  });
}

function request(method: string, path: string, body?: HttpBody): HttpRequest {
  return { method, authority: 'orders', path: parsePath(path), query: '', headers: new HttpHeaders(), body };
}

function entry(head: string): Sendable {
  return { writeTo: (out) => writeEntry(out, httpMime, head) };
}

async function soon(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !done(); turn++) await settle();
  assert.ok(done(), 'what was waited for did not come');
}

async function textOf(body: HttpBody): Promise<string> {
  if (body === undefined) return '';
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const echo: HttpHandler = async ({ method, path, body }) => ({
  status: 200,
  headers: new HttpHeaders(),
  body: Buffer.from(`${method} ${path.text} ${await textOf(body)}`),
});

/** Hears the head of an answer, too. */
class HeardHttp extends Heard {
  readonly heads: string[] = [];

  override next(payload: PayloadView): void {
    const head = readHttpEntry(payload);
    if (head !== undefined) this.heads.push(head.split('\n')[0] ?? '');
    super.next(payload);
  }
}

describe('a request of HTTP on a stream', () => {
  const refused: readonly (readonly [string, string, string, string])[] = [
    ['a head that is none', 'GET /\n', '', '400'],
    ['a field of the connection', 'GET / a\nconnection:close\n', '', '400'],
    ['a body that is longer than it says', 'POST / a\nH1\n', 'ab', '400'],
    ['a body that is shorter than it says', 'POST / a\nH3\n', 'ab', '400'],
    ['a body over the limit', 'POST / a\n', 'x'.repeat(300_001), '413'],
    ['a target over the limit', `GET /${'a'.repeat(9_000)} a\n`, '', '414'],
    ['fields over the limit', `GET / a\n${'x:1\n'.repeat(65)}`, '', '431'],
    ['TRACE', 'TRACE / a\n', '', '405'],
  ];
  for (const [what, head, data, status] of refused) {
    it(`${what} is answered ${status}, and others on the connection go on`, async () => {
      let handled = 0;
      const pair = serving(async (asked, call) => {
        handled++;
        return echo(asked, call);
      });
      const heard = new HeardHttp();
      pair.client.requestStream(entry(head), data === '' ? undefined : Buffer.from(data), 8, heard);
      await soon(() => heard.ends.length > 0);
      assert.deepEqual([heard.heads, heard.ends, handled], [[status], ['complete'], 0]);
      assert.match(heard.items.join(''), /"code":"/);
      const call = new Call({ clock: pair.clock, random });
      const answer = await endpointOf(pair).handle(request('GET', '/on'), call);
      assert.equal(await textOf(answer.body), 'GET /on ');
    });
  }

  it('a request without a head of HTTP is not served, and says how it would be', async () => {
    const pair = serving(echo);
    const [bare, other, broken] = [new Heard(), new Heard(), new Heard()];
    pair.client.requestResponse(undefined, 'x', bare);
    const foreign = mimeType('application/x-other');
    pair.client.requestResponse({ writeTo: (out) => writeEntry(out, foreign, 'GET / a\n') }, 'x', other);
    pair.client.requestResponse(Buffer.from([0x20, 1]), 'x', broken);
    await soon(() => bare.ends.length + other.ends.length + broken.ends.length === 3);
    assert.match(bare.ends[0] ?? '', /^error 0x202 .*metadata entry/);
    assert.match(other.ends[0] ?? '', /^error 0x202/);
    assert.match(broken.ends[0] ?? '', /^error 0x204 composite metadata/);
  });

  it('who asks for one message gets a streamed answer as one, with its length', async () => {
    const pair = serving(async () => ({
      status: 200,
      headers: new HttpHeaders(),
      body: (async function* () {
        yield Buffer.from('one ');
        yield Buffer.from('two');
      })(),
    }));
    const heard = new HeardHttp();
    pair.client.requestResponse(entry('GET / a\n'), undefined, heard);
    await soon(() => heard.ends.length > 0);
    assert.deepEqual([heard.items, heard.ends], [['one two'], ['complete']]);
  });

  it('a channel whose items are not what its head says is broken off for the handler', async () => {
    for (const [length, items, code] of [
      [3, ['ab'], 'MALFORMED_REQUEST'],
      [3, ['ab', 'cd'], 'MALFORMED_REQUEST'],
      [undefined, Array.from({ length: 6 }, () => 'x'.repeat(60_000)), 'BODY_TOO_LARGE'],
    ] as const) {
      const failures: string[] = [];
      const pair = serving(async ({ body }) => {
        try {
          await textOf(body);
        } catch (thrown) {
          failures.push((thrown as FlotillaError).code);
          throw thrown;
        }
        return { status: 200, headers: new HttpHeaders(), body: undefined };
      });
      const heard = new HeardHttp();
      const head = length === undefined ? 'POST / a\n' : `POST / a\nH${length}\n`;
      const stream = pair.client.requestChannel(entry(head), undefined, 8, heard);
      await soon(() => heard.credit > 0);
      for (const item of items) if (stream.credit > 0) stream.next(item);
      stream.complete();
      await soon(() => heard.ends.includes('complete'));
      assert.deepEqual([failures, heard.heads], [[code], [code === 'BODY_TOO_LARGE' ? '413' : '400']]);
    }
  });

  it('no more of a body is on its way than its reader takes', async () => {
    let made = 0;
    const pair = serving(async () => ({
      status: 200,
      headers: new HttpHeaders(),
      body: (async function* () {
        for (; made < 1_000; made++) yield Buffer.alloc(10_000, 'x');
      })(),
    }));
    const answer = await endpointOf(pair).handle(request('GET', '/'), new Call({ clock: pair.clock, random }));
    for (let turn = 0; turn < 200; turn++) await settle();
    assert.ok(made <= 20, `${made} chunks were made for nobody`); // 8 items, and 64 KiB that wait for the reader
    assert.equal((await textOf(answer.body)).length, 10_000_000);
  });

  it('a body that stops coming is given up, as over HTTP/1.1', async () => {
    const pair = serving(echo);
    const heard = new HeardHttp();
    pair.client.requestChannel(entry('POST / a\n'), 'half', 8, heard);
    await soon(() => heard.credit > 0);
    for (let second = 0; second < 32; second++) await pair.clock.advance(1_000);
    await soon(() => heard.ends.includes('complete'));
    assert.deepEqual(heard.heads, ['408']);
    assert.match(heard.items.join(''), /REQUEST_TIMEOUT/);
  });

  it('an answer of which nobody takes anything is broken off, and its maker is told', async () => {
    let left = 0;
    const pair = serving(async () => ({
      status: 200,
      headers: new HttpHeaders(),
      body: (async function* () {
        try {
          for (;;) yield Buffer.from('x');
        } finally {
          left++;
        }
      })(),
    }));
    const heard = new HeardHttp();
    pair.client.requestStream(entry('GET / a\n'), undefined, 3, heard);
    await soon(() => heard.items.length === 3);
    for (let second = 0; second < 32; second++) await pair.clock.advance(1_000);
    await soon(() => heard.ends.length > 0);
    assert.deepEqual([heard.ends, left, pair.server.inFlight], [['error 0x201 the answer broke off'], 1, 0]);
  });

  it('small calls overtake a large answer', async () => {
    const large = Buffer.alloc(5_000_000, 'x');
    const pair = serving(async ({ path }) => ({
      status: 200,
      headers: new HttpHeaders(),
      body: path.text === '/large' ? large : Buffer.from('small'),
    }));
    const endpoint = endpointOf(pair);
    const order: string[] = [];
    const ask = async (path: string): Promise<void> => {
      const answer = await endpoint.handle(request('GET', path), new Call({ clock: pair.clock, random }));
      await textOf(answer.body);
      order.push(path);
    };
    await Promise.all([ask('/large'), ...Array.from({ length: 20 }, (_, i) => ask(`/small/${i}`))]);
    assert.equal(order.at(-1), '/large');
  });
});

describe('an answer that is none', () => {
  const answers: readonly (readonly [string, (stream: ResponderStream) => void, RegExp])[] = [
    ['no head', (stream) => stream.respond('x'), /BAD_RESPONSE.*no head/],
    ['nothing at all', (stream) => stream.complete(), /BAD_RESPONSE.*no head/],
    ['a head of nonsense', (stream) => stream.respond(undefined, entry('999\n')), /BAD_RESPONSE.*status/],
    ['a field of the connection', (stream) => stream.respond(undefined, entry('200\nupgrade:x\n')), /BAD_RESPONSE/],
    ['a body of 204', (stream) => stream.respond('x', entry('204\n')), /BAD_RESPONSE.*none may be/],
    [
      'more than it declared',
      (stream) => {
        stream.next('ab', entry('200\nN2\n'));
        stream.next('cd');
      },
      /BAD_RESPONSE.*more than/,
    ],
    ['REJECTED', (stream) => stream.error(rsocketError.REJECTED, 'draining'), /UNAVAILABLE.*draining/],
    ['an error', (stream) => stream.error(rsocketError.APPLICATION_ERROR, 'x'), /CONNECTION_LOST/],
    ['a code that nobody knows', (stream) => stream.error(0x5555, 'x'), /CONNECTION_LOST/],
  ];
  for (const [what, answer, error] of answers) {
    it(`${what}: ${error.source}`, async () => {
      const pair = rsocketPair({ responder: { requestStream: (_, stream) => answer(stream) } });
      const call = new Call({ clock: pair.clock, random });
      const endpoint = endpointOf(pair);
      await assert.rejects(endpoint.handle(request('GET', '/'), call), (thrown) => {
        assert.ok(thrown instanceof FlotillaError);
        assert.match(String(thrown), error);
        assert.equal(thrown.executed, what === 'REJECTED' ? 'no' : 'unknown');
        return true;
      });
      assert.deepEqual([call.ended, endpoint.load], [true, 0]);
    });
  }

  it('one that breaks off is never taken for a whole one', async () => {
    const pair = rsocketPair({
      responder: {
        requestStream(_, stream) {
          stream.next('half', entry('200\n'));
          stream.error(rsocketError.APPLICATION_ERROR, 'x');
        },
      },
    });
    const answer = await endpointOf(pair).handle(request('GET', '/'), new Call({ clock: pair.clock, random }));
    await assert.rejects(textOf(answer.body), { code: 'CONNECTION_LOST', executed: 'unknown' });
  });

  it('a connection that is cut: unknown for what had left, certainly not done for what had not', async () => {
    const pair = rsocketPair({ responder: { requestStream() {} } });
    const endpoint = endpointOf(pair);
    const left = endpoint.handle(request('GET', '/'), new Call({ clock: pair.clock, random }));
    for (let turn = 0; turn < 5; turn++) await settle();
    const gathered = endpoint.handle(request('POST', '/'), new Call({ clock: pair.clock, random }));
    pair.link.cut();
    await assert.rejects(left, { code: 'CONNECTION_LOST', executed: 'unknown' });
    await assert.rejects(gathered, { code: 'CONNECT_FAILED', executed: 'no' });
  });
});
