import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import fc from 'fast-check';
import { CallScope, currentCall, runInCall } from './ambient.ts';
import { baggageLimits, formatBaggage, parseBaggage } from './baggage.ts';
import { Call } from './call.ts';
import { nearest } from './nearest.ts';
import { nodeVersionProblem } from './node-version.ts';
import { priorityClass } from './priority.ts';
import { ManualClock, seededRandom } from './testing/index.ts';
import { childTrace, formatTraceparent, newTrace, parseTraceparent } from './trace.ts';

test('a traceparent reads back, and a child keeps its trace', () => {
  const trace = newTrace(seededRandom(3));
  assert.deepEqual(parseTraceparent(formatTraceparent(trace)), trace);
  assert.equal(childTrace(trace, seededRandom(4)).traceId, trace.traceId);
});

test('ids of zeros are never made', () => {
  const trace = newTrace(() => 0);
  assert.ok(parseTraceparent(formatTraceparent(trace)));
});

test('an invalid traceparent starts a new trace', () => {
  const id = 'a'.repeat(32);
  for (const header of [
    '',
    `00-${id}-${'b'.repeat(16)}`,
    `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `ff-${id}-${'b'.repeat(16)}-01`,
    `00-${id}-${'b'.repeat(16)}-01-more`,
    `00-${id.toUpperCase()}-${'b'.repeat(16)}-01`,
    `00-${'\u0130'.repeat(32)}-${'b'.repeat(16)}-01`, // its low byte is a digit
    `00-${id}-${'b'.repeat(16)}-0g`,
    `0\n-${id}-${'b'.repeat(16)}-01`,
  ]) {
    assert.equal(parseTraceparent(header), undefined, header);
  }
  assert.ok(parseTraceparent(`01-${id}-${'b'.repeat(16)}-01-more`), 'a later version may say more');
});

test('whether a trace is sampled is the lowest bit of its flags', () => {
  for (const digit of '0123456789abcdef') {
    const trace = parseTraceparent(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-0${digit}`);
    assert.equal(trace?.sampled, Number.parseInt(digit, 16) % 2 === 1, digit);
  }
});

test('baggage reads back', () => {
  const key = fc.stringMatching(/^[a-z.]{1,12}$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(key, fc.string()), { selector: ([name]) => name, maxLength: 20 }),
      (members) => {
        assert.deepEqual([...parseBaggage(formatBaggage(new Map(members)))], members);
      },
    ),
    { numRuns: 100 },
  );
});

test('baggage cannot write another header', () => {
  const members = new Map([
    ['a\r\nset-cookie', 'x'],
    ['b,c', 'x'],
    ['ok', '\ud800,\r\n'],
  ]);
  assert.equal(formatBaggage(members), 'ok=%EF%BF%BD%2C%0D%0A');
});

test('baggage that is longer as text than it was as it came leaves out what the next hop would not read', () => {
  const stranger = parseBaggage(`big=${'ü'.repeat(3_000)},flotilla.tenant=acme,whole=${'x'.repeat(2_000)}`);
  assert.deepEqual([...stranger.keys()], ['big', 'flotilla.tenant', 'whole']);
  const text = formatBaggage(stranger);
  assert.equal(text, `flotilla.tenant=acme,whole=${'x'.repeat(2_000)}`);
  const longest = parseBaggage(`a=${'x'.repeat(20_000)}`);
  assert.deepEqual(parseBaggage(formatBaggage(longest)), longest);
});

test('baggage from a stranger is bounded, and what is not well formed is left out', () => {
  assert.deepEqual(
    [...parseBaggage('a=1;prop=x, b = 2 ,=3,c,d=%zz,e f=1')],
    [
      ['a', '1'],
      ['b', '2'],
    ],
  );
  const flood = Array.from({ length: 1_000 }, (_, index) => `k${index}=v`).join(',');
  assert.equal(parseBaggage(flood).size, baggageLimits.maxMembers);
  assert.equal(parseBaggage(`a=${'x'.repeat(20_000)}`).get('a')?.length ?? 0, baggageLimits.maxBytes - 2);
});

test('an urgency outside the table counts as the default', () => {
  assert.deepEqual([0, 3, 5, 7, 9, -1, 1.5].map(priorityClass), [
    'critical',
    'default',
    'bulk',
    'probe',
    'default',
    'default',
    'default',
  ]);
});

test('the running code finds its call across waits, and nobody else does', async () => {
  const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
  const inside = runInCall(call, async () => {
    await null;
    return currentCall();
  });
  assert.equal(currentCall(), undefined);
  assert.equal(await inside, call);
});

test('calls in one scope see nothing of each other, and what is around stays', async () => {
  const newCall = (): Call => new Call({ clock: new ManualClock(), random: seededRandom(1) });
  const [around, first, second] = [newCall(), newCall(), newCall()];
  const later = async (): Promise<Call | undefined> => {
    await null;
    return currentCall();
  };
  const scope = runInCall(around, () => new CallScope());
  const waits = [
    scope.run(first, later, undefined),
    scope.run(second, later, undefined),
    runInCall(second, () => scope.run(first, later, undefined)),
  ];
  assert.equal(currentCall(), undefined);
  assert.deepEqual(
    (await Promise.all(waits)).map((call) => [first, second].indexOf(call as Call)),
    [0, 1, 0],
  );
  assert.throws(
    () =>
      scope.run(
        first,
        () => {
          throw new RangeError('at once');
        },
        undefined,
      ),
    /at once/,
  );
  assert.equal(currentCall(), undefined, 'nor after what threw');
});

test('other storage keeps what it held where the scope was made', () => {
  const other = new AsyncLocalStorage<string>();
  const scope = other.run('connection', () => new CallScope());
  const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
  const seen = other.run('elsewhere', () => scope.run(call, () => [other.getStore(), currentCall()], undefined));
  assert.deepEqual(seen, ['connection', call]);
});

test('the nearest known word is offered only when it is near', () => {
  const known = ['timeoutMs', 'maxBodyBytes', 'port'];
  assert.equal(nearest('timoutMs', known), 'timeoutMs');
  assert.equal(nearest('prt', known), 'port');
  assert.equal(nearest('colour', known), undefined);
});

test('an older Node is told what to do', () => {
  assert.match(nodeVersionProblem('24.18.0') ?? '', /needs Node.js 24.18.1 or newer; this is 24.18.0/);
  assert.match(nodeVersionProblem('20.20.2') ?? '', /newer/);
  for (const version of ['24.18.1', '24.21.0', '25.0.0', '26.1.0-rc.1'])
    assert.equal(nodeVersionProblem(version), undefined);
});
