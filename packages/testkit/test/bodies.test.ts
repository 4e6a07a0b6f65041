import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError, sleep } from '@flotilla/core';
import { ManualClock, settle, startFleet } from '@flotilla/testkit';
import { service } from 'flotilla';
import { byteStream, bytes, command, contract, get, post, put, query } from 'flotilla/contract';
import { z } from 'zod';

const films = contract(
  { name: 'films', version: 1 },
  {
    store: command({ out: z.number(), idempotent: true, http: put('/stills', { body: bytes({ type: '*/*' }) }) }),
    upload: command({ out: z.number(), idempotent: true, http: put('/films', { body: byteStream() }) }),
    watch: query({ out: byteStream(), http: get('/films') }),
    cut: command({ out: byteStream(), http: post('/cuts', { body: byteStream() }) }),
  },
);

async function fleetOf() {
  const clock = new ManualClock();
  const seen = { attempts: 0, failures: 0 };
  const cinema = service('cinema');
  const attempt = (): void => {
    seen.attempts++;
    if (seen.attempts <= seen.failures) throw new FlotillaError('DEADLINE_EXCEEDED', 'not now');
  };
  cinema.handle(films, {
    store({ body }) {
      attempt();
      return body.byteLength;
    },
    async upload({ body }) {
      attempt();
      let size = 0;
      for await (const chunk of body.content) size += chunk.byteLength;
      return size;
    },
    cut: async (_, call) => {
      await sleep(3_600_000, call);
      return Uint8Array.of(1);
    },
    async *watch(_, call) {
      yield Uint8Array.of(1);
      await sleep(60_000, call);
      yield Uint8Array.of(2);
    },
  });
  const visitor = service('visitor');
  const client = visitor.client(films);
  const fleet = await startFleet({ services: [cinema, visitor], clock, seed: 5 });
  return { clock, client, seen, stop: () => fleet.stop() };
}

test('bytes and blobs are sent again after a failure', async () => {
  const { clock, client, seen, stop } = await fleetOf();
  try {
    for (const body of [Uint8Array.of(1, 2), new Blob(['ab'])]) {
      Object.assign(seen, { attempts: 0, failures: 2 });
      const reply = client.store({ body });
      await clock.advance(5_000);
      assert.equal(await reply, 2);
      assert.equal(seen.attempts, 3);
    }
  } finally {
    await stop();
  }
});

test('a stream is not: it is gone, and the caller who has the source decides', async () => {
  const { clock, client, seen, stop } = await fleetOf();
  try {
    seen.failures = 1;
    const refused = assert.rejects(client.upload({ body: chunks(clock, 1, 0) }), {
      code: 'DEADLINE_EXCEEDED',
      detail: 'not now',
    });
    await clock.advance(5_000);
    await refused;
    assert.equal(seen.attempts, 1);
  } finally {
    await stop();
  }
});

test('an upload may take longer than an attempt, but not longer than its call', async () => {
  const { clock, client, stop } = await fleetOf();
  try {
    const long = client.upload({ body: chunks(clock, 5, 4_000) });
    for (let i = 0; i < 5; i++) await clock.advance(4_000);
    assert.equal(await long, 5);
    const tooLong = assert.rejects(client.upload({ body: chunks(clock, 10, 4_000) }), { code: 'DEADLINE_EXCEEDED' });
    for (let i = 0; i < 10; i++) await clock.advance(4_000);
    await tooLong;
  } finally {
    await stop();
  }
});

test('a download may take as long as its reader likes', async () => {
  const { clock, client, stop } = await fleetOf();
  try {
    const { content } = await client.watch(undefined);
    const read = Array.fromAsync(content);
    await settle();
    await clock.advance(60_000);
    assert.deepEqual(
      (await read).map(([byte]) => byte),
      [1, 2],
    );
  } finally {
    await stop();
  }
});

test('bytes in and bytes out: the answer has to begin in the time of a call', async () => {
  const { clock, client, stop } = await fleetOf();
  try {
    const refused = assert.rejects(client.cut({ body: chunks(clock, 1, 0) }), { code: 'DEADLINE_EXCEEDED' });
    await settle();
    await clock.advance(30_000);
    await refused;
  } finally {
    await stop();
  }
});

/** As many bytes, one by one, each after a while. */
async function* chunks(clock: ManualClock, count: number, everyMs: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    if (everyMs > 0) await new Promise<void>((resolve) => void clock.setTimer(everyMs, resolve));
    yield Uint8Array.of(i);
  }
}
