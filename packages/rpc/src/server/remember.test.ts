import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Filter, FlotillaError } from '@flotilla/core';
import * as z from 'zod';
import { CallsPair } from '../../test/calls-pair.ts';
import { bind, command, contract, error, safe } from '../index.ts';

const Amount = z.object({ amount: z.number() });
const till = contract(
  { name: 'till', version: 1 },
  { pay: command({ in: Amount, out: Amount, errors: { EMPTY: error(409, Amount) } }) },
);

/** Who calls with a key, with a memory of commands that does as it is told. */
async function pay(memory: Filter<unknown, unknown>, handler: () => never) {
  const pair = new CallsPair([bind(till, { pay: handler })], { remember: () => memory });
  const result = await safe(pair.client(till).pay({ amount: 1 }, undefined, { idempotencyKey: 'k' }));
  assert.ok(!result.ok);
  return result.error;
}

const refusing = (refusal: FlotillaError): Filter<unknown, unknown> => {
  return () => () => Promise.reject(refusal);
};

describe('a command with a key', () => {
  const untouched = () => assert.fail('the handler ran');

  it('that its memory refuses was not executed, and the caller learns it', async () => {
    const away = new FlotillaError('UNAVAILABLE', 'the store is away', { executed: 'no', retryAfterMs: 1_000 });
    const told = await pay(refusing(away), untouched);
    assert.deepEqual([told.code, told.executed, told.retryAfterMs], ['UNAVAILABLE', 'no', 1_000]);
    const reused = await pay(refusing(new FlotillaError('IDEMPOTENCY_KEY_REUSED', 'another input')), untouched);
    assert.deepEqual([reused.code, reused.executed], ['IDEMPOTENCY_KEY_REUSED', 'no']);
  });

  it('of which nobody knows is unknown to its caller, too', async () => {
    const told = await pay(refusing(new FlotillaError('DUPLICATE_REQUEST', 'worked on')), untouched);
    assert.deepEqual([told.code, told.executed], ['DUPLICATE_REQUEST', 'unknown']);
  });

  it('that failed the same way before gets the error of its contract', async () => {
    const kept = new FlotillaError('EMPTY', 'nothing left', { executed: 'yes', data: { amount: 1, secret: 2 } });
    const told = await pay(refusing(kept), untouched);
    assert.deepEqual([told.code, told.executed, told.data], ['EMPTY', 'yes', { amount: 1 }]);
  });

  it('whose handler has begun was never not executed, whatever the handler throws', async () => {
    const told = await pay(
      (next) => next,
      () => {
        throw new FlotillaError('UNAVAILABLE', 'another service is away', { executed: 'no' });
      },
    );
    assert.deepEqual([told.code, told.executed], ['UNAVAILABLE', 'unknown']);
  });
});
