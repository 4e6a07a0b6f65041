/** The invariants notice what they are for: each time one part does what it must not. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Call, FlotillaError, type Handler } from '@flotilla/core';
import type { OperationRequest, OperationResponse } from '@flotilla/rpc';
import type { Question } from './fleet.ts';
import type { History, Trouble } from './history.ts';
import { invariants } from './invariants.ts';
import { judge, shrink } from './judge.ts';
import { type Mutations, runHistory } from './run.ts';

const history: History = {
  seed: 11,
  instances: 20,
  wire: false,
  trafficMs: 3_000,
  callsPerSecond: 100,
  timeoutMs: 1_000,
  attemptTimeoutMs: 1_000,
  retriesPerSecond: 0,
  hedge: false,
  troubles: [],
};

type Ask = Handler<OperationRequest, OperationResponse>;

/** One attempt in so many does this instead. */
function oneIn(
  count: number,
  instead: (next: Ask, request: OperationRequest, call: Call) => Promise<unknown>,
): Mutations {
  return {
    attempts: (random) => (next) => (request, call) =>
      random() < 1 / count ? instead(next, request, call) : next(request, call),
  };
}

function trouble(kind: Trouble['kind'], instances: readonly number[], forMs = 2_000): Trouble {
  return { kind, atMs: 500, forMs, instances };
}

const all = Array.from({ length: 20 }, (_, number) => number);

async function noticed(mutations: Mutations, invariant: string, changes: Partial<History> = {}): Promise<void> {
  const changed = { ...history, ...changes };
  assert.equal(await judge(changed), undefined, 'it holds as long as nothing is done otherwise');
  const failure = await judge(changed, mutations);
  assert.equal(failure?.invariant, invariant, failure?.why);
}

suite('it is noticed when', () => {
  test('a connection mixes up two ids', async () => {
    let before = 0;
    const mutation = oneIn(20, async (next, request, call) => {
      const answer = (await next(request, call)) as Question;
      const swapped = { id: before };
      before = answer.id;
      return swapped;
    });
    await noticed(mutation, 'no call gets the answer of another one');
  });

  test('retries do not ask for the budget', async () => {
    await noticed({ retriesPerSecond: 1_000 }, 'retries and hedges stay within their budgets', {
      troubles: [trouble('dead', all)],
    });
  });

  test('a connection sends a command again whose outcome is unknown', async () => {
    const mutation = oneIn(1, (next, request, call) => next(request, call.child()).then(() => next(request, call)));
    await noticed(mutation, 'a command that may not be done twice is not done twice', { retriesPerSecond: 1_000 });
  });

  test('a failure says executed: no of what was done', async () => {
    const mutation = oneIn(20, async (next, request, call) => {
      await next(request, call.child());
      const error = new FlotillaError('INVALID_INPUT', 'it does not fit', { executed: 'no' });
      call.end(error);
      throw error;
    });
    await noticed(mutation, 'a call that was answered was executed, and one that says it was not was not');
  });

  test('an answer comes from nowhere', async () => {
    const mutation = oneIn(20, async (_next, { input }, call) => {
      call.end();
      return input;
    });
    await noticed(mutation, 'a call that was answered was executed, and one that says it was not was not');
  });

  test('a call outlives its deadline', async () => {
    const mutations: Mutations = {
      client: (client, clock) => ({
        ...client,
        look: (async (...args: Parameters<typeof client.look>) => {
          const [input, call] = args;
          await new Promise<void>((resolve) => void clock.setTimer(input.id % 20 === 0 ? 1_011 : 0, resolve));
          return await client.look(input, call);
        }) as never,
      }),
    };
    await noticed(mutations, 'every call ends once, at its deadline at the latest');
  });

  test('a call never ends', async () => {
    const mutations: Mutations = {
      client: (client) => ({
        ...client,
        look: ((input: Question, call: Call) =>
          input.id % 20 === 0 ? new Promise(() => {}) : client.look(input, call)) as never,
      }),
    };
    await noticed(mutations, 'every call ends once, at its deadline at the latest');
  });

  test('instances that fail are asked all the same', async () => {
    const failing = oneIn(4, (_next, _request, call) => {
      const error = new FlotillaError('INTERNAL', 'it is broken', { fromPeer: true });
      call.end(error);
      return Promise.reject(error);
    });
    await noticed(failing, 'while most instances are well, most calls are answered', {
      troubles: [trouble('slow', [3])],
    });
  });

  test('a drain loses calls', async () => {
    const losing = oneIn(100, (_next, _request, call) => {
      const error = new FlotillaError('CONNECTION_LOST', 'it ended');
      call.end(error);
      return Promise.reject(error);
    });
    await noticed(losing, 'instances that drain lose no call', { troubles: [trouble('restart', [1, 2, 3])] });
  });
});

test('records that contradict the other invariants', async () => {
  const troubles = [trouble('blocked', [3])];
  const record = await runHistory({ ...history, troubles });
  const brokenIn = (of: History, name: string, changed: object): string | undefined =>
    invariants.find((each) => each.name === name)?.broken(of, { ...record, ...changed });
  const why = (name: string, changed: object): string | undefined => brokenIn({ ...history, troubles }, name, changed);
  const late = Array.from({ length: 20 }, (_, id) => ({ id, at: 600 + id * 50, instance: 3 }));
  assert.match(
    why('calls leave an instance whose event loop is blocked within 300 ms', {
      attempts: [...record.attempts, ...late],
    }) ?? '',
    /later than that/,
  );
  assert.match(
    why('an instance whose event loop is blocked is not declared dead', {
      ejections: [{ at: 700, instance: 3, forMs: 1_000 }],
    }) ?? '',
    /instance 3 was ejected/,
  );
  const ejections = 'no more instances are left out for failing than the settings allow, and never all of them';
  const sample = { at: 700, known: 20, ejected: 0, candidates: 20, panic: false };
  assert.match(why(ejections, { samples: [{ ...sample, ejected: 7 }] }) ?? '', /7 of 20 are ejected, 6 may be/);
  assert.match(why(ejections, { samples: [{ ...sample, ejected: 1, panic: true }] }) ?? '', /panic/);
  assert.match(why(ejections, { samples: [{ ...sample, candidates: 0 }] }) ?? '', /none of 20/);
  const shunned = { attempts: record.attempts.filter(({ instance }) => instance !== 3) };
  const again = { ...history, instances: 4, trafficMs: 8_000, decayMs: 500, troubles };
  assert.match(
    brokenIn(again, 'who is well again gets calls again', shunned) ?? '',
    /instance 3 was well from 2500.0 ms on/,
  );
  const asked = { attempts: [...record.attempts, { id: 1, at: 2_600, instance: 3 }] };
  assert.equal(brokenIn(again, 'who is well again gets calls again', asked), undefined);
  assert.equal(why('nobody throws what nobody catches', { faults: ['Error: oops'] }), 'Error: oops');
  const stuck = { ...record.left, 'attempts in flight': 2 };
  assert.equal(why('nothing is left when all calls are over', { left: stuck }), 'attempts in flight: 2');
});

test('a failing history is made smaller: what plays no part is left out', async () => {
  const failing = {
    ...history,
    hedge: true,
    troubles: [trouble('slow', [4]), trouble('dead', all), trouble('silent', [2])],
  };
  const mutations = { retriesPerSecond: 1_000 };
  const failure = await judge(failing, mutations);
  assert.ok(failure);
  const smallest = await shrink(failure, mutations);
  assert.equal(smallest.invariant, failure.invariant);
  assert.deepEqual(
    smallest.history.troubles.map(({ kind }) => kind),
    ['dead'],
  );
  assert.equal(smallest.history.hedge, false);
});
