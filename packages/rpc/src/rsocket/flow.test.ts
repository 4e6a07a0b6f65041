import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { Heard, rsocketPair, settle } from '../../test/rsocket-pair.ts';
import { Inbound, Outbound } from './flow.ts';
import { PayloadView } from './payload-view.ts';
import type { RSocketResponder } from './responder-port.ts';

/** Counts up for as long as it is asked. */
function counting(made: { count: number; closed: boolean }, end = Infinity): RSocketResponder {
  async function* numbers() {
    try {
      while (made.count < end) yield ++made.count;
    } finally {
      made.closed = true;
    }
  }
  return {
    requestStream(_request, stream) {
      const outbound = new Outbound(numbers(), stream, { encode: String, fail: (error) => stream.fail(error) });
      stream.listener = {
        requested: () => outbound.requested(),
        cancelled: (reason) => outbound.cancelled(reason),
      };
    },
  };
}

const asNumber = { decode: (payload: { dataText(): string }): number => Number(payload.dataText()) };

test('no more is made than the reader takes, and the window', async () => {
  const made = { count: 0, closed: false };
  const { client, server } = rsocketPair({ responder: counting(made) });
  const items = new Inbound({ ...asNumber, window: 8 });
  items.attach(client.requestStream(undefined, '', items.window, items));
  await settle();
  assert.equal(made.count, 8);
  const read: number[] = [];
  for await (const item of items) {
    read.push(item);
    await settle();
    assert.ok(made.count <= read.length + 8, `${made.count} made when ${read.length} were read`);
    if (read.length === 20) break;
  }
  await settle();
  assert.deepEqual(
    read,
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
  assert.ok(made.closed, 'leaving the loop cancels the stream and closes its source');
  assert.equal(client.outstanding + server.inFlight, 0);
});

test('a stream that ends is read to its end, once told', async () => {
  const made = { count: 0, closed: false };
  const ends: unknown[] = [];
  const { client } = rsocketPair({ responder: counting(made, 100) });
  const items = new Inbound({ ...asNumber, window: 4, onEnd: (error) => ends.push(error) });
  items.attach(client.requestStream(undefined, '', items.window, items));
  const read: number[] = [];
  for await (const item of items) read.push(item);
  assert.equal(read.length, 100);
  assert.deepEqual(ends, [undefined]);
});

test('a source that fails ends the stream with its error, after the items before it', async () => {
  async function* source() {
    yield 1;
    yield 2;
    throw new FlotillaError('RATE_LIMITED', 'enough');
  }
  const { client } = rsocketPair({
    responder: {
      requestStream(_request, stream) {
        const outbound = new Outbound(source(), stream, { encode: String, fail: (error) => stream.fail(error) });
        stream.listener = { requested: () => outbound.requested() };
      },
    },
  });
  const items = new Inbound(asNumber);
  items.attach(client.requestStream(undefined, '', items.window, items));
  const read: number[] = [];
  await assert.rejects(async () => {
    for await (const item of items) read.push(item);
  }, /enough/);
  assert.deepEqual(read, [1, 2]);
  assert.equal((await items[Symbol.asyncIterator]().next()).done, true);
});

test('an item that cannot be decoded ends the stream, and the peer hears CANCEL', async () => {
  const made = { count: 0, closed: false };
  const { client, server } = rsocketPair({ responder: counting(made) });
  const items = new Inbound<number>({
    decode(payload) {
      if (payload.dataText() === '3') throw new FlotillaError('BAD_RESPONSE', 'no number');
      return 1;
    },
  });
  items.attach(client.requestStream(undefined, '', items.window, items));
  await assert.rejects(async () => {
    for await (const _ of items);
  }, /no number/);
  await settle();
  assert.ok(made.closed);
  assert.equal(server.inFlight, 0);
});

test('a lost connection ends the reader and the source', async () => {
  const made = { count: 0, closed: false };
  const { client, link } = rsocketPair({ responder: counting(made) });
  const items = new Inbound({ ...asNumber, window: 2 });
  items.attach(client.requestStream(undefined, '', items.window, items));
  await settle();
  link.cut();
  await assert.rejects(async () => {
    for await (const _ of items);
  }, /CONNECTION_LOST/);
  await settle();
  assert.ok(made.closed);
});

test('a channel: both directions follow their readers', async () => {
  const { client, server } = rsocketPair({
    responder: {
      requestChannel(request, stream) {
        const input = new Inbound({ ...asNumber, window: 2 });
        input.attach({ requestN: (n) => stream.requestN(n), cancel: () => stream.cancelInput() });
        const first = Number(request.dataText());
        async function* answers() {
          yield first * 10;
          for await (const item of input) yield item * 10;
        }
        const output = new Outbound(answers(), stream, { encode: String, fail: (error) => stream.fail(error) });
        stream.listener = {
          next: (item) => input.next(item),
          completed: () => input.complete(),
          failed: (code, text) => input.error(code, text),
          requested: () => output.requested(),
          cancelled(reason) {
            input.failed(reason);
            output.cancelled(reason);
          },
        };
        stream.requestN(input.window);
      },
    },
  });
  let sent = 1;
  async function* numbers() {
    while (sent < 50) yield ++sent;
  }
  const answers = new Inbound({ ...asNumber, window: 3 });
  const receiver = Object.assign(new Heard(), {
    next: (payload: { dataText(): string }) => answers.next(payload as never),
    complete: () => answers.complete(),
    failed: (error: FlotillaError) => answers.failed(error),
  });
  const stream = client.requestChannel(undefined, '1', answers.window, receiver);
  answers.attach(stream);
  const outbound = new Outbound(numbers(), stream, {
    encode: String,
    fail: (error) => stream.error(0x201, error.detail),
  });
  receiver.requested = () => outbound.requested();
  await settle();
  assert.ok(sent <= 8, `${sent} sent, though nobody reads`);
  const read: number[] = [];
  for await (const answer of answers) read.push(answer);
  await settle();
  assert.equal(read.length, 50);
  assert.equal(read.at(-1), 500);
  assert.equal(client.outstanding + server.inFlight, 0);
});

test('a responder that wants no more input lets its answer go on', async () => {
  const { client, server } = rsocketPair({
    responder: {
      requestChannel(_request, stream) {
        stream.cancelInput();
        stream.next('a');
        stream.complete();
      },
    },
  });
  const heard = new Heard();
  client.requestChannel(undefined, '1', 5, heard);
  await settle();
  assert.deepEqual(heard.items, ['a']);
  assert.deepEqual(heard.ends, ['input cancelled', 'complete']);
  assert.equal(client.outstanding + server.inFlight, 0);
});

test('an item without credit is a mistake of the caller', async () => {
  const { client } = rsocketPair({ responder: { requestChannel() {} } });
  const stream = client.requestChannel(undefined, '1', 5, new Heard());
  assert.throws(() => stream.next('2'), /an item on stream 1 for which the peer has not asked/);
});

test('a source that is always ready, to a peer that takes all, leaves the event loop its turns', async () => {
  let made = 0;
  let sent = 0;
  async function* always(): AsyncGenerator<number, undefined> {
    while (made < 10_000) yield made++;
  }
  const turns: (() => void)[] = [];
  const target = {
    credit: 0x7fff_ffff,
    congested: false,
    whenClear: (run: () => void) => void turns.push(run),
    next: () => void sent++,
    complete: () => assert.fail('it went on to its end in one turn'),
  };
  const outbound = new Outbound(always(), target, { encode: String, fail: (error) => assert.fail(error) });
  await settle();
  assert.deepEqual([sent, turns.length], [64, 1]);
  turns.pop()?.();
  await settle();
  assert.deepEqual([sent, turns.length], [128, 1]);
  outbound.cancelled();
  turns.pop()?.();
  await settle();
  assert.deepEqual([sent, turns.length, made], [128, 0, 128]);
});

test('items that nobody reads share one room; who finds none is told, and what is over counts no more', async () => {
  const room = { maxBytes: 10, bytes: 0 };
  const cancels: string[] = [];
  const inbound = (name: string) =>
    new Inbound({ ...asText, room }).attach({ requestN() {}, cancel: () => void cancels.push(name) });
  const [one, other] = [inbound('one'), inbound('other')];
  one.next(item('12345'));
  other.next(item('1234'));
  assert.equal(room.bytes, 9);
  other.next(item('12'));
  assert.deepEqual([room.bytes, cancels], [9, ['other']]);
  const reading = other[Symbol.asyncIterator]();
  assert.deepEqual(await reading.next(), { value: '1234', done: false });
  await assert.rejects(reading.next(), { code: 'UNAVAILABLE' });
  assert.equal(room.bytes, 5);
  one.next(item('67'));
  one.release();
  one.release();
  assert.equal(room.bytes, 0);
  one.next(item('much longer than the room'));
  await one[Symbol.asyncIterator]().return?.();
  assert.equal(room.bytes, 0);
});

const asText = { decode: (payload: { dataText(): string }): string => payload.dataText() };

function item(text: string): PayloadView {
  const view = new PayloadView();
  view.bytes = Buffer.from(text);
  view.dataEnd = view.bytes.length;
  return view;
}
