import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from './call.ts';
import { FlotillaError } from './errors.ts';
import { composeReady, type Gate, gateFilter } from './gate.ts';
import { compose, type Filter } from './handler.ts';
import { ManualClock, seededRandom } from './testing/index.ts';

const newCall = (): Call => new Call({ clock: new ManualClock(), random: seededRandom(1) });
const refusal = new FlotillaError('UNAVAILABLE', 'full', { executed: 'no' });

/** A gate that writes down what it is asked. */
function gate(name: string, log: string[], enter: Gate['enter'] = () => undefined): Gate {
  return {
    enter(call, now) {
      log.push(name);
      return enter(call, now);
    },
  };
}

test('gates before what is ready at once need no promise, and are asked from the outside in', () => {
  const log: string[] = [];
  const handle = composeReady<number, number>(
    [gateFilter(gate('outer', log)), gateFilter(gate('inner', log))],
    (request) => request + 1,
  );
  assert.equal(handle(1, newCall()), 2);
  assert.deepEqual(log, ['outer', 'inner']);
});

test('a gate that is closed throws, and nothing further in is asked', () => {
  const log: string[] = [];
  const closed = gate('outer', log, () => {
    throw refusal;
  });
  const handle = composeReady([gateFilter(closed), gateFilter(gate('inner', log))], () => assert.fail('refused'));
  assert.throws(() => handle(1, newCall()), refusal);
  assert.deepEqual(log, ['outer']);
});

test('who waits at a gate goes on from there', async () => {
  const log: string[] = [];
  const free = Promise.withResolvers<void>();
  const waiting = gateFilter<number, number>(gate('waits', log, () => free.promise));
  const handle = composeReady([waiting, gateFilter(gate('inner', log))], (request) => request + 1);
  const answer = handle(1, newCall());
  assert.ok(answer instanceof Promise);
  assert.deepEqual(log, ['waits']);
  free.resolve();
  assert.equal(await answer, 2);
  assert.deepEqual(log, ['waits', 'inner']);
});

test('as a filter among others a gate gives a promise in any case', async () => {
  const closed: Gate = {
    enter() {
      throw refusal;
    },
  };
  await assert.rejects(
    compose([gateFilter<number, number>(closed)], () => assert.fail('refused'))(1, newCall()),
    refusal,
  );
  const plain: Filter<number, number> = (next) => async (request, call) => (await next(request, call)) * 10;
  const log: string[] = [];
  const handle = composeReady([gateFilter(gate('outer', log)), plain, gateFilter(gate('inner', log))], (n) => n + 1);
  assert.equal(await handle(1, newCall()), 20);
  await assert.rejects(
    Promise.resolve(
      composeReady([plain], () => {
        throw refusal;
      })(1, newCall()),
    ),
    refusal,
  );
});

test('a gate hears when an answer begins, or that it will not', async () => {
  const heard: boolean[] = [];
  const counting: Gate = { enter: () => undefined, begun: (_, well) => void heard.push(well) };
  const handle = composeReady<number, number>([gateFilter(counting)], (request) => {
    if (request === 0) throw refusal;
    return request;
  });
  assert.equal(await handle(7, newCall()), 7);
  await assert.rejects(Promise.resolve(handle(0, newCall())), refusal);
  assert.deepEqual(heard, [true, false]);
});

test('gates that nothing stands before are asked as of the start of the call, others as of now', async () => {
  const clock = new ManualClock();
  const asked: number[] = [];
  const timed = gateFilter<number, number>({
    enter(_, now) {
      asked.push(now);
      return undefined;
    },
  });
  const plain: Filter<number, number> = (next) => async (request, call) => {
    await clock.advance(5);
    return next(request, call);
  };
  const handle = composeReady([timed, plain, timed], (request) => request);
  const call = new Call({ clock, random: seededRandom(1) });
  await handle(1, call);
  assert.deepEqual(asked, [call.startedAt, call.startedAt + 5]);
});
