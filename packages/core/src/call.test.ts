import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, Call, type EndWatcher, SharedAttributes, sleep, within } from './call.ts';
import { FlotillaError } from './errors.ts';
import { ManualClock, seededRandom } from './testing/index.ts';

const reasonOf = (call: Call): string | undefined => call.cancelled?.message;

function newCall({ clock = new ManualClock(), ...options }: { clock?: ManualClock; deadline?: number } = {}) {
  return { clock, call: new Call({ clock, random: seededRandom(1), ...options }) };
}

test('attributes are taken over from a call and those around it, the nearest counting', () => {
  const [near, far] = [attribute<string>('near'), attribute<string>('far')];
  const around = new Call({ clock: new ManualClock(), random: seededRandom(1) });
  around.set(near, 'around');
  around.set(far, 'around');
  const call = around.child();
  call.set(near, 'itself');
  const other = new Call({ clock: new ManualClock(), random: seededRandom(1) });
  other.takeAttributes(call);
  call.set(far, 'later');
  assert.deepEqual([other.get(near), other.child().get(far)], ['itself', 'around']);
});

test('a deadline cancels the call at its instant, with the numbers that decided', async () => {
  const { clock, call } = newCall({ deadline: 300 });
  await clock.advance(299);
  assert.equal(reasonOf(call), undefined);
  await clock.advance(1);
  assert.equal(reasonOf(call), 'DEADLINE_EXCEEDED: no answer within 300 ms');
});

test('an ended call is not cancelled by its deadline', async () => {
  const { clock, call } = newCall({ deadline: 300 });
  call.end();
  await clock.advance(1_000);
  assert.equal(reasonOf(call), undefined);
});

test('a deadline that the wheel has not reached yet still counts for throwIfCancelled', async () => {
  const { clock, call } = newCall({ deadline: 303 });
  await clock.advance(304);
  assert.equal(reasonOf(call), undefined, 'the wheel turns at 310');
  assert.throws(() => call.throwIfCancelled(), { code: 'DEADLINE_EXCEEDED' });
});

test('a child has the sooner of both deadlines, and the parent cancels it', async () => {
  const { clock, call } = newCall({ deadline: 500 });
  const sooner = call.child({ timeoutMs: 100 });
  const later = call.child({ timeoutMs: 9_000 });
  assert.deepEqual([sooner.deadline, later.deadline], [100, 500]);
  await clock.advance(100);
  assert.equal(sooner.cancelled?.code, 'DEADLINE_EXCEEDED');
  assert.equal(reasonOf(later), undefined);
  call.cancel();
  assert.match(reasonOf(later) ?? '', /^CANCELLED/);
});

test('a child keeps trace id, baggage, urgency and the outer attempt, and has a span of its own', () => {
  const clock = new ManualClock();
  const call = new Call({
    clock,
    random: seededRandom(2),
    baggage: new Map([['flotilla.tenant', 'acme']]),
    urgency: 1,
    attempt: 2,
    idempotencyKey: 'k',
  });
  const child = call.child();
  assert.equal(child.trace.traceId, call.trace.traceId);
  assert.notEqual(child.trace.spanId, call.trace.spanId);
  assert.deepEqual([child.tenant, child.priority, child.attempt], ['acme', 'critical', 2]);
  assert.equal(child.idempotencyKey, undefined, 'a key names one command, not what it causes');
});

test('the signal is aborted with the reason, whenever it was made', () => {
  const { call } = newCall();
  const early = call.signal;
  const reason = new FlotillaError('CANCELLED', 'gone');
  call.cancel(reason);
  assert.equal(early.reason, reason);
  const { call: other } = newCall();
  other.cancel(reason);
  assert.equal(other.signal.reason, reason);
});

test('the first reason stays, and listeners hear it once', () => {
  const { call } = newCall();
  const heard: string[] = [];
  call.onCancel((reason) => heard.push(reason.detail));
  const leave = call.onCancel(() => heard.push('never'));
  leave();
  call.cancel(new FlotillaError('CANCELLED', 'first'));
  call.cancel(new FlotillaError('CANCELLED', 'second'));
  call.onCancel((reason) => heard.push(`late ${reason.detail}`));
  assert.deepEqual(heard, ['first', 'late first']);
});

test('the end is told once, to early and late listeners alike', () => {
  const { call } = newCall();
  const outcomes: unknown[] = [];
  call.onEnd((outcome) => outcomes.push(outcome?.code));
  call.end(new FlotillaError('CONNECTION_LOST', 'x'));
  call.end();
  call.onEnd((outcome) => outcomes.push(outcome?.code));
  assert.deepEqual(outcomes, ['CONNECTION_LOST', 'CONNECTION_LOST']);
});

test('an attribute is found in the calls around', () => {
  const route = attribute<string>('route');
  const { call } = newCall();
  call.set(route, 'a');
  const child = call.child();
  assert.equal(child.get(route), 'a');
  child.set(route, 'b');
  assert.deepEqual([child.get(route), call.get(route)], ['b', 'a']);
  assert.equal(call.get(attribute<string>('route')), undefined, 'another key of the same name is another key');
});

test('waiting ends with the call, and leaves no timer', async () => {
  const { clock, call } = newCall({ deadline: 100 });
  const asleep = assert.rejects(sleep(5_000, call), { code: 'DEADLINE_EXCEEDED' });
  const waiting = assert.rejects(within(call, new Promise(() => {})), { code: 'DEADLINE_EXCEEDED' });
  await clock.advance(100);
  await Promise.all([asleep, waiting]);
  assert.equal(clock.pendingTimers, 0);
});

test('a time-out that is no duration is refused by name', () => {
  for (const timeoutMs of [0, -1, Number.NaN]) {
    assert.throws(() => newCall().call.child({ timeoutMs }), { name: 'RangeError', message: /timeoutMs/ });
  }
});

test('a call and the one around it end together once that was agreed, whoever ends first', () => {
  const reason = new FlotillaError('CONNECTION_LOST', 'x');
  const outcomes = (call: Call): unknown[] => {
    const seen: unknown[] = [];
    call.onEnd((outcome) => seen.push(outcome?.code ?? 'OK'));
    return seen;
  };
  for (const first of ['inner', 'outer'] as const) {
    for (const agreed of ['before', 'after'] as const) {
      const { call: outer } = newCall();
      const inner = outer.child();
      const other = outer.child();
      const seen = [outcomes(outer), outcomes(inner), outcomes(other)];
      if (agreed === 'before') inner.endTogether();
      (first === 'inner' ? inner : outer).end(reason);
      if (agreed === 'after') inner.endTogether();
      assert.deepEqual(seen, [['CONNECTION_LOST'], ['CONNECTION_LOST'], []], `${first} first, agreed ${agreed}`);
    }
  }
});

test('a call inside another takes over what it does not change, and only its own time-out is its own', () => {
  const { call } = newCall({ deadline: 500 });
  const inner = new Call({ deadline: 900, trace: call.trace, startedAt: 7 }, call);
  assert.deepEqual([inner.deadline, inner.trace, inner.startedAt, inner.expendable], [500, call.trace, 7, false]);
  assert.equal(call.child({ expendable: true }).expendable, true);
  assert.equal(call.child({ expendable: true }).child().expendable, false, 'it is said of one call only');
});

test('calls that end together end at one instant', async () => {
  const { clock, call } = newCall();
  const inner = call.child();
  assert.deepEqual([call.endedAt, inner.endedAt], [Infinity, Infinity]);
  await clock.advance(20);
  const at = clock.now();
  inner.end();
  await clock.advance(5);
  inner.endTogether();
  assert.deepEqual([call.ended, call.endedAt, inner.endedAt], [true, at, at]);
});

test('what a call cancels is cancelled with it, also when that has happened, and not after its end', () => {
  const reason = new FlotillaError('CANCELLED', 'nobody wants it');
  const heard: string[] = [];
  const work = (name: string) => ({ cancel: (why: FlotillaError) => heard.push(`${name} ${why.detail}`) });
  const { call } = newCall();
  call.cancels(work('before'));
  call.cancel(reason);
  call.cancels(work('after'));
  const { call: over } = newCall();
  over.cancels(work('ended'));
  over.end();
  over.cancel(reason);
  assert.deepEqual(heard, ['before nobody wants it', 'after nobody wants it']);
});

test('what is inside a call is cancelled in the order in which it came, also when the first one has left', () => {
  const told: string[] = [];
  const work = (name: string): { cancel(): void } => ({ cancel: () => void told.push(name) });
  const { call } = newCall();
  const first = call.child();
  first.onCancel(() => told.push('first'));
  call.cancels(work('second'));
  call.onCancel(() => told.push('third'));
  const fourth = call.child();
  fourth.onCancel(() => told.push('fourth'));
  first.end();
  call.cancels(work('fifth'));
  call.cancel();
  assert.deepEqual(told, ['second', 'third', 'fourth', 'fifth']);
  assert.equal(first.cancelled, undefined);

  told.length = 0;
  const { call: other } = newCall();
  other.cancels(work('first'));
  other.cancels(work('second'));
  other.cancel();
  assert.deepEqual(told, ['first', 'second']);
});

test('a call that ends together with the first of those inside it ends with the same outcome', () => {
  const { call } = newCall();
  const inner = call.child();
  inner.endTogether();
  const outcome = new FlotillaError('INTERNAL', 'failed');
  call.end(outcome);
  assert.equal(inner.ended, true);
  assert.equal(inner.endedAt, call.endedAt);
});

test('watchers are told in the order in which they came, one that comes late at once', () => {
  const told: string[] = [];
  const watcher = (name: string): EndWatcher => ({
    nextWatcher: undefined,
    ended: (outcome) => void told.push(`${name} ${outcome?.code ?? 'OK'}`),
  });
  const { call } = newCall();
  call.tells(watcher('a'));
  call.onEnd(() => told.push('b'));
  call.tells(watcher('c'));
  call.end(new FlotillaError('INTERNAL', 'failed'));
  call.tells(watcher('late'));
  assert.deepEqual(told, ['a INTERNAL', 'b', 'c INTERNAL', 'late INTERNAL']);
});

test('an expendable call is given a sooner deadline, never a later one, and its own reason', async () => {
  const clock = new ManualClock();
  const call = new Call({ clock, random: seededRandom(1), deadline: 100, expendable: true });
  const late = (): FlotillaError => new FlotillaError('DEADLINE_EXCEEDED', 'the sooner one');
  call.narrow(200, late);
  assert.equal(call.deadline, 100);
  call.narrow(50, late);
  assert.equal(call.deadline, 50);
  await clock.advance(50);
  assert.equal(call.cancelled?.detail, 'the sooner one');
});

test('attributes that calls share are copied by the call that sets one', () => {
  const [a, b] = [attribute<number>('a'), attribute<number>('b')];
  const attributes = new SharedAttributes([[a, 1]]);
  const options = { clock: new ManualClock(), random: seededRandom(1), attributes };
  const [one, other] = [new Call(options), new Call(options)];
  one.set(a, 2);
  one.set(b, 3);
  assert.deepEqual([one.get(a), one.get(b), other.get(a), other.get(b)], [2, 3, 1, undefined]);
  assert.equal(one.child({ attributes }).get(a), 1);
});

test('a call tells of its answer until it has ended, also while it does', () => {
  const { call } = newCall();
  const answer = { promise: Promise.resolve(), instead: undefined };
  call.told = answer;
  let seen: unknown;
  call.onEnd(() => {
    seen = call.told;
  });
  call.end();
  assert.equal(seen, answer);
  assert.equal(call.told, undefined, 'who holds an ended call holds no answer');
});

test('an attribute that a call sets hides the one that it began with, for itself and for who takes its attributes over', () => {
  const first = attribute<number>('first');
  const second = attribute<number>('second');
  const attributes = new SharedAttributes([
    [first, 1],
    [second, 2],
  ]);
  const call = new Call({ clock: new ManualClock(), random: seededRandom(1), attributes });
  const other = new Call({ clock: new ManualClock(), random: seededRandom(1), attributes });
  call.set(first, 10);
  call.set(first, 11);
  assert.deepEqual([call.get(first), call.get(second)], [11, 2]);
  assert.deepEqual([other.get(first), other.get(second)], [1, 2]);
  other.takeAttributes(call);
  assert.deepEqual([other.get(first), other.get(second)], [11, 2]);
});
