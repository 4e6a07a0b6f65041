import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlotillaError } from '@flotilla/core';
import { seededRandom, settle } from '@flotilla/core/testing';
import fc from 'fast-check';
import { type Pair, rsocketPair } from '../../test/rsocket-pair.ts';
import type { Transit } from './engines/memory/byte-pair.ts';
import { readU24 } from './frame.ts';
import type { RSocketResponder } from './responder-port.ts';

/** Answers with what it was asked, so that an answer to somebody else's question is seen. */
const echo: RSocketResponder = {
  requestResponse: (request, stream) => stream.respond(`answer to ${request.dataText()}`),
  requestStream(request, stream) {
    const text = request.dataText();
    for (let n = 0; n < 3; n++) stream.next(`answer to ${text}`);
    stream.complete();
  },
};

const deadlineMs = 10_000;

/** Calls of both kinds, long and short. Each ends by its deadline, as every call of a client does. */
function ask(pair: Pair, count: number): Map<string, string[]> {
  const ends = new Map<string, string[]>();
  for (let n = 0; n < count; n++) {
    const question = `question ${n} ${n % 4 === 3 ? 'x'.repeat(500) : ''}`;
    const heard: string[] = [];
    ends.set(question, heard);
    const receiver = {
      next(payload: { dataText(): string }): void {
        for (const [, named] of payload.dataText().matchAll(/question (\d+)/g)) {
          if (named !== `${n}`) heard.push(`cross-talk: ${named}`);
        }
      },
      complete: (): void => void heard.push('complete'),
      error: (code: number): void => void heard.push(`error ${code}`),
      failed: (error: FlotillaError): void => void heard.push(error.code),
    };
    try {
      const stream =
        n % 2 === 0
          ? pair.client.requestResponse('m', question, receiver)
          : pair.client.requestStream('m', question, 10, receiver);
      pair.clock.setTimer(deadlineMs, () => {
        if (stream.over) return;
        stream.cancel();
        heard.push('deadline');
      });
    } catch (thrown) {
      heard.push((thrown as FlotillaError).code);
    }
  }
  return ends;
}

async function everyCallEnds(pair: Pair, ends: ReadonlyMap<string, readonly string[]>): Promise<void> {
  await settle();
  for (let passed = 0; passed < deadlineMs; passed += 2_500) await pair.clock.advance(2_500);
  for (const [question, heard] of ends) {
    assert.equal(heard.length, 1, `${question}: ${heard.join(', ')}`);
    assert.ok(!heard[0]?.startsWith('cross-talk'), `${question}: ${heard[0]}`);
  }
  assert.equal(pair.client.outstanding, 0);
  await pair.clock.advance(60_000); // a connection that is out of step is noticed by its silence
  if (pair.client.state === 'open' && pair.server.state === 'open') {
    const again = ask(pair, 3);
    await settle();
    for (const heard of again.values()) assert.deepEqual(heard, ['complete']);
  }
  pair.client.close();
  await settle();
  assert.equal(pair.server.state, 'closed');
  assert.equal(pair.server.inFlight, 0);
  assert.equal(pair.server.queuedBytes, 0);
  await pair.clock.advance(deadlineMs); // timers of calls
  assert.equal(pair.clock.pendingTimers, 0);
}

const limits = { fragmentBytes: 128 };

test('a connection that is cut at any byte ends all its calls', async () => {
  for (const side of ['client', 'server'] as const) {
    for (let cutAt = 0; cutAt < 900; cutAt += 7) {
      const pair = rsocketPair({ responder: echo, limits });
      let passed = 0;
      pair.link.alter(side, (bytes) => {
        const rest = Math.max(0, cutAt - passed);
        passed += bytes.length;
        if (rest < bytes.length) queueMicrotask(() => pair.link.cut());
        return rest > 0 ? [bytes.subarray(0, rest)] : [];
      });
      const ends = ask(pair, 6);
      await everyCallEnds(pair, ends);
    }
  }
});

test('frames in pieces of any size', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 50 }), async (size) => {
      const pair = rsocketPair({ responder: echo, limits });
      for (const side of ['client', 'server'] as const) pair.link.alter(side, (bytes) => piecesOf(bytes, size));
      const ends = ask(pair, 8);
      for (let turn = 0; turn < 3; turn++) await settle();
      for (const heard of ends.values()) assert.deepEqual(heard, ['complete']);
      await everyCallEnds(pair, ends);
    }),
    { numRuns: 20 },
  );
});

type Fault = 'duplicate' | 'swap' | 'noise' | 'drop' | 'flip' | 'truncate' | 'insert';

test('frames duplicated, reordered, dropped or replaced by noise: no crash, no cross-talk, an end within the deadline', async () => {
  const fault = fc.constantFrom<Fault>('duplicate', 'swap', 'noise', 'drop');
  const plan = fc.record({
    seed: fc.integer(),
    faults: fc.array(fault, { minLength: 1, maxLength: 3 }),
    side: fc.constantFrom('client' as const, 'server' as const),
    rate: fc.double({ min: 0.02, max: 0.5, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ seed, faults, side, rate }) => {
      const pair = rsocketPair({ responder: echo, limits });
      await settle();
      pair.link.alter(side, faulty(faults, rate, seededRandom(seed)));
      const ends = ask(pair, 8);
      await settle();
      pair.link.alter(side, undefined);
      await everyCallEnds(pair, ends);
    }),
    { numRuns: 150 },
  );
});

// TCP keeps bytes whole and in order. Where a middlebox does not, a frame may swallow the begin of the next one, and only
// a checksum of the message could tell.
test('bytes that change, are lost or come from nowhere: no crash, and every call ends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.constantFrom('client' as const, 'server' as const), async (seed, side) => {
      const pair = rsocketPair({ responder: echo, limits });
      await settle();
      pair.link.alter(side, faulty(['flip', 'truncate', 'insert'], 0.3, seededRandom(seed)));
      const ends = ask(pair, 8);
      await settle();
      pair.link.alter(side, undefined);
      for (let passed = 0; passed < 60_000; passed += 5_000) await pair.clock.advance(5_000);
      for (const heard of ends.values()) assert.ok(heard.some((each) => !each.startsWith('cross-talk')));
      assert.equal(pair.client.outstanding, 0);
      pair.client.close();
      await settle();
      assert.equal(pair.server.inFlight, 0);
    }),
    { numRuns: 100 },
  );
});

function faulty(faults: readonly Fault[], rate: number, random: () => number): Transit {
  return (bytes) => {
    const frames = framesOf(bytes);
    for (let at = 0; at < frames.length; at++) {
      if (random() >= rate) continue;
      const frame = frames[at] as Buffer;
      switch (faults[Math.floor(random() * faults.length)]) {
        case 'duplicate':
          frames.splice(at, 0, frame);
          at++;
          break;
        case 'swap':
          if (at > 0) [frames[at - 1], frames[at]] = [frame, frames[at - 1] as Buffer];
          break;
        case 'drop':
          frames[at] = Buffer.alloc(0);
          break;
        case 'noise':
          frames[at] = noise(frame.length, random);
          break;
        case 'truncate':
          frames[at] = frame.subarray(0, Math.floor(random() * frame.length));
          break;
        case 'insert':
          frames[at] = Buffer.concat([noise(1 + Math.floor(random() * 20), random), frame]);
          break;
        default:
          frame[Math.floor(random() * frame.length)] = Math.floor(random() * 256);
      }
    }
    return frames;
  };
}

function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 3 + readU24(bytes, at);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

function noise(length: number, random: () => number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

function piecesOf(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}
