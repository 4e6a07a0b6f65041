import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Call,
  type Cancellable,
  compose,
  FlotillaError,
  type Handler,
  idempotentAttribute,
  type ToldAnswer,
} from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { Breaker } from './breaker.ts';
import type { BreakerState } from './breaker-state.ts';
import { resolveClientPolicies } from './client-policies.ts';
import { clientFilters, instanceFilters } from './composition.ts';
import type { PolicyEvent } from './events.ts';

/** What the instance does with one attempt. */
interface Step {
  readonly afterMs: number;
  /** `never`: it says nothing until it is cancelled. */
  readonly result: 'ok' | 'never' | 'UNAVAILABLE' | 'CONNECTION_LOST' | 'INTERNAL' | 'NOT_FOUND';
}

interface History {
  readonly steps: readonly Step[];
  readonly idempotent: boolean;
  readonly callersDeadlineMs: number;
  readonly givenUpAfterMs: number;
}

/** How the answers of the instance reach the filters. */
type Way =
  /** As the call tells them: nobody within waits. */
  | 'told'
  /** Through a filter of a user that waits for them. */
  | 'waited';

const step = fc.record<Step>({
  afterMs: fc.constantFrom(0, 1, 30, 90, 120),
  result: fc.constantFrom('ok', 'never', 'UNAVAILABLE', 'CONNECTION_LOST', 'INTERNAL', 'NOT_FOUND'),
});
const history = fc.record<History>({
  steps: fc.array(step, { minLength: 3, maxLength: 3 }),
  idempotent: fc.boolean(),
  callersDeadlineMs: fc.constantFrom(3, 60, 150, Infinity),
  givenUpAfterMs: fc.constantFrom(10, 100, Infinity),
});

test('who hears of an answer by its call does what who waits for it does', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (each) => {
      const [told, waited] = [await run(each, 'told'), await run(each, 'waited')];
      assert.deepEqual(told.seen, waited.seen);
      assert.equal(waited.isTold, false);
    }),
    { numRuns: 300 },
  );
});

test('an answer that its call tells all of is handed on as it is', async () => {
  const answered: Step = { afterMs: 1, result: 'ok' };
  const { isTold, seen } = await run(
    { steps: [answered], idempotent: true, callersDeadlineMs: Infinity, givenUpAfterMs: Infinity },
    'told',
  );
  assert.deepEqual([isTold, seen.result], [true, 'ok']);
});

/** All that callers and operators see of a call. */
interface Seen {
  readonly result: string;
  readonly ended: readonly unknown[];
  readonly attempts: readonly object[];
  readonly events: readonly PolicyEvent[];
  /** By the breaker: calls, failed, slow. */
  readonly counted: readonly number[];
}

async function run(
  { steps, idempotent, callersDeadlineMs, givenUpAfterMs }: History,
  way: Way,
): Promise<{ readonly isTold: boolean; readonly seen: Seen }> {
  const clock = new ManualClock();
  const random = seededRandom(7);
  const events: PolicyEvent[] = [];
  const report = { report: (event: PolicyEvent) => void events.push(event) };
  const attempts: { readonly at: number; readonly attempt: number | undefined; outcome: string | undefined }[] = [];
  const instance: Handler<string, string> = (_request, call) => {
    const seen: (typeof attempts)[number] = { at: clock.now(), attempt: call.attempt, outcome: undefined };
    const next = steps[attempts.length] as Step;
    attempts.push(seen);
    call.onEnd((outcome) => {
      seen.outcome = outcome?.code ?? 'OK';
    });
    const answer = new ScriptedAnswer(call, next);
    call.told = answer;
    return answer.promise;
  };
  const waits: Handler<string, string> = async (request, call) => await instance(request, call);
  const { breaker: settings } = resolveClientPolicies({ breaker: { minCalls: 100 } });
  const breaker = new Breaker({ settings, target: 'orders', events: report });
  const around = clientFilters<string, string>({
    timeoutMs: 200,
    backoffBaseMs: 10,
    backoffMaxMs: 10,
    prompt: true,
    breaker,
    events: report,
  });
  const before = instanceFilters<string, string>({
    name: 'one',
    attemptTimeoutMs: 100,
    callsEnd: true,
    events: report,
  });
  const handle = compose(
    [...around, ...before].map(({ filter }) => filter),
    way === 'told' ? instance : waits,
  );
  const parent = new Call({ clock, random, deadline: callersDeadlineMs });
  const call = parent.child({ expendable: true });
  call.set(idempotentAttribute, idempotent);
  let ended: readonly unknown[] = [];
  call.onEnd((outcome) => {
    ended = [outcome?.code ?? 'OK', call.endedAt];
  });
  let result = '';
  const settle = (text: string): void => {
    result = text;
  };
  const answer = handle('x', call);
  const isTold = answer === call.told?.promise;
  answer.then(settle, (error: FlotillaError) => settle(error.message));
  clock.setTimer(givenUpAfterMs, () => parent.cancel());
  await clock.advance(1_000);
  assert.equal(breaker.state.state, 'closed');
  const { calls, failed, slow } = (breaker.state as Extract<BreakerState, { state: 'closed' }>).window;
  return { isTold, seen: { result, ended, attempts, events, counted: [calls, failed, slow] } };
}

/** Answers as RSocket's calls do: the call ends with it. */
class ScriptedAnswer implements ToldAnswer, Cancellable {
  readonly promise: Promise<string>;
  instead: Promise<string> | undefined;
  readonly #call: Call;
  #settled = false;
  #resolve!: (value: string | Promise<string>) => void;
  #reject!: (error: FlotillaError) => void;

  constructor(call: Call, { afterMs, result }: Step) {
    this.#call = call;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    call.cancels(this);
    if (result === 'never') return;
    call.clock.setTimer(afterMs, () => {
      if (result === 'ok') this.#answer();
      else this.cancel(new FlotillaError(result, 'as the script has it', { fromPeer: true }));
    });
  }

  cancel(reason: FlotillaError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#call.end(reason);
    if (this.instead) this.#resolve(this.instead);
    else this.#reject(reason);
  }

  #answer(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#call.end();
    this.#resolve('ok');
  }
}
