import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Call, FlotillaError, systemClock, systemRandom } from '@flotilla/core';
import type { Client } from '@flotilla/rpc';
import type { stock } from './fixtures/placed.ts';
import { type Placed, placed } from './placing.ts';

const callFor = (options = {}): Call => new Call({ clock: systemClock, random: systemRandom, ...options });

// What happened is counted by the module, which those share that are in this process: each counts something of its own.
for (const [placement, own] of [
  ['process', 1_000_000],
  ['process, without copies', 4_000_000],
  ['worker', 2_000_000],
  ['remote', 3_000_000],
] as const) {
  const options = { copies: placement !== 'process, without copies' };
  const at = placement === 'process, without copies' ? 'process' : placement;
  describe(`a service that is placed: ${placement}`, () => {
    let place: Placed;
    let client: Client<typeof stock>;
    before(async () => {
      place = await placed(at, options);
      client = place.client;
    });
    after(() => place?.stop());

    test('answers, and neither side sees what the other does to an object afterwards', async () => {
      const tags = ['new'];
      const input = { id: 'a', tags };
      const first = await client.item(input);
      assert.deepEqual(first, { id: 'a', tags: ['new', 'seen'] });
      first.tags.push('changed here');
      assert.deepEqual(await client.item({ id: 'b', tags: [] }), { id: 'b', tags: ['seen'] }); // the handler changes its first
      assert.deepEqual([input, first.tags], [{ id: 'a', tags: ['new'] }, ['new', 'seen', 'changed here']]);
    });

    test('fails with what the contract declares, or without a word of what happened inside', async () => {
      await assert.rejects(client.item({ id: 'gone', tags: [] }), (thrown: FlotillaError) => {
        assert.deepEqual(
          [thrown.code, thrown.data, thrown.detail, thrown.fromPeer, thrown.executed, thrown.cause],
          ['GONE', { id: 'gone' }, 'sold', true, 'yes', undefined],
        );
        return true;
      });
      await assert.rejects(client.fail(), (thrown: FlotillaError) => {
        assert.deepEqual([thrown.code, thrown.fromPeer, thrown.cause], ['INTERNAL', true, undefined]);
        assert.doesNotMatch(JSON.stringify({ ...thrown, message: thrown.message }), /secret/);
        return true;
      });
      await assert.rejects(client.item({ id: 1, tags: [] } as never), { code: 'INVALID_INPUT', message: /id/ });
      await assert.rejects(client.item({ id: 1n, tags: [] } as never), { code: 'INVALID_INPUT' });
    });

    test('is repeated as any other: the same filters stand before it', async () => {
      assert.equal(await client.flaky({ n: own }), own);
      assert.equal(await client.happened({ what: `flaky ${own}` }), 2);
    });

    test('gets what travels with a call', async () => {
      const call = callFor({ deadline: systemClock.now() + 5_000, urgency: 5 });
      const seen = await client.context(undefined, call);
      assert.equal(seen.traceId, call.trace.traceId);
      assert.equal(seen.urgency, 5);
      assert.ok(seen.leftMs > 0 && seen.leftMs <= 5_000, `${seen.leftMs} ms are left`);
    });

    test('hears that its caller has gone, or that the time is over', async () => {
      const call = callFor();
      const cancelled = assert.rejects(client.wait({ n: own }, call), { code: 'CANCELLED' });
      await client.happened({ what: `wait ${own}` });
      call.cancel();
      await cancelled;
      assert.equal(await client.happened({ what: `wait ${own} CANCELLED` }), 1);
      await assert.rejects(client.wait({ n: own + 2 }, undefined, { timeoutMs: 200 }), { code: 'DEADLINE_EXCEEDED' });
      await client.happened({ what: `wait ${own + 2}` });
    });

    test('streams as it is read, until its end, an error, or its reader leaves', async () => {
      assert.deepEqual(
        await Array.fromAsync(client.counts({ n: 100 })),
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
      const some: number[] = [];
      for await (const n of client.counts({ n: own })) {
        some.push(n);
        if (n === 3) break;
      }
      assert.deepEqual(some, [1, 2, 3]);
      assert.equal(await client.happened({ what: `counted ${own}` }), 1);
      const made = await client.happened({ what: `count of ${own}` });
      assert.ok(made <= 100, `${made} were made for 3`);
      const torn: number[] = [];
      await assert.rejects(
        async () => {
          for await (const n of client.torn({ n: 2 })) torn.push(n);
        },
        { code: 'INTERNAL', fromPeer: true },
      );
      assert.deepEqual(torn, [1, 2]);
    });

    test('is sent many elements, and answers once, or as many', async () => {
      assert.equal(await client.sum([1, 2, 39]), 42);
      assert.equal(await client.sum([]), 0);
      async function* numbers() {
        for (let n = 1; n <= 50; n++) yield n;
      }
      assert.deepEqual(
        await Array.fromAsync(client.doubled(numbers())),
        Array.from({ length: 50 }, (_, i) => 2 * (i + 1)),
      );
      async function* broken() {
        yield 1;
        throw new FlotillaError('UNAVAILABLE', 'no more of them');
      }
      await assert.rejects(client.sum(broken()), { code: 'UNAVAILABLE', detail: 'no more of them' });
    });

    test('takes notes', async () => {
      await client.note({ text: `noted by ${placement}` });
      assert.equal(await client.happened({ what: `noted by ${placement}` }), 1);
    });

    test('says nothing of a hint that it could not take', async () => {
      for (const n of [-own, own]) {
        assert.equal(await client.hint({ n }), undefined);
        assert.equal(await client.happened({ what: `hint ${n}` }), 1);
      }
    });

    test('takes and answers bytes', async () => {
      assert.equal(await client.size({ body: new Uint8Array(300_000) }), 300_000);
      const picture = await client.picture({ n: 250_001 });
      let [length, sum] = [0, 0];
      for await (const part of picture.content) {
        length += part.byteLength;
        sum += part[0] ?? 0;
      }
      assert.deepEqual([length, sum > 0], [250_001, true]);
      await assert.rejects(client.size({ body: new Uint8Array(1_048_577) }), {
        code: 'BODY_TOO_LARGE',
        executed: 'no',
      });
    });

    test('is fetched from, without a contract', async () => {
      const call = callFor({ baggage: new Map([['flotilla.tenant', 'acme']]) });
      const body = new Uint8Array(200_000).fill(5);
      const answer = await place.fetch('http://stock/echo', {
        method: 'POST',
        body,
        headers: { 'x-said': 'hello' },
        call,
      });
      assert.deepEqual([answer.status, answer.headers.get('x-seen')], [200, 'POST hello acme']);
      assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), body);
      const missing = await place.fetch('https://stock/nowhere').catch((thrown: FlotillaError) => thrown);
      if (at === 'remote')
        assert.equal((missing as FlotillaError).code, 'NO_INSTANCE'); // it has no certificate
      else assert.match(await (missing as Response).text(), /NO_ROUTE/);
    });

    test('calls back those who serve what it asks for, and says why it cannot call the others', async () => {
      assert.equal(await place.serving.told({ n: own }), 3);
      const code = at === 'process' ? 'UNIMPLEMENTED' : 'UNAVAILABLE'; // over a wire only the caller knows that it serves nothing
      await assert.rejects(client.told({ n: own }), { code, message: /serves|needs another service/ });
      await assert.rejects(place.serving.toldBytes({ n: own }), { code: 'UNIMPLEMENTED' });
    });

    test('ends what it has in hand when it is stopped, then refuses', async () => {
      const other = await placed(at, options);
      const waiting = other.client.wait({ n: own + 9 });
      const broken = assert.rejects(waiting, { code: 'CONNECTION_LOST', executed: 'unknown' });
      await other.client.happened({ what: `wait ${own + 9}` });
      await other.stop();
      await broken;
      await assert.rejects(other.client.note({ text: 'late' }), { executed: 'no' });
    });
  });
}

test('a thread that dies takes its calls with it, and is started anew', async () => {
  const place = await placed('worker');
  const lost = assert.rejects(place.client.wait({ n: 1 }), { code: 'CONNECTION_LOST', executed: 'unknown' });
  await place.client.happened({ what: 'wait 1' });
  await assert.rejects(place.client.crash(), { code: 'CONNECTION_LOST', executed: 'unknown' });
  await lost;
  await place.listed(false);
  await assert.rejects(place.client.note({ text: 'nobody' }), { code: 'NO_INSTANCE', executed: 'no' });
  await place.listed(true);
  assert.equal(await place.client.sum([1, 2]), 3);
  await place.stop();
});
