import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/core/testing';
import { Heard, rsocketPair, settle } from '../../test/rsocket-pair.ts';
import { RSocketConnection } from './connection.ts';
import { BytePair } from './engines/memory/byte-pair.ts';
import { type RSocketLimits, resolveRSocketLimits } from './limits.ts';
import type { PartialRoom } from './reassembly.ts';
import type { RSocketResponder } from './responder-port.ts';

/** A server, and a hand that writes to it. */
function attacked(limits: Partial<RSocketLimits> = {}, responder: RSocketResponder = echo, room?: PartialRoom) {
  const clock = new ManualClock();
  const link = new BytePair();
  const server = RSocketConnection.server({
    channel: link.server,
    clock,
    limits: resolveRSocketLimits(limits),
    responder,
    room,
  });
  const received: Buffer[] = [];
  link.client.listen({ received: (bytes) => received.push(Buffer.from(bytes)), drained() {}, closed() {} });
  return {
    clock,
    link,
    server,
    /** Hex, with length fields. */
    async send(...hex: string[]): Promise<void> {
      for (const each of hex) link.client.write(Buffer.from(each.replaceAll(' ', ''), 'hex'));
      await settle();
    },
    /** What the server said, frame by frame, as hex without the length field. */
    get said(): string[] {
      const all = Buffer.concat(received);
      const frames: string[] = [];
      for (let at = 0; at < all.length; at += 3 + all.readUIntBE(at, 3)) {
        frames.push(all.subarray(at + 3, at + 3 + all.readUIntBE(at, 3)).toString('hex'));
      }
      return frames;
    },
  };
}

const echo: RSocketResponder = {
  requestResponse: (request, stream) => stream.respond(request.dataText()),
  requestStream(_request, stream) {
    stream.listener = {};
  },
  requestChannel(_request, stream) {
    stream.listener = {};
    stream.requestN(1);
  },
};

/** SETUP 1.0, keepalive 5 s, lifetime 20 s, both MIME types text/plain. */
const goodSetup = frame('00000000 0400 0001 0000 00001388 00004e20 0a746578742f706c61696e 0a746578742f706c61696e');
const request = (id: number, data = '61'): string => frame(`${hex32(id)} 1000 ${data}`);

const fatal: Readonly<Record<string, string>> = {
  'a frame of length 0': '000000',
  'a frame shorter than a header': '000005 0000000110',
  'a stream id whose highest bit is set': frame('80000001 1000 61'),
  'metadata that is longer than its frame': frame('00000001 1100 0000ff 61'),
  'a frame that ends within the length of its metadata': frame('00000001 1100 0000'),
  'REQUEST_STREAM that ends within its n': frame('00000001 1800 0000'),
  'ERROR that ends within its code': frame('00000001 2c00 0000'),
  'KEEPALIVE that ends within its position': frame('00000000 0c80 00000000'),
  'an unknown type': frame('00000001 5000 61'),
  'an unknown type on stream 0': frame('00000000 5000 61'),
  'a request on stream 0': frame('00000000 1000 61'),
  'a request on a stream that is the server’s to begin': request(2),
  'an answer to a question that nobody asked': frame('00000002 2860 61'),
  'a LEASE that nobody asked for': frame('00000000 0800 00000001 00000001'),
  'KEEPALIVE that wants many bytes back': frame(`00000000 0c80 0000000000000000 ${'00'.repeat(1_025)}`),
  'SETUP on a stream': frame('00000001 0400 61'),
  'HTTP in the middle': Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n').toString('hex'),
};

for (const [name, bytes] of Object.entries(fatal)) {
  test(`${name} ends the connection at once`, async () => {
    const { send, server, said } = attacked({ maxFrameBytes: 65_536 });
    await send(goodSetup, bytes);
    assert.equal(server.state, 'closed');
    assert.equal(server.reason?.code, 'CONNECTION_LOST');
    assert.deepEqual(said.map((each) => each.slice(0, 20)).slice(-1), []);
  });
}

const harmless: Readonly<Record<string, string>> = {
  EXT: frame('00000001 fc00 00000001 61'),
  'an unknown type that may be ignored': frame('00000001 5200 61'),
  'CANCEL for a stream that never was': frame('00000063 2400'),
  'REQUEST_N for a stream that never was': frame('00000063 2000 00000001'),
  'PAYLOAD for a stream that never was': frame('00000063 2860 61'),
  'ERROR for a stream that never was': frame('00000063 2c00 00000201'),
  'a second SETUP': goodSetup,
  'unknown flags': frame('00000063 2413'),
};

for (const [name, bytes] of Object.entries(harmless)) {
  test(`${name} is passed over`, async () => {
    const attack = attacked();
    await attack.send(goodSetup, bytes, request(1, '6869'));
    assert.equal(attack.server.state, 'open');
    assert.deepEqual(attack.said, ['0000000128606869']);
  });
}

const badSetups: Readonly<Record<string, readonly [string, string]>> = {
  'a request before SETUP': [request(1), '00000001'],
  'SETUP of another version': [goodSetup.replace('00010000', '00020000'), '00000001'],
  'SETUP that ends within its MIME types': [frame('00000000 0400 00010000 00001388 00004e20 ff61'), '00000001'],
  'SETUP that wants to resume': [frame('00000000 0480 00010000 00001388 00004e20 000161'), '00000002'],
  RESUME: [frame('00000000 3400 00010000 000161 0000000000000000 0000000000000000'), '00000004'],
  noise: [frame('ffffffff ffff ffff'), '00000001'],
};

for (const [name, [bytes, code]] of Object.entries(badSetups)) {
  test(`${name} is refused with the code for it, and nothing behind it is handled`, async () => {
    const attack = attacked();
    await attack.send(bytes, request(1));
    assert.equal(attack.server.state, 'closed');
    assert.equal(attack.said.length, 1);
    assert.match(attack.said[0] ?? '', new RegExp(`^000000002c00${code}`));
  });
}

test('who says nothing is let go', async () => {
  const { clock, server } = attacked({ setupTimeoutMs: 10_000 });
  await clock.advance(9_999);
  assert.equal(server.state, 'setup');
  await clock.advance(1);
  assert.equal(server.state, 'closed');
  assert.equal(clock.pendingTimers, 0);
});

test('a request on an id in use is passed over', async () => {
  let requests = 0;
  const attack = attacked({}, { requestResponse: () => void requests++ });
  await attack.send(goodSetup, request(1), request(1));
  assert.equal(requests, 1);
  assert.equal(attack.server.inFlight, 1);
});

test('an id may be used again after its end', async () => {
  const attack = attacked();
  await attack.send(goodSetup, request(1), request(1));
  assert.equal(attack.said.length, 2);
});

test('demand saturates instead of overflowing', async () => {
  let credit = 0;
  const attack = attacked(
    {},
    {
      requestStream(_request, stream) {
        stream.listener = {
          requested() {
            credit = stream.credit;
          },
        };
      },
    },
  );
  const more = frame('00000001 2000 7fffffff');
  await attack.send(goodSetup, frame('00000001 1800 7fffffff'), more, more, frame('00000001 2000 ffffffff'));
  assert.equal(credit, 0x7fff_ffff);
  assert.equal(attack.server.state, 'open');
});

test('an initial demand of 0 is refused, and a further one of 0 does nothing', async () => {
  const attack = attacked();
  await attack.send(
    goodSetup,
    frame('00000001 1800 00000000'),
    frame('00000003 1800 00000001'),
    frame('00000003 2000 00000000'),
  );
  assert.match(attack.said[0] ?? '', /^000000012c0000000204/);
  assert.equal(attack.server.inFlight, 1);
});

test('more items than were asked for end the channel, not the connection', async () => {
  const attack = attacked();
  const item = frame('00000001 2820 61');
  await attack.send(goodSetup, frame('00000001 1c00 00000001 61'), item, item, request(3, '6869'));
  assert.deepEqual(
    attack.said.map((each) => each.slice(0, 20)),
    ['00000001200000000001', '000000012c0000000203', '0000000328606869'],
  );
  assert.equal(attack.server.inFlight, 0);
});

test('requests over the limit are REJECTED, others go on', async () => {
  const attack = attacked({ maxInbound: 2 }, { requestResponse() {} });
  await attack.send(goodSetup, request(1), request(3), request(5), request(7));
  assert.equal(attack.server.inFlight, 2);
  assert.equal(attack.said.length, 2);
  assert.match(attack.said[0] ?? '', /^000000052c0000000202/);
});

test('a message over the limit is REJECTED, in one frame or in many; others go on', async () => {
  const attack = attacked({ maxPayloadBytes: 100 });
  const part = 'aa'.repeat(64);
  await attack.send(
    goodSetup,
    request(1, 'aa'.repeat(200)),
    frame(`00000003 1080 ${part}`),
    frame(`00000003 2820 ${part}`),
  );
  await attack.send(frame(`00000003 2820 ${part}`), request(5, '6869'));
  assert.deepEqual(
    attack.said.map((each) => each.slice(0, 20)),
    ['000000012c0000000202', '000000032c0000000202', '0000000528606869'],
  );
  assert.equal(attack.server.inFlight, 0);
});

test('unfinished messages share one bound', async () => {
  const attack = attacked({ maxPayloadBytes: 1_000, maxPartialBytes: 1_500 });
  const part = 'aa'.repeat(800);
  await attack.send(goodSetup, frame(`00000001 1080 ${part}`), frame(`00000003 1080 ${part}`));
  assert.equal(attack.server.inFlight, 1);
  assert.match(attack.said[0] ?? '', /^000000032c0000000202/);
  await attack.send(frame('00000001 2400'), frame(`00000005 1080 ${part}`)); // the room is free again
  assert.equal(attack.said.length, 1);
});

test('unfinished requests share one bound over all connections', async () => {
  const room = { maxBytes: 2_000, bytes: 0 };
  const limits = { maxPayloadBytes: 1_500, maxPartialBytes: 1_500 };
  const [one, other] = [attacked(limits, echo, room), attacked(limits, echo, room)];
  const part = frame(`00000001 1080 ${'aa'.repeat(1_200)}`);
  await one.send(goodSetup, part);
  await other.send(goodSetup, part);
  assert.equal(room.bytes, 1_200);
  assert.match(other.said[0] ?? '', /^000000012c0000000202/);
  one.server.close();
  assert.equal(room.bytes, 0);
  await other.send(part, frame('00000001 2820 62'));
  assert.equal(other.said.length, 2);
  assert.equal(room.bytes, 0, 'what is whole has left the room');
});

test('a message that never ends is given up', async () => {
  const attack = attacked({ partialTimeoutMs: 10_000 });
  await attack.send(goodSetup, frame('00000001 1080 61'));
  for (let beat = 0; beat < 4; beat++) {
    await attack.clock.advance(5_000);
    await attack.send(frame('00000000 0c00 0000000000000000'));
  }
  assert.equal(attack.server.state, 'open');
  assert.equal(attack.server.inFlight, 0);
  assert.ok(attack.said.some((each) => each.startsWith('000000012c0000000202')));
});

test('a frame that drips in is not waited for', async () => {
  const attack = attacked({ partialTimeoutMs: 10_000 });
  await attack.send(goodSetup.replace('00004e20', '7fffffff'), 'ffff00000000011000');
  for (let beat = 0; beat < 4; beat++) {
    await attack.clock.advance(5_000);
    await attack.send('61');
  }
  assert.equal(attack.server.state, 'closed');
  assert.match(attack.server.reason?.detail ?? '', /a frame did not come in whole within 10000 ms/);
});

test('a SETUP without supervision, or with times of weeks, is supervised nevertheless', async () => {
  for (const times of ['0000000000000000', '7fffffff7fffffff', '0000138800000000']) {
    const attack = attacked();
    await attack.send(goodSetup.replace('0000138800004e20', times));
    assert.equal(attack.server.state, 'open');
    for (let minutes = 0; minutes < 12; minutes++) await attack.clock.advance(60_000);
    assert.equal(attack.server.state, 'closed', times);
    assert.equal(attack.clock.pendingTimers, 0);
  }
});

test('fragments without a byte cost nothing', async () => {
  const attack = attacked();
  const many = frame('00000001 28a0').repeat(10_000);
  await attack.send(goodSetup, frame('00000001 1080 61'), many, frame('00000001 2820 62'));
  assert.deepEqual(attack.said, ['0000000128606162']);
});

test('a flood of pings ends the connection', async () => {
  const ping = frame('00000000 0c80 0000000000000000');
  const attack = attacked({ maxKeepalivesPerSecond: 50 });
  await attack.send(goodSetup, ping.repeat(50));
  assert.equal(attack.server.state, 'open');
  assert.equal(attack.said.length, 50);
  await attack.clock.advance(1_000);
  await attack.send(ping.repeat(51));
  assert.equal(attack.server.state, 'closed');
});

test('a flood of cancels ends the connection', async () => {
  const attack = attacked({ maxCancelsPerSecond: 100 }, { requestResponse() {} });
  const pair = (id: number): string => request(id) + frame(`${hex32(id)} 2400`);
  const flood = Array.from({ length: 101 }, (_, n) => pair(2 * n + 1));
  await attack.send(goodSetup, ...flood.slice(0, 100));
  assert.equal(attack.server.state, 'open');
  await attack.send(flood[100] as string);
  assert.equal(attack.server.state, 'closed');
});

test('who does not take its answers is not read from any more', async () => {
  const attack = attacked({ maxQueuedBytes: 10_000 });
  await attack.send(goodSetup);
  attack.link.client.pause(); // the attacker stops reading
  for (let n = 0; n < 40; n++) await attack.send(request(2 * n + 1, 'aa'.repeat(1_000)));
  assert.ok(attack.server.queuedBytes < 13_000, `${attack.server.queuedBytes} bytes wait`);
  assert.ok(attack.link.client.queuedBytes > 20_000, 'the rest waits on the attacker’s side');
  attack.link.client.resume();
  for (let turn = 0; turn < 10; turn++) await settle();
  assert.equal(attack.said.length, 40);
});

test('who does not take its signs of life is not read from any more', async () => {
  const attack = attacked({ maxQueuedBytes: 10_000 });
  await attack.send(goodSetup);
  attack.link.client.pause();
  const ping = frame(`00000000 0c80 0000000000000000 ${'00'.repeat(1_000)}`);
  for (let n = 0; n < 40; n++) await attack.send(ping);
  assert.ok(attack.server.queuedBytes < 13_000, `${attack.server.queuedBytes} bytes wait`);
  assert.ok(attack.link.client.queuedBytes > 20_000, 'the rest waits on the attacker’s side');
  attack.link.client.resume();
  for (let turn = 0; turn < 10; turn++) await settle();
  assert.equal(attack.said.length, 40);
});

test('who takes nothing for too long is cut off', async () => {
  const attack = attacked({ writeStallMs: 30_000 });
  await attack.send(goodSetup, request(1));
  attack.link.client.pause();
  await attack.send(request(3));
  for (let beat = 0; beat < 8; beat++) {
    await attack.clock.advance(5_000);
    await attack.send(frame('00000000 0c00 0000000000000000'));
  }
  assert.equal(attack.server.state, 'closed');
});

test('a compressed bomb is data like any other: the engine inflates nothing', async () => {
  const attack = attacked({}, { requestResponse: (request_, stream) => stream.respond(`${request_.dataLength}`) });
  await attack.send(goodSetup, request(1, '1f8b0800'));
  assert.deepEqual(attack.said, [`000000012860${Buffer.from('4').toString('hex')}`]);
});

test('an answer over the limit fails its own call only, and is cancelled', async () => {
  const { client, server } = rsocketPair({
    responder: { requestResponse: (asked, stream) => stream.respond('x'.repeat(Number(asked.dataText()))) },
    clientLimits: { maxPayloadBytes: 10_000 },
    limits: { fragmentBytes: 1_000 },
  });
  const big = new Heard();
  const small = new Heard();
  client.requestResponse(undefined, '50000', big);
  client.requestResponse(undefined, '5', small);
  await settle();
  await settle();
  assert.deepEqual(big.ends, ['BAD_RESPONSE']);
  assert.deepEqual(small.items, ['xxxxx']);
  assert.equal(server.queuedBytes, 0);
  assert.equal(client.state, 'open');
});

function frame(hex: string): string {
  const text = hex.replaceAll(' ', '');
  return (text.length / 2).toString(16).padStart(6, '0') + text;
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}
