import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heard, rsocketPair, settle } from '../../test/rsocket-pair.ts';
import type { RSocketResponder } from './responder-port.ts';

const echo: RSocketResponder = {
  requestResponse: (request, stream) => stream.respond(`${request.dataText()}!`),
  requestStream(_request, stream) {
    for (let n = 1; n <= 3; n++) stream.next(`${n}`);
    stream.complete();
  },
  requestChannel(request, stream) {
    stream.next(request.dataText());
    stream.listener = { next: (item) => stream.next(item.dataText()), completed: () => stream.complete() };
    stream.requestN(Infinity);
  },
};

test('a request gets its answer', async () => {
  const { client } = rsocketPair({ responder: echo });
  const heard = new Heard();
  client.requestResponse('route', 'hello', heard);
  await settle();
  assert.deepEqual(heard.items, ['hello!']);
  assert.deepEqual(heard.ends, ['complete']);
  assert.equal(client.outstanding, 0);
});

test('the server asks its client on the same connection', async () => {
  const { server, client } = rsocketPair({ responder: echo, clientResponder: echo });
  await settle();
  const heard = new Heard();
  server.requestResponse(undefined, 'back', heard);
  await settle();
  assert.deepEqual(heard.items, ['back!']);
  assert.equal(client.inFlight, 0);
});

test('a stream brings its items, then its end', async () => {
  const { client } = rsocketPair({ responder: echo });
  const heard = new Heard();
  client.requestStream(undefined, '', 5, heard);
  await settle();
  assert.deepEqual(heard.items, ['1', '2', '3']);
  assert.deepEqual(heard.ends, ['complete']);
});

test('a channel carries items both ways and ends each half by itself', async () => {
  const { client, server } = rsocketPair({ responder: echo });
  const heard = new Heard();
  const stream = client.requestChannel(undefined, 'a', Infinity, heard);
  await settle();
  stream.next('b');
  stream.complete();
  await settle();
  assert.deepEqual(heard.items, ['a', 'b']);
  assert.deepEqual(heard.ends, ['complete']);
  assert.equal(client.outstanding + server.inFlight, 0);
});

test('10 MiB travel in fragments, and a small call overtakes them', async () => {
  const big = Buffer.alloc(10_000_000, 7);
  const order: string[] = [];
  const { client } = rsocketPair({
    responder: {
      requestResponse: (request, stream) => stream.respond(request.dataLength > 100 ? big : request.dataText()),
    },
  });
  let length = 0;
  client.requestResponse(undefined, Buffer.alloc(101), {
    ...silent,
    next: (payload) => {
      length = payload.dataLength;
    },
    complete: () => order.push('big'),
  });
  client.requestResponse(undefined, 'small', { ...silent, complete: () => order.push('small') });
  while (order.length < 2) await settle();
  assert.equal(length, big.length);
  assert.deepEqual(order, ['small', 'big']);
});

test('a long text arrives as it was, however its characters fall to fragments', async () => {
  const text = 'a😀é界'.repeat(200);
  const { client } = rsocketPair({
    limits: { fragmentBytes: 128 },
    responder: { requestResponse: (request, stream) => stream.respond(request.dataText(), 'm'.repeat(125)) },
  });
  const heard = new Heard();
  client.requestResponse('m'.repeat(300), text, heard);
  while (heard.ends.length === 0) await settle();
  assert.deepEqual(heard.items, [text]);
});

const silent = { next(): void {}, complete(): void {}, error(): void {}, failed(): void {} };
