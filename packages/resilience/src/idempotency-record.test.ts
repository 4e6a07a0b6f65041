import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import {
  decide,
  formatRecord,
  type IdempotencyRecord,
  isKept,
  parseRecord,
  type Repetition,
} from './idempotency-record.ts';

const repetition: Repetition = { print: 'p', idempotent: true, onDuplicate: 'wait', wallNow: 1_000 };
const running = (until: number): IdempotencyRecord => ({ state: 'running', print: 'p', owner: 'o', until });
const failed = new FlotillaError('OUT_OF_STOCK', 'none left', { executed: 'yes', httpStatus: 409, data: { left: 0 } });

const rows: readonly [claim: string, IdempotencyRecord | undefined, Partial<Repetition>, expected: string][] = [
  ['what is new runs', undefined, {}, 'run'],
  ['what is done is answered', { state: 'done', print: 'p', answer: '1' }, {}, 'answer 1'],
  ['what failed fails again', { state: 'failed', print: 'p', error: failed }, {}, 'OUT_OF_STOCK yes'],
  ['an answer that was too large was given once', { state: 'lost', print: 'p' }, {}, 'DUPLICATE_REQUEST yes'],
  ['what runs is waited for', running(1_001), {}, 'wait'],
  ['what runs is waited for, whatever it is', running(1_001), { idempotent: false }, 'wait'],
  ['or refused', running(1_001), { onDuplicate: 'refuse' }, 'DUPLICATE_REQUEST unknown'],
  ['what nobody works on any more is done again', running(1_000), {}, 'takeOver'],
  ['but not if that does harm', running(1_000), { idempotent: false }, 'DUPLICATE_REQUEST unknown'],
  ['another input is another command', { state: 'done', print: 'q', answer: '1' }, {}, 'IDEMPOTENCY_KEY_REUSED no'],
  ['also while the first runs', running(1_001), { print: 'q' }, 'IDEMPOTENCY_KEY_REUSED no'],
];

for (const [claim, record, given, expected] of rows) {
  test(claim, () => {
    const decision = decide(record, { ...repetition, ...given });
    const shown =
      decision.do === 'fail'
        ? `${decision.error.code} ${decision.error.executed}`
        : decision.do === 'answer'
          ? `answer ${decision.answer}`
          : decision.do;
    assert.equal(shown, expected);
  });
}

const errors: readonly [ConstructorParameters<typeof FlotillaError>[2], idempotent: boolean, kept: boolean][] = [
  [{ executed: 'yes' }, true, true],
  [{ executed: 'yes' }, false, true],
  [{ executed: 'yes', retryAfterMs: 100 }, true, false],
  [{ executed: 'no' }, true, false],
  [{ executed: 'no' }, false, false],
  [{ executed: 'unknown' }, true, false],
  [{ executed: 'unknown' }, false, true],
];

for (const [details, idempotent, kept] of errors) {
  test(`${JSON.stringify(details)} of ${idempotent ? 'an idempotent' : 'another'} command is ${kept ? '' : 'not '}kept`, () => {
    assert.equal(isKept(new FlotillaError('X', 'x', details), idempotent), kept);
  });
}

test('a record comes back from its text as it was', () => {
  const print = fc.string({ unit: 'grapheme' });
  const json = fc.option(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    { nil: undefined },
  );
  const record: fc.Arbitrary<IdempotencyRecord> = fc.oneof(
    fc.record({ state: fc.constant('running' as const), print, owner: fc.string(), until: fc.nat() }),
    fc.record({ state: fc.constant('done' as const), print, answer: json }),
    fc.record({ state: fc.constant('lost' as const), print }),
  );
  fc.assert(fc.property(record, (given) => assert.deepEqual(parseRecord(formatRecord(given)), { ...given })));
});

test('an error comes back with all that callers read', () => {
  const error = new FlotillaError('BUSY', 'later', {
    executed: 'unknown',
    httpStatus: 503,
    retryAfterMs: 5,
    data: { a: [1] },
    fromPeer: true,
    cause: new Error('a secret'),
  });
  const text = formatRecord({ state: 'failed', print: 'p', error });
  assert.doesNotMatch(text, /secret/);
  const record = parseRecord(text);
  assert.ok(record.state === 'failed');
  const { code, detail, executed, httpStatus, retryAfterMs, data, fromPeer } = record.error;
  assert.deepEqual(
    { code, detail, executed, httpStatus, retryAfterMs, data, fromPeer },
    {
      code: 'BUSY',
      detail: 'later',
      executed: 'unknown',
      httpStatus: 503,
      retryAfterMs: 5,
      data: { a: [1] },
      fromPeer: true,
    },
  );
});

test('what is no record is refused', () => {
  for (const text of [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"print":"p","state":"x"}',
    '{"print":"p","state":"running"}',
    '{"print":"p","state":"failed","error":7}',
  ]) {
    assert.throws(() => parseRecord(text), text);
  }
});
