import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, FlotillaError, type Handler } from '@flotilla/core';
import fc from 'fast-check';
import { fleet, instances } from '../test/fleet.ts';
import { createCluster } from './balanced-cluster.ts';

/** How one call ends, and when. */
interface Ending {
  readonly afterMs: number;
  readonly code: 'ok' | 'CONNECTION_LOST' | 'UNAVAILABLE' | 'NOT_FOUND' | 'CANCELLED';
  readonly retryAfterMs: number | undefined;
}

const ending = fc.record<Ending>({
  afterMs: fc.constantFrom(0, 5, 50),
  code: fc.constantFrom('ok', 'ok', 'CONNECTION_LOST', 'CONNECTION_LOST', 'UNAVAILABLE', 'NOT_FOUND', 'CANCELLED'),
  retryAfterMs: fc.constantFrom(undefined, 20),
});

test('a cluster that hears of answers by their calls knows of its instances what one that waits for them knows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(ending, { maxLength: 40 }), async (endings) => {
      assert.deepEqual(await views(endings, true), await views(endings, false));
    }),
    { numRuns: 60 },
  );
});

/** What is known of three instances after these calls, one after the other, and how each call was answered. */
async function views(endings: readonly Ending[], told: boolean): Promise<object> {
  const world = fleet();
  let made = 0;
  const tells: Handler<string, string> = (_request, call) => {
    const promise = answerOf(call, endings[made++] as Ending);
    call.told = { promise, instead: undefined };
    return promise;
  };
  const waits: Handler<string, string> = async (request, call) => await tells(request, call);
  const handle = told ? tells : waits;
  const cluster = createCluster<string, string>({
    ...world.options,
    connect: () => ({ handle, status: 'open', load: 0, close: async () => {} }),
  });
  cluster.start();
  world.resolver.say(instances(3));
  const answers: string[] = [];
  for (const _ of endings) {
    const call = world.newCall();
    const answer = cluster.handle('x', call);
    assert.equal(answer === call.told?.promise, told);
    answer.then(
      (text) => answers.push(text),
      (error: FlotillaError) => answers.push(error.code),
    );
    await world.clock.advance(50);
  }
  const known = [cluster.instances(), cluster.explain(), world.lines];
  assert.equal(cluster.load, 0);
  await cluster.close();
  return { answers, known };
}

/** Ends the call and settles in the same turn. */
function answerOf(call: Call, { afterMs, code, retryAfterMs }: Ending): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  call.clock.setTimer(afterMs, () => {
    if (code === 'ok') {
      call.end();
      resolve('answer');
      return;
    }
    const error = new FlotillaError(code, 'as the script has it', {
      fromPeer: true,
      executed: 'no',
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
    call.end(error);
    reject(error);
  });
  return promise;
}
