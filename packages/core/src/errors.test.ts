import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { errorTable, FlotillaError, toFlotillaError } from './errors.ts';
import { fromProblem, toProblem } from './problem.ts';
import { Secret } from './secret.ts';

test('the code comes first, since many viewers show only the message', () => {
  assert.equal(new FlotillaError('NO_ROUTE', 'nothing at "/x"').message, 'NO_ROUTE: nothing at "/x"');
});

test('an error is retryable exactly when the work certainly was not done', () => {
  assert.equal(new FlotillaError('CONNECT_FAILED', '').retryable, true);
  assert.equal(new FlotillaError('CONNECTION_LOST', '').retryable, false);
  assert.equal(new FlotillaError('CONNECTION_LOST', '', { executed: 'no' }).retryable, true);
  assert.equal(new FlotillaError('SOLD_OUT', '').retryable, false, "a contract's own error");
});

test('names of objects are not codes', () => {
  for (const code of ['constructor', '__proto__', 'toString']) {
    assert.equal(new FlotillaError(code, '').httpStatus, 500);
  }
});

test('a problem reads back as the same error, as one from a peer', () => {
  for (const code of Object.keys(errorTable)) {
    const error = new FlotillaError(code, 'why', { data: { a: 1 }, retryAfterMs: 250, cause: new Error('inside') });
    const back = fromProblem(JSON.parse(JSON.stringify(toProblem(error, 'abc'))), error.httpStatus);
    assert.deepEqual(
      [back?.code, back?.httpStatus, back?.executed, back?.data, back?.retryAfterMs, back?.fromPeer],
      [code, error.httpStatus, error.executed, { a: 1 }, 250, true],
    );
  }
});

test('an internal error tells the caller nothing but its trace', () => {
  const text = JSON.stringify(toProblem(toFlotillaError(new Error('ENOENT /srv/secret.db')), 'abc'));
  assert.doesNotMatch(text, /ENOENT|secret/);
  assert.match(text, /"traceId":"abc"/);
});

test('a problem that does not say whether the work was done leaves it unknown', () => {
  assert.equal(fromProblem({ code: 'NO_INSTANCE' }, 503)?.executed, 'unknown');
  assert.equal(fromProblem({ code: 'NO_INSTANCE', executed: 'no' }, 503)?.executed, 'no');
});

test('what is not a problem of ours is not read as one', () => {
  for (const document of [null, 'x', [], {}, { code: 7 }, { code: 'lower' }, { code: 'X'.repeat(65) }]) {
    assert.equal(fromProblem(document, 500), undefined);
  }
});

test('a secret shows stars in every print', () => {
  const secret = new Secret('hunter2-hunter2');
  assert.deepEqual(
    [String(secret), `${secret}`, JSON.stringify({ secret }), inspect({ secret })].filter((text) =>
      text.includes('hunter'),
    ),
    [],
  );
  assert.equal(secret.reveal(), 'hunter2-hunter2');
});
