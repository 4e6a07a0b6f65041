import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, currentCall, FlotillaError, sleep } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import fc from 'fast-check';
import { gather } from './gather.ts';
import { missing } from './missing.ts';
import { optional, type Part, type PartLike, part } from './part.ts';

function newCall(clock: ManualClock, deadline = Infinity): Call {
  return new Call({ clock, random: seededRandom(1), deadline });
}

/** A backend that takes its time and heeds its call. */
const after =
  <T>(ms: number, value: T) =>
  async (call: Call): Promise<T> => {
    await sleep(ms, call);
    return value;
  };

const fails = (code: string) => async (): Promise<never> => {
  throw new FlotillaError(code, 'it did not work');
};

test('parts run at the same time and come back by name', async () => {
  const clock = new ManualClock();
  const page = gather(newCall(clock), { a: after(100, 1), b: after(100, 'two'), c: () => 3 });
  await clock.advance(100);
  assert.deepEqual(await page, { a: 1, b: 'two', c: 3 });
  assert.deepEqual(missing(await page), []);
  assert.equal(clock.pendingTimers, 0);
});

test('a part starts as soon as what it needs is there', async () => {
  const clock = new ManualClock();
  const begun: string[] = [];
  const product = part(after(50, { category: 'books' }));
  const slow = part(after(500, 'slow'));
  const related = part({ product }, async (_call, values) => {
    begun.push(`related to ${values.product.category} at ${clock.now()}`);
    return ['r'];
  });
  const page = gather(newCall(clock), { slow, related, product });
  await clock.advance(500);
  assert.deepEqual(await page, { slow: 'slow', related: ['r'], product: { category: 'books' } });
  assert.deepEqual(begun, ['related to books at 50']);
});

test('a part that several need runs once', async () => {
  const clock = new ManualClock();
  let runs = 0;
  const shared = part(async () => ++runs);
  const page = await gather(newCall(clock), {
    shared,
    again: shared,
    double: part({ shared }, (_call, values) => values.shared * 2),
    triple: part({ shared }, (_call, values) => values.shared * 3),
    maybe: optional(shared, 0),
  });
  assert.deepEqual(page, { shared: 1, again: 1, double: 2, triple: 3, maybe: 1 });
  const plain = async (): Promise<number> => ++runs;
  assert.deepEqual(await gather(newCall(clock), { a: plain, b: plain }), { a: 2, b: 2 }, 'functions as well');
  assert.deepEqual(await gather(newCall(clock), { a: plain }), { a: 3 }, 'and anew in the next gather');
});

test('a required part that fails cancels the rest, and its error is thrown as it is', async () => {
  const clock = new ManualClock();
  const call = newCall(clock);
  let reason: string | undefined;
  const error = new FlotillaError('NOT_FOUND', 'no product 7');
  const page = gather(call, {
    other: async (c) => {
      c.onCancel((why) => {
        reason = why.detail;
      });
      await sleep(1_000, c);
    },
    product: async () => {
      await sleep(10, call);
      throw error;
    },
  });
  const failed = assert.rejects(page, (thrown) => thrown === error);
  await clock.advance(10);
  await failed;
  assert.equal(reason, 'another part of the answer failed');
  assert.equal(call.cancelled, undefined, 'the call itself goes on: it has an error to answer');
  assert.equal(clock.pendingTimers, 0);
});

test('an optional part that fails gives its fallback, and the answer says so', async () => {
  const clock = new ManualClock();
  const page = await gather(newCall(clock), {
    product: () => 'p',
    reviews: optional(fails('UNAVAILABLE'), ['none']),
    rating: optional(fails('NO_INSTANCE'), (error) => `unknown: ${error.code}`),
  });
  assert.deepEqual(page, { product: 'p', reviews: ['none'], rating: 'unknown: NO_INSTANCE' });
  assert.deepEqual(missing(page), [
    { part: 'reviews', code: 'UNAVAILABLE' },
    { part: 'rating', code: 'NO_INSTANCE' },
  ]);
});

test('an optional part that is late is cancelled and replaced', async () => {
  const clock = new ManualClock();
  let cancelledBy: string | undefined;
  const page = gather(newCall(clock), {
    product: after(300, 'p'),
    reviews: optional(
      async (c) => {
        c.onCancel((why) => {
          cancelledBy = `${why.code} at ${clock.now()}`;
        });
        await sleep(10_000, c);
        return ['r'];
      },
      [],
      { timeoutMs: 200 },
    ),
  });
  await clock.advance(300);
  assert.deepEqual(await page, { product: 'p', reviews: [] });
  assert.deepEqual(missing(await page), [{ part: 'reviews', code: 'DEADLINE_EXCEEDED' }]);
  assert.equal(cancelledBy, 'CANCELLED at 200');
});

test('a late optional part goes on when somebody else needs its work', async () => {
  const clock = new ManualClock();
  const product = part(after(300, 'p'));
  const page = gather(newCall(clock), { quick: optional(product, 'none', { timeoutMs: 100 }), product });
  await clock.advance(300);
  assert.deepEqual(await page, { quick: 'none', product: 'p' });
});

test('the time of an optional part counts from when what it needs is there', async () => {
  const clock = new ManualClock();
  const product = part(after(300, 'p'));
  const related = part({ product }, after(100, 'r'));
  const page = gather(newCall(clock), { related: optional(related, 'none', { timeoutMs: 200 }) });
  await clock.advance(400);
  assert.deepEqual(await page, { related: 'r' });
});

test('a part of its own time fails when that is over', async () => {
  const clock = new ManualClock();
  const slow = part(after(1_000, 'x'), { timeoutMs: 100 });
  const failed = assert.rejects(gather(newCall(clock), { slow }), { code: 'DEADLINE_EXCEEDED' });
  await clock.advance(100);
  await failed;
});

test('a part that needs an optional one gets the fallback', async () => {
  const clock = new ManualClock();
  const user = optional(fails('UNAVAILABLE'), { name: 'guest' });
  const page = await gather(newCall(clock), {
    greeting: part({ user }, (_call, values) => `hello ${values.user.name}`),
  });
  assert.deepEqual(page, { greeting: 'hello guest' });
  assert.deepEqual(missing(page), [{ part: 'greeting.user', code: 'UNAVAILABLE' }]);
});

test('a part is named as the answer names it, wherever it is needed first', async () => {
  const user = optional(fails('UNAVAILABLE'), 'guest');
  const greeting = part({ who: user }, (_call, { who }) => who);
  assert.deepEqual(missing(await gather(newCall(new ManualClock()), { greeting, user })), [
    { part: 'user', code: 'UNAVAILABLE' },
  ]);
});

test('what a failed part needs fails with it, and an optional one around both catches it once', async () => {
  const clock = new ManualClock();
  let ran = false;
  const product = part(fails('NOT_FOUND'));
  const related = part({ product }, () => {
    ran = true;
    return 'r';
  });
  const page = await gather(newCall(clock), { related: optional(related, 'none') });
  assert.deepEqual(page, { related: 'none' });
  assert.deepEqual(missing(page), [{ part: 'related', code: 'NOT_FOUND' }]);
  assert.equal(ran, false);
});

test('when one thing that an optional part needs fails, the others are not waited for', async () => {
  const clock = new ManualClock();
  let cancelled = false;
  const slow = part(async (c) => {
    c.onCancel(() => {
      cancelled = true;
    });
    await sleep(60_000, c);
  });
  const broken = part(fails('UNAVAILABLE'));
  const both = part({ slow, broken }, () => 'both');
  const page = await gather(newCall(clock), { both: optional(both, 'none') });
  assert.deepEqual(page, { both: 'none' });
  assert.equal(cancelled, true);
});

test('all share one deadline: what is there by then is the answer, if all that is required is', async () => {
  const clock = new ManualClock();
  const call = newCall(clock, 10_000);
  const seen: number[] = [];
  const page = gather(
    call,
    {
      product: async (c) => {
        seen.push(c.deadline);
        return 'p';
      },
      reviews: optional(
        async (c) => {
          seen.push(c.deadline);
          await sleep(9_000, c);
          return ['r'];
        },
        [],
        { timeoutMs: 5_000 },
      ),
    },
    { timeoutMs: 1_000 },
  );
  await clock.advance(1_000);
  assert.deepEqual(await page, { product: 'p', reviews: [] });
  assert.deepEqual(seen, [1_000, 1_000]);
  assert.deepEqual(missing(await page), [{ part: 'reviews', code: 'DEADLINE_EXCEEDED' }]);

  const tooLate = assert.rejects(gather(call, { product: after(9_000, 'p') }, { timeoutMs: 1_000 }), {
    code: 'DEADLINE_EXCEEDED',
  });
  await clock.advance(1_000);
  await tooLate;
});

test('a caller that goes away cancels all parts, the optional ones too', async () => {
  const clock = new ManualClock();
  const call = newCall(clock);
  const failed = assert.rejects(gather(call, { a: after(100, 1), b: optional(after(100, 2), 0) }), {
    code: 'CANCELLED',
    detail: 'the caller no longer wants the answer',
  });
  await settle();
  call.cancel();
  await failed;
  assert.equal(clock.pendingTimers, 0);
});

test('a call that is over starts nothing', async () => {
  const clock = new ManualClock();
  const call = newCall(clock);
  call.cancel();
  let started = false;
  const parts = {
    a: () => {
      started = true;
    },
  };
  await assert.rejects(gather(call, parts), { code: 'CANCELLED' });
  assert.equal(started, false);
});

test('work that does not heed its cancellation is not waited for, and its failure goes nowhere', async () => {
  const clock = new ManualClock();
  let fail: (error: Error) => void = () => {};
  const deaf = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  await assert.rejects(gather(newCall(clock), { deaf: () => deaf, broken: fails('NOT_FOUND') }), { code: 'NOT_FOUND' });
  fail(new Error('too late'));
  await settle(); // an unhandled rejection would fail this test
});

test('a part that throws instead of rejecting is a part that failed', async () => {
  const thrown = new TypeError('undefined is not a function');
  const parts = {
    a: (): string => {
      throw thrown;
    },
  };
  await assert.rejects(gather(newCall(new ManualClock()), parts), (error) => error === thrown);
  const page = await gather(newCall(new ManualClock()), { a: optional(parts.a, 'none') });
  assert.deepEqual(missing(page), [{ part: 'a', code: 'INTERNAL' }]);
});

test('a fallback that throws is a part that failed', async () => {
  const parts = {
    a: optional(fails('UNAVAILABLE'), (): string => {
      throw new FlotillaError('NOT_FOUND', 'not even that');
    }),
  };
  await assert.rejects(gather(newCall(new ManualClock()), parts), { code: 'NOT_FOUND' });
});

test('inside a part the current call is its own', async () => {
  const call = newCall(new ManualClock());
  const { same, inside } = await gather(call, {
    same: (c) => currentCall() === c,
    inside: async (c) => {
      await settle();
      return currentCall() === c && c.parent?.parent === call && c.trace.traceId === call.trace.traceId;
    },
  });
  assert.deepEqual([same, inside], [true, true]);
});

test('all calls have ended when the answer is there', async () => {
  const calls: Call[] = [];
  const note = async (c: Call): Promise<void> => void calls.push(c);
  await gather(newCall(new ManualClock()), { a: note, b: optional(note, undefined), c: part({}, note) });
  await gather(newCall(new ManualClock()), { a: note, b: fails('NOT_FOUND') }).catch(() => {});
  assert.ok(calls.length >= 3);
  assert.ok(calls.every(({ ended, parent }) => ended && parent?.ended));
});

test('what is no part is refused by name', async () => {
  const parts = { product: 'p' } as unknown as { product: PartLike<string> };
  await assert.rejects(gather(newCall(new ManualClock()), parts), /^TypeError: part "product" is neither a function/);
  assert.throws(
    () => optional(fails('X'), 1, { timeoutMs: 0 }),
    /^RangeError: timeoutMs must be greater than 0, got 0$/,
  );
  assert.throws(() => part(fails('X'), { timeoutMs: Number.NaN }), /^RangeError: timeoutMs/);
});

test('any graph gives what running its parts one after the other would', async () => {
  const specs = fc.array(
    fc.record({
      needs: fc.array(fc.nat({ max: 11 }), { maxLength: 3 }),
      delayMs: fc.integer({ min: 1, max: 50 }),
      fails: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
      optional: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(specs, async (graph) => {
      const clock = new ManualClock();
      const parts: Record<string, Part<unknown>> = {};
      const expected: unknown[] = []; // undefined: fails
      for (const [index, { needs, delayMs, fails: broken, optional: mayMiss }] of graph.entries()) {
        const below = [...new Set(needs.filter((need) => need < index))];
        const work = part(
          Object.fromEntries(below.map((need) => [`p${need}`, parts[`p${need}`] as Part<unknown>])),
          async (c, values) => {
            await sleep(delayMs, c);
            if (broken) throw new FlotillaError('BROKEN', 'as told');
            return JSON.stringify(values);
          },
        );
        parts[`p${index}`] = mayMiss ? optional(work, 'fallback') : work;
        const given = Object.fromEntries(below.map((need) => [`p${need}`, expected[need]]));
        const works = !broken && Object.values(given).every((value) => value !== undefined);
        expected.push(works ? JSON.stringify(given) : mayMiss ? 'fallback' : undefined);
      }
      const answer = gather(newCall(clock), parts).then(
        (page) => ({ values: Object.values(page), missing: missing(page).length }),
        (error: FlotillaError) => error.code,
      );
      await clock.advance(700);
      const wrong = expected.includes(undefined);
      const fallbacks = expected.filter((value) => value === 'fallback').length;
      assert.deepEqual(await answer, wrong ? 'BROKEN' : { values: expected, missing: fallbacks });
      assert.equal(clock.pendingTimers, 0);
    }),
    { numRuns: 25 },
  );
});
