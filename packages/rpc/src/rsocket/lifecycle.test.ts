import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorTable, FlotillaError } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { Heard, rsocketPair, settle } from '../../test/rsocket-pair.ts';
import { setupDefaults } from './connection-options.ts';
import { BytePair } from './engines/memory/byte-pair.ts';
import { rsocketError } from './frame.ts';
import { rsocketDefaults } from './limits.ts';
import { Link } from './link.ts';
import { Requester } from './requester.ts';
import type { ResponderStream } from './responder-stream.ts';
import { Sender } from './sender.ts';
import { errorOfFrame, rsocketCodeOf } from './wire-errors.ts';

/** A responder that answers when it is told to. */
function holding() {
  const held: ResponderStream[] = [];
  const cancelled: string[] = [];
  const hold = (_request: unknown, stream: ResponderStream): void => {
    stream.listener = { cancelled: (reason) => void cancelled.push(reason.code) };
    held.push(stream);
  };
  return { held, cancelled, responder: { requestResponse: hold, requestStream: hold, requestChannel: hold } };
}

test('the defaults', () => {
  assert.deepEqual(rsocketDefaults, {
    maxFrameBytes: 16_777_215,
    maxPayloadBytes: 10_485_760,
    maxPartialBytes: 67_108_864,
    fragmentBytes: 32_768,
    bulkBytesPerTurn: 65_536,
    maxInbound: 16_384,
    maxOutbound: 16_384,
    maxQueuedBytes: 4_194_304,
    maxBulkBytes: 67_108_864,
    maxKeepalivesPerSecond: 10_000,
    maxCancelsPerSecond: 20_000,
    setupTimeoutMs: 10_000,
    writeStallMs: 30_000,
    partialTimeoutMs: 30_000,
  });
  assert.equal(setupDefaults.keepaliveMs, 5_000);
  assert.equal(setupDefaults.lifetimeMs, 20_000);
});

test('cancel reaches the handler, and nothing comes back', async () => {
  const { held, cancelled, responder } = holding();
  const { client, server } = rsocketPair({ responder });
  const heard = new Heard();
  const stream = client.requestResponse(undefined, 'x', heard);
  await settle();
  stream.cancel();
  await settle();
  held[0]?.respond('too late');
  await settle();
  assert.deepEqual(cancelled, ['CANCELLED']);
  assert.deepEqual(heard, new Heard());
  assert.equal(server.inFlight + client.outstanding, 0);
});

test('a handler that throws answers with its error, and only undeclared ones are faults', async () => {
  const faults: string[] = [];
  const { client } = rsocketPair({
    responder: {
      requestResponse(request) {
        if (request.dataText() === 'refuse') throw new FlotillaError('RATE_LIMITED', 'slower');
        throw new Error('broken');
      },
    },
    server: { events: { fault: (error) => void faults.push(error.code) } },
  });
  const refused = new Heard();
  const broken = new Heard();
  client.requestResponse(undefined, 'refuse', refused);
  client.requestResponse(undefined, 'break', broken);
  await settle();
  assert.deepEqual(refused.ends, ['error 0x202 slower']);
  assert.match(broken.ends[0] ?? '', /^error 0x201/);
  assert.deepEqual(faults, ['INTERNAL']);
});

test('a message that cannot be written leaves no trace on the wire', async () => {
  const { client } = rsocketPair({
    responder: { requestResponse: (request, stream) => stream.respond(request.dataText()) },
  });
  const broken = {
    writeTo(out: { text(text: string): void }): void {
      out.text('half of it');
      throw new Error('mine');
    },
  };
  assert.throws(() => client.requestResponse(undefined, broken, new Heard()), /mine/);
  assert.throws(() => client.requestResponse(broken, 'x', new Heard()), /mine/);
  const heard = new Heard();
  client.requestResponse(undefined, 'b', heard);
  await settle();
  assert.deepEqual(heard.items, ['b']);
  assert.equal(client.outstanding, 0);
});

test('a receiver that throws hurts nobody else', async () => {
  const faults: unknown[] = [];
  const { client } = rsocketPair({
    responder: { requestResponse: (request, stream) => stream.respond(request.dataText()) },
    client: { events: { fault: (error) => void faults.push(error.cause) } },
  });
  const broken = new Heard();
  broken.next = () => {
    throw new Error('mine');
  };
  const other = new Heard();
  client.requestResponse(undefined, 'a', broken);
  client.requestResponse(undefined, 'b', other);
  await settle();
  assert.deepEqual(other.items, ['b']);
  assert.equal(faults.length, 1);
});

test('what nobody serves is REJECTED, and fire-and-forget says nothing', async () => {
  const { client } = rsocketPair();
  const heard = [new Heard(), new Heard(), new Heard()];
  client.requestResponse(undefined, 'x', heard[0] as Heard);
  client.requestStream(undefined, 'x', 1, heard[1] as Heard);
  client.requestChannel(undefined, 'x', 1, heard[2] as Heard);
  client.fireAndForget(undefined, 'x');
  await settle();
  for (const { ends } of heard) assert.match(ends[0] ?? '', /^error 0x202/);
  assert.equal(client.outstanding, 0);
});

test('a request that was never written is certainly not executed; one that was, nobody knows', async () => {
  const { held, responder } = holding();
  const { client, link } = rsocketPair({ responder });
  const written = new Heard();
  client.requestResponse(undefined, 'x', written);
  await settle();
  const gathered = new Heard();
  client.requestResponse(undefined, 'y', gathered); // the connection breaks in the same turn
  link.cut();
  await settle();
  assert.equal(held.length, 1);
  assert.deepEqual([written.ends, written.executed], [['CONNECTION_LOST'], 'unknown']);
  assert.deepEqual([gathered.ends, gathered.executed], [['CONNECTION_LOST'], 'no']);
  assert.throws(
    () => client.requestResponse(undefined, 'z', new Heard()),
    (error: FlotillaError) => error.code === 'CONNECTION_LOST' && error.executed === 'no',
  );
});

test('a request that was told "not executed" does not leave afterwards', async () => {
  let asked = 0;
  const { client } = rsocketPair({ responder: { requestResponse: () => void asked++ } });
  await settle();
  const heard = new Heard();
  client.requestResponse(undefined, 'x', heard);
  client.close();
  await settle();
  assert.equal(heard.executed, 'no');
  assert.equal(asked, 0);
});

test('a refused SETUP ends all calls behind it: none was executed', async () => {
  let asked = 0;
  const { client, server } = rsocketPair({
    responder: { requestResponse: () => void asked++ },
    server: { accept: () => new FlotillaError('UNAUTHENTICATED', 'who are you?') },
  });
  const heard = new Heard();
  client.requestResponse(undefined, 'x', heard);
  await settle();
  assert.equal(asked, 0);
  assert.deepEqual([heard.ends, heard.executed], [['CONNECT_FAILED'], 'no']);
  assert.equal(client.reason?.detail, 'who are you?');
  assert.equal(server.state, 'closed');
});

test('both sides send KEEPALIVE and live on; a silent peer is given up after its lifetime', async () => {
  const { client, server, clock, link } = rsocketPair({ setup: { keepaliveMs: 1_000, lifetimeMs: 3_000 } });
  await settle();
  for (let passed = 0; passed < 10_000; passed += 1_000) await clock.advance(1_000);
  assert.deepEqual([client.state, server.state], ['open', 'open']);
  const heard = new Heard();
  client.requestResponse(undefined, 'x', heard);
  link.stalled = true;
  await clock.advance(3_000);
  await clock.advance(1_000);
  assert.deepEqual([client.state, server.state], ['closed', 'closed']);
  assert.deepEqual(heard.ends, ['CONNECTION_LOST']);
  assert.equal(clock.pendingTimers, 0);
});

test('a process that stood still does not take its peer for dead', async () => {
  const { client, clock, link } = rsocketPair({ setup: { keepaliveMs: 1_000, lifetimeMs: 3_000 } });
  await settle();
  link.stalled = true;
  clock.setTimer(500, () => {
    // the loop is blocked for 10 s: the timers due meanwhile fire late, before the socket is read
    Object.assign(clock, { now: () => 10_500 });
  });
  await clock.advance(1_000);
  assert.equal(client.state, 'open');
});

test('KEEPALIVE is echoed with its data, ahead of bulk', async () => {
  const big = Buffer.alloc(2_000_000);
  const { client, clock, server } = rsocketPair({
    setup: { keepaliveMs: 1_000, lifetimeMs: 2_000 },
    responder: { requestResponse: (_request, stream) => stream.respond(big) },
  });
  client.requestResponse(undefined, 'x', new Heard());
  for (let passed = 0; passed < 5_000; passed += 500) await clock.advance(500);
  assert.deepEqual([client.state, server.state], ['open', 'open']);
});

test('a drained server refuses new requests, ends those in hand, then closes; our client is told', async () => {
  const { held, responder } = holding();
  let told = 0;
  const { client, server, clock } = rsocketPair({
    responder,
    client: { events: { peerDrains: () => void told++ } },
  });
  const first = new Heard();
  client.requestResponse(undefined, 'x', first);
  await settle();
  assert.ok(server.peerIsOurs);
  server.drain();
  const crossing = new Heard();
  client.requestResponse(undefined, 'y', crossing); // it is on its way when the notice comes
  await settle();
  assert.equal(told, 1);
  assert.equal(client.takesRequests, false);
  assert.throws(() => client.requestResponse(undefined, 'z', new Heard()), /UNAVAILABLE: the peer is draining/);
  assert.match(crossing.ends[0] ?? '', /^error 0x202 draining/);
  assert.equal(server.state, 'draining');
  held[0]?.respond('done');
  await settle();
  assert.deepEqual(first.items, ['done']);
  await clock.advance(99);
  assert.equal(server.state, 'draining');
  await clock.advance(1);
  assert.deepEqual([server.state, client.state], ['closed', 'closed']);
  assert.equal(client.reason?.detail, 'the peer closed the connection');
  assert.equal(clock.pendingTimers, 0);
});

test('a peer that does not know us gets no notice, only REJECTED and the end', async () => {
  const { client, server, clock } = rsocketPair({ setup: { metadataMime: 'text/plain' } });
  await settle();
  assert.equal(server.peerIsOurs, false);
  server.drain();
  await settle();
  assert.equal(client.takesRequests, true);
  const heard = new Heard();
  client.requestResponse(undefined, 'x', heard);
  await clock.advance(50);
  assert.match(heard.ends[0] ?? '', /^error 0x202/);
  for (let passed = 0; passed < 2_000; passed += 50) {
    if (client.takesRequests) client.requestResponse(undefined, 'again', new Heard());
    await clock.advance(50);
  }
  assert.equal(server.state, 'closed', 'who goes on asking is cut off after a second');
});

test('an answer in fragments is sent whole before a drained connection closes', async () => {
  const big = Buffer.alloc(500_000, 1);
  const { client, server, clock } = rsocketPair({
    responder: { requestResponse: (_request, stream) => stream.respond(big) },
  });
  let length = 0;
  const heard = new Heard();
  heard.next = (payload) => {
    length = payload.dataText().length;
  };
  client.requestResponse(undefined, 'x', heard);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  server.drain();
  for (let turn = 0; turn < 10; turn++) await clock.advance(100);
  assert.equal(length, big.length);
  assert.equal(server.state, 'closed');
});

test('leases: as many requests as were granted, for as long', async () => {
  let limit = 2;
  const { client, clock, server } = rsocketPair({
    setup: { lease: true },
    responder: { requestResponse: (request, stream) => stream.respond(request.dataText()) },
    server: { leases: { requests: () => limit, ttlMs: 1_000 } },
  });
  assert.throws(
    () => client.requestResponse(undefined, 'early', new Heard()),
    (error: FlotillaError) => error.code === 'UNAVAILABLE' && error.executed === 'no',
  );
  let granted = 0;
  client.leases?.whenGranted(() => void granted++);
  await settle();
  assert.equal(granted, 1);
  client.requestResponse(undefined, '1', new Heard());
  client.requestResponse(undefined, '2', new Heard());
  assert.throws(() => client.requestResponse(undefined, '3', new Heard()), /no lease/);
  limit = 5;
  await clock.advance(500); // the next one comes when half of the first is over
  for (let n = 0; n < 5; n++) client.requestResponse(undefined, `${n}`, new Heard());
  assert.throws(() => client.requestResponse(undefined, '6', new Heard()), /no lease/);
  await settle();
  assert.equal(client.outstanding, 0);
  server.close();
  await settle();
  assert.equal(clock.pendingTimers, 0);
});

test('more than maxOutbound requests, or more bytes than may wait, are refused here', async () => {
  const { responder } = holding();
  const { client, link } = rsocketPair({ responder, clientLimits: { maxOutbound: 3, maxQueuedBytes: 5_000 } });
  await settle();
  const streams = [1, 2, 3].map(() => client.requestResponse(undefined, 'x', new Heard()));
  assert.throws(() => client.requestResponse(undefined, 'x', new Heard()), /UNAVAILABLE: 3 requests are open/);
  for (const stream of streams) stream.cancel();
  link.stalled = true;
  for (let n = 0; n < 3; n++) client.fireAndForget(undefined, 'x'.repeat(2_000));
  assert.throws(() => client.fireAndForget(undefined, 'x'), /UNAVAILABLE: \d+ bytes wait/);
  assert.equal(client.takesRequests, false);
});

test('10,000 calls to a peer that never answers cost a bounded amount, and end together', async () => {
  const { responder, cancelled } = holding();
  const { client, server } = rsocketPair({ responder });
  const streams = Array.from({ length: 10_000 }, () => client.requestResponse('m', '{"id":1}', new Heard()));
  await settle();
  assert.equal(server.inFlight, 10_000);
  for (const stream of streams) stream.cancel();
  await settle();
  assert.equal(server.state, 'open', 'so many cancels at once are no flood');
  assert.equal(server.inFlight + client.outstanding, 0);
  assert.equal(cancelled.length, 10_000);
});

test('errors keep their meaning on the way', () => {
  for (const [code, { executed, rsocketError: name }] of Object.entries(errorTable)) {
    const wire = rsocketCodeOf(new FlotillaError(code, 'x'));
    const back = errorOfFrame(wire, 'x');
    assert.equal(back.executed, executed, code);
    const isStream = name === 'REJECTED' || name === 'INVALID' || name === 'CANCELED';
    assert.equal(wire, isStream ? rsocketError[name] : wire, code);
  }
  assert.equal(rsocketCodeOf(new FlotillaError('INTERNAL', 'x', { executed: 'no' })), rsocketError.REJECTED);
  assert.equal(rsocketCodeOf(new FlotillaError('UNAVAILABLE', 'x', { executed: 'unknown' })), 0x201);
  assert.equal(errorOfFrame(0x301, '').executed, 'unknown');
  assert.match(errorOfFrame(0x301, '').detail, /0x301/);
});

test('CONNECTION_CLOSE lets pending calls end; CONNECTION_ERROR does not', async () => {
  for (const [code, survives] of [
    [rsocketError.CONNECTION_CLOSE, true],
    [rsocketError.CONNECTION_ERROR, false],
    [0x301, false],
  ] as const) {
    const { client, link, clock } = rsocketPair({ responder: holding().responder });
    const heard = new Heard();
    client.requestResponse(undefined, 'x', heard);
    await settle();
    link.server.write(Buffer.from(`00000c000000002c00${code.toString(16).padStart(8, '0')}6162`, 'hex'));
    await settle();
    assert.equal(client.takesRequests, false);
    assert.equal(client.state, survives ? 'open' : 'closed');
    assert.equal(heard.ends.length, survives ? 0 : 1);
    client.close();
    await settle();
    assert.equal(clock.pendingTimers, 0);
  }
});

test('stream ids wrap at their end and pass over those in use', async () => {
  const limits = rsocketDefaults;
  const sender = new Sender(new BytePair().client, limits, new ManualClock());
  const requester = new Requester(new Link(sender, limits, () => {}), 1);
  assert.deepEqual(ask(requester, 2), [1, 3]);
  const late = new Requester(new Link(sender, limits, () => {}), 1, 0x7fff_fffb);
  assert.deepEqual(ask(late, 3), [0x7fff_fffd, 0x7fff_ffff, 1]);
  const even = new Requester(new Link(sender, limits, () => {}), 2, 0x7fff_fffc);
  assert.deepEqual(ask(even, 2), [0x7fff_fffe, 2]);
});

function ask(requester: Requester, count: number): number[] {
  return Array.from({ length: count }, () => requester.requestResponse(undefined, 'x', new Heard()).id);
}
