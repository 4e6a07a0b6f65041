import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError, nullLogger, nullMeter } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { registryLog } from '../server/log.ts';
import { registryMetrics } from '../server/metrics.ts';
import type { Written } from './engine.ts';
import { KnownRecords } from './known-records.ts';
import { Outbox, type OutboxParts } from './outbox.ts';
import type { Pending } from './pending.ts';

const key = (id: string) => ({ service: 'orders', id });
const farewell = { kind: 'deregistered', incarnation: 1 } as const;

/** An engine of which a test answers each write, and an outbox in front of it. */
function world(parts: Partial<OutboxParts> = {}) {
  const clock = new ManualClock();
  const writes: {
    readonly text: string;
    readonly revision: number;
    answer(written: Written | Error): Promise<void>;
  }[] = [];
  const written: string[] = [];
  const place = { isOpen: true };
  const known = new KnownRecords();
  const outbox = new Outbox({
    engine: {
      name: 'a test',
      write: (text, _record, revision) =>
        new Promise((resolve, reject) => {
          const answer = async (outcome: Written | Error): Promise<void> => {
            if (outcome instanceof Error) reject(outcome);
            else resolve(outcome);
            await settle();
          };
          writes.push({ text, revision, answer });
        }),
    },
    known,
    clock,
    random: seededRandom(1),
    log: registryLog(nullLogger),
    metrics: registryMetrics(nullMeter),
    isOpen: () => place.isOpen,
    outgoing: ({ key: { service, id } }: Pending) => ({
      kept: { gone: { service, id, incarnation: 1, reason: 'deregistered', until: 1 } },
      listed: -1,
    }),
    written: ({ text }, revision) => {
      written.push(`${text} ${revision}`);
      known.learn(text, revision, 'gone', -1);
    },
    overtaken: () => false,
    ...parts,
  });
  return { clock, outbox, writes, written, place, known };
}

test('a write goes on top of what is known; what is said meanwhile goes into the next one', async () => {
  const { outbox, writes, written } = world();
  outbox.add(key('a'), farewell);
  const first = outbox.settled(key('a'));
  outbox.add(key('a'), { kind: 'overrideSet', override: 'down' });
  assert.deepEqual([writes.length, writes[0]?.revision, outbox.size], [1, 0, 1]);
  let isSecond = false;
  const second = outbox.settled(key('a')).then(() => {
    isSecond = true;
  });
  await writes[0]?.answer({ outcome: 'written', revision: 7 });
  await first;
  assert.deepEqual([written, isSecond, writes[1]?.revision], [['orders\na 7'], false, 7]);
  await writes[1]?.answer({ outcome: 'written', revision: 8 });
  await second;
  assert.equal(outbox.size, 0);
});

test('an acknowledgement waits for its own instance, and is refused after two seconds', async () => {
  const { clock, outbox, writes } = world();
  outbox.add(key('slow'), farewell);
  outbox.add(key('quick'), farewell);
  const slow = outbox.settled(key('slow'));
  const all = outbox.settled();
  const quick = outbox.settled(key('quick'));
  const refusals = Promise.all(
    [slow, all].map((each) => assert.rejects(each, { code: 'UNAVAILABLE', executed: 'unknown' })),
  );
  await writes[1]?.answer({ outcome: 'written', revision: 7 });
  await quick;
  await outbox.settled(key('nobody'));
  await clock.advance(2_000);
  await refusals;
  await writes[0]?.answer({ outcome: 'written', revision: 8 });
  assert.equal(outbox.size, 0, 'it was written all the same');
});

test('nobody waits for an engine that is away; when it is back everything is written', async () => {
  const { outbox, writes, place } = world();
  outbox.add(key('a'), farewell);
  const settled = outbox.settled(key('a'));
  place.isOpen = false;
  outbox.giveUp();
  await settled;
  await writes[0]?.answer(new FlotillaError('CONNECTION_LOST', 'gone'));
  outbox.add(key('b'), farewell);
  assert.deepEqual([writes.length, outbox.size], [1, 2]);
  place.isOpen = true;
  outbox.resume();
  const rewritten = writes.slice(1).map(({ text }) => text);
  assert.deepEqual(rewritten.sort(), ['orders\na', 'orders\nb']);
});

test('a write that fails is tried again, ever later, five seconds at most', async () => {
  const { clock, outbox, writes } = world();
  outbox.add(key('a'), farewell);
  const waits: number[] = [];
  for (let attempt = 0; attempt < 9; attempt++) {
    await writes.at(-1)?.answer(new FlotillaError('UNAVAILABLE', 'no leader'));
    const from = clock.now();
    const before = writes.length;
    while (writes.length === before) await clock.advance(10);
    waits.push(clock.now() - from);
  }
  assert.ok((waits[0] ?? 0) >= 100 && (waits[0] ?? 0) <= 210, `${waits}`);
  assert.ok(
    waits.slice(6).every((wait) => wait >= 2_500 && wait <= 5_010),
    `${waits}`,
  );
});

test('somebody who wrote first is taken in, and it is written on top of that; unless nothing is left to say', async () => {
  const overtaken: unknown[] = [];
  let isSaid = false;
  const { outbox, writes } = world({
    overtaken: (_, current) => {
      overtaken.push(current?.revision);
      return isSaid;
    },
  });
  outbox.add(key('a'), farewell);
  await writes[0]?.answer({ outcome: 'conflict', current: { text: 'x', revision: 9 } });
  assert.equal(writes.length, 2);
  isSaid = true;
  await writes[1]?.answer({ outcome: 'conflict', current: { text: 'y', revision: 10 } });
  assert.deepEqual([overtaken, writes.length, outbox.size], [[9, 10], 2, 0]);
});

test('no more than 1,024 writes are under way; the rest follows', async () => {
  const { outbox, writes } = world();
  for (let i = 0; i < 1_030; i++) outbox.add(key(`${i}`), farewell);
  assert.equal(writes.length, 1_024);
  await writes[0]?.answer({ outcome: 'written', revision: 1 });
  assert.equal(writes.length, 1_025);
});

test('after its end nothing is written, and nobody waits', async () => {
  const { clock, outbox, writes } = world();
  outbox.add(key('a'), farewell);
  const settled = outbox.settled();
  outbox.stop();
  await settled;
  await writes[0]?.answer(new FlotillaError('UNAVAILABLE', 'no leader'));
  await clock.advance(60_000);
  assert.equal(writes.length, 1);
});
