import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { errorFromResponse, problemResponse } from './problem-response.ts';

// The documents themselves are pinned by the golden files of the conformance suite.
suite('problemResponse', () => {
  test('extra fields win over its own', () => {
    const error = new FlotillaError('METHOD_NOT_ALLOWED', 'no');
    const { headers } = problemResponse(error, undefined, [
      ['allow', 'GET'],
      ['cache-control', 'max-age=1'],
    ]);
    assert.equal(headers.get('allow'), 'GET');
    assert.equal(headers.get('cache-control'), 'max-age=1');
  });

  test('data that JSON cannot hold is left out, the error is told all the same', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    for (const data of [{ big: 1n }, circle]) {
      const response = problemResponse(new FlotillaError('NO_ROUTE', 'nothing here', { data }));
      const back = errorFromResponse(response, response.body as Uint8Array);
      assert.deepEqual([back.code, back.detail, back.data], ['NO_ROUTE', 'nothing here', undefined]);
    }
  });

  test('a wait of less than a second is one second in the field', () => {
    const error = new FlotillaError('UNAVAILABLE', 'later', { retryAfterMs: 1 });
    assert.equal(problemResponse(error).headers.get('retry-after'), '1');
  });

  test('the cause is never told', () => {
    const error = new FlotillaError('BAD_RESPONSE', 'odd', { cause: new Error('at 10.0.0.7') });
    assert.ok(!new TextDecoder().decode(problemResponse(error).body as Uint8Array).includes('10.0.0.7'));
  });
});
