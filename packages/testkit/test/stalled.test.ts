import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Call, FlotillaError } from '@flotilla/core';
import { ManualClock, settle, startFleet } from '@flotilla/testkit';
import { service } from 'flotilla';
import { contract, query } from 'flotilla/contract';
import { z } from 'zod';

const slow = contract({ name: 'slow', version: 1 }, { ask: query({ out: z.boolean() }) });
const calls = 10_000;
/** What one instance may have in hand from one caller: `maxConcurrent`. */
const cap = 1_000;

for (const transport of ['auto', 'http'] as const) {
  describe(`10,000 calls at once to a service that never answers, with transport ${transport}`, () => {
    it('no more than the cap of its instance come in, most are refused at once, and nothing is left', async () => {
      const clock = new ManualClock();
      const held = new Set<Call>();
      const over = Promise.withResolvers<boolean>();
      const server = service('slow');
      server.handle(slow, {
        ask(_, call) {
          held.add(call);
          call.onEnd(() => held.delete(call));
          return over.promise;
        },
      });
      const caller = service('caller');
      const client = caller.client(slow);
      await using _fleet = await startFleet({
        services: [server, caller].map((app) => ({ app, config: { transport } })),
        clock,
      });
      const failures: FlotillaError[] = [];
      const pending = Array.from({ length: calls }, () =>
        client.ask(undefined, undefined, { timeoutMs: 1_000 }).then(
          () => assert.fail('nobody answers'),
          (thrown: FlotillaError) => failures.push(thrown),
        ),
      );
      await settle();
      assert.ok(held.size > 0 && held.size <= cap, `${held.size} in hand`);
      // The others wait for their next attempt, within the budget of retries.
      assert.ok(failures.length > calls / 2, `${failures.length} were refused`);
      assert.ok(failures.every(({ executed }) => executed === 'no'));
      await clock.advance(1_000);
      await Promise.all(pending);
      assert.equal(failures.length, calls);
      await settle();
      assert.equal(held.size, 0);
      over.resolve(true); // a service waits for its handlers before it leaves
    });
  });
}
