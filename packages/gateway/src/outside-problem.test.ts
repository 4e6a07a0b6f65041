import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorTable, FlotillaError } from '@flotilla/core';
import { outsideProblem } from './outside-problem.ts';

describe('what a caller outside is told', () => {
  it('is code, status, meaning and when to try again; neither text, data nor cause', () => {
    const error = new FlotillaError('NO_INSTANCE', 'no instance of "orders" at 10.0.0.7', {
      data: { known: 4 },
      cause: new Error('secret'),
      retryAfterMs: 1_500,
    });
    const told = outsideProblem(error);
    assert.deepEqual(
      [told.code, told.httpStatus, told.detail, told.retryAfterMs, told.executed, told.data, told.cause],
      ['NO_INSTANCE', 503, errorTable.NO_INSTANCE.meaning, 1_500, 'no', undefined, undefined],
    );
  });

  it('is INTERNAL for anything that is no error of the platform', () => {
    for (const thrown of [
      new TypeError('x of undefined'),
      'text',
      undefined,
      new FlotillaError('OUT_OF_STOCK', 'own code'),
    ]) {
      const { code, httpStatus, detail } = outsideProblem(thrown);
      assert.deepEqual([code, httpStatus, detail], ['INTERNAL', 500, errorTable.INTERNAL.meaning]);
    }
  });

  it('never speaks of how the platform is built', () => {
    const inner: readonly ErrorCode[] = [
      'START_FAILED',
      'ADDRESS_IN_USE',
      'CONFIG_INVALID',
      'CONTRACT_INVALID',
      'PACKAGE_MISSING',
      'STORE_FAILED',
    ];
    for (const code of inner) assert.equal(outsideProblem(new FlotillaError(code, 'detail')).code, 'INTERNAL');
  });

  it('keeps every other code of the table', () => {
    for (const code of Object.keys(errorTable) as ErrorCode[]) {
      const told = outsideProblem(new FlotillaError(code, 'at /srv/app, 10.0.0.7'));
      assert.equal(told.httpStatus, told.code === code ? errorTable[code].httpStatus : 500);
      assert.doesNotMatch(told.message, /srv|10\.0/);
    }
  });
});
