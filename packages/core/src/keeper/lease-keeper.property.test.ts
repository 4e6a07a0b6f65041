import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Call, sleep } from '../call.ts';
import { FlotillaError } from '../errors.ts';
import type { Instance, InstanceStatus } from '../instance.ts';
import { anInstance, ManualClock, seededRandom, settle } from '../testing/index.ts';
import { keptRegistrar } from './lease-keeper.ts';
import type { Place, PutAnswer, RenewAnswer } from './place.ts';

/** How a place takes one request. */
interface Mood {
  readonly kind: 'ok' | 'forgets' | 'stale' | 'refuses' | 'breaks';
  readonly slowMs: number;
}

const wellMood: Mood = { kind: 'ok', slowMs: 0 };
const leaveTimeoutMs = 2_000;

/** What somebody does: the owner, or time. */
type Deed =
  | { readonly do: 'status'; readonly status: InstanceStatus }
  | { readonly do: 'weight'; readonly weight: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'jump'; readonly ms: number }
  | { readonly do: 'renewNow' };

/**
 * The naive place: one row. It writes what it is given when the request ends, forgets, lies and is slow as it is told, and
 * watches that nobody asks it two things at once, or anything after the end.
 */
class NaivePlace implements Place {
  row: Instance | undefined;
  readonly #moods: Mood[];
  /** What was put, in order. */
  readonly taken: Instance[] = [];
  removed = false;
  /** Nothing may be asked from then on. */
  left = false;
  readonly #changeWaitMs: number;
  #inFlight = 0;

  constructor(moods: readonly Mood[], changeWaitMs: number) {
    this.#moods = [...moods];
    this.#changeWaitMs = changeWaitMs;
  }

  changeWaitMs(): number {
    return this.#changeWaitMs;
  }

  put(instance: Instance, call: Call): Promise<PutAnswer> {
    return this.#asked(call, ({ kind }) => {
      if (kind === 'stale') {
        const above = instance.incarnation + 10;
        const refusal = new FlotillaError('INVALID_INPUT', 'a later life', { fromPeer: true, httpStatus: 409 });
        return { kind: 'stale', above, refusal };
      }
      this.row = instance;
      this.taken.push(instance);
      return { kind: 'kept' };
    });
  }

  renew(instance: Instance, call: Call): Promise<RenewAnswer> {
    return this.#asked(call, ({ kind }) => {
      if (kind === 'forgets') this.row = undefined;
      if (this.row === undefined) return { kind: 'unknown', above: instance.incarnation };
      assert.deepEqual(this.row, instance, 'only what is there is renewed');
      return { kind: 'kept' };
    });
  }

  remove(_instance: Instance, call: Call): Promise<void> {
    return this.#asked(call, () => {
      this.row = undefined;
      this.removed = true;
      this.left = true;
    });
  }

  async #asked<T>(call: Call, answer: (mood: Mood) => T): Promise<T> {
    assert.equal(this.left, false, 'nothing is asked after the farewell');
    assert.equal(this.#inFlight, 0, 'one request at a time');
    this.#inFlight++;
    try {
      const mood = this.#moods.shift() ?? wellMood;
      if (mood.slowMs > 0) await sleep(mood.slowMs, call);
      call.throwIfCancelled();
      if (mood.kind === 'refuses')
        throw new FlotillaError('FORBIDDEN', 'not you', { fromPeer: true, retryAfterMs: 1_000 });
      if (mood.kind === 'breaks') throw new FlotillaError('CONNECTION_LOST', 'gone');
      return answer(mood);
    } finally {
      this.#inFlight--;
    }
  }
}

const mood: fc.Arbitrary<Mood> = fc.record({
  kind: fc.constantFrom('ok', 'ok', 'forgets', 'stale', 'refuses', 'breaks'),
  slowMs: fc.constantFrom(0, 0, 1, 400, 3_000),
});
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constant('status'), status: fc.constantFrom('up', 'down', 'draining', 'out-of-service') }),
  fc.record({ do: fc.constant('weight'), weight: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(0, 1, 399, 2_000, 31_000, 120_000) }),
  fc.record({ do: fc.constant('jump'), ms: fc.constantFrom(-86_400_000, -1, 3_600_000) }),
  fc.record({ do: fc.constant('renewNow') }),
) as fc.Arbitrary<Deed>;
const moods = fc.array(mood, { maxLength: 12 });
const deeds = fc.array(deed, { maxLength: 12 });
/** A change has to wait for so long. */
const changeWait = fc.constantFrom(0, 0, 15_000);

/** An instance that was registered, and all that was done to it. */
async function life(taken: readonly Mood[], done: readonly Deed[], changeWaitMs: number) {
  const clock = new ManualClock();
  const place = new NaivePlace(taken, changeWaitMs);
  const silent = (): void => {};
  const kept = keptRegistrar(() => place, {
    clock,
    random: seededRandom(done.length),
    log: {
      registered: silent,
      forgotten: silent,
      statusSet: silent,
      deregistered: silent,
      leftUnheard: silent,
      registrationRefused: silent,
    },
    times: { requestTimeoutMs: 2_500, leaveTimeoutMs },
  });
  const registration = kept.registrar.register(anInstance());
  const said = { status: 'up' as InstanceStatus, weight: 1 };
  const words = [registration.announced];
  for (const one of done) {
    if (one.do === 'pass') await clock.advance(one.ms);
    if (one.do === 'jump') clock.jumpWall(one.ms);
    if (one.do === 'renewNow') kept.renewNow();
    if (one.do === 'status') {
      said.status = one.status;
      words.push(registration.setStatus(one.status));
    }
    if (one.do === 'weight') {
      said.weight = one.weight;
      words.push(registration.setWeight(one.weight));
    }
  }
  let heard = false;
  void Promise.all(words).then(() => {
    heard = true;
  });
  return { clock, place, kept, registration, said, heard: () => heard };
}

test('whatever a place answers and an owner says, the last word stands, in its order, asked for one at a time', async () => {
  await fc.assert(
    fc.asyncProperty(moods, deeds, changeWait, async (taken, done, changeWaitMs) => {
      const { clock, place, kept, said, heard } = await life(taken, done, changeWaitMs);
      await clock.advance((taken.length + 2) * 40_000); // a request, and the longest pause after it
      assert.equal(heard(), true, 'every word of the owner is answered');
      assert.deepEqual({ status: place.row?.status, weight: place.row?.weight }, said);
      const incarnations = place.taken.map(({ incarnation }) => incarnation);
      assert.ok(
        incarnations.every((incarnation, i) => i === 0 || incarnation >= (incarnations[i - 1] as number)),
        `${incarnations}`,
      );
      kept.close();
      await clock.advance(5_000);
      assert.equal(clock.pendingTimers, 0);
    }),
    { numRuns: 300 },
  );
});

test('at whatever moment an owner leaves or closes, the place is left as it is to be, in time, and nothing is asked any more', async () => {
  const endings = fc.constantFrom<('deregister' | 'close')[]>(
    ['deregister'],
    ['close'],
    ['deregister', 'close'],
    ['close', 'deregister'],
  );
  await fc.assert(
    fc.asyncProperty(moods, deeds, changeWait, endings, async (taken, done, changeWaitMs, ends) => {
      const { clock, place, kept, registration, heard } = await life(taken, done, changeWaitMs);
      const [first] = ends;
      let left = false;
      for (const end of ends) {
        if (end === 'close') kept.close();
        else void registration.deregister().then(() => (left = true));
      }
      await settle();
      if (first === 'close') place.left = true; // without a word
      await clock.advance(leaveTimeoutMs + 10); // deadlines are that coarse
      assert.equal(left, ends.includes('deregister'), 'leaving takes no longer than it may');
      assert.equal(heard(), true, 'nobody waits for what does not come any more');
      if (place.removed) assert.equal(place.row, undefined);
      place.left = true;
      const { row } = place;
      await registration.setStatus('out-of-service');
      await registration.setWeight(9);
      kept.renewNow();
      if (ends.includes('close')) await kept.registrar.register(anInstance({ id: 'late' })).announced;
      await clock.advance(300_000);
      assert.equal(place.row, row);
      assert.equal(clock.pendingTimers, 0);
    }),
    { numRuns: 300 },
  );
});
