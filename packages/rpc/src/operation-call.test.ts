import assert from 'node:assert/strict';
import { it } from 'node:test';
import { attribute, Call, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { error } from './contract/index.ts';
import { failOf, operationCall } from './operation-call.ts';

const newCall = (): Call => new Call({ clock: new ManualClock(), random: seededRandom(1) });
type Errors = { GONE: undefined };

it('the call of a handler is the call of its request, with fail', () => {
  const call = newCall();
  const own = operationCall<Errors>(call, failOf('a.b', { GONE: error(410) }));
  assert.equal(own, call);
  assert.throws(
    () => own.fail('GONE', undefined, 'sold'),
    (thrown) => {
      assert.ok(thrown instanceof FlotillaError);
      assert.deepEqual([thrown.code, thrown.httpStatus, thrown.detail, thrown.executed], ['GONE', 410, 'sold', 'yes']);
      return true;
    },
  );
});

it('a call that already serves an operation gets a child, which sees what the call has and ends with it', () => {
  const call = newCall();
  const key = attribute<string>('key');
  call.set(key, 'value');
  const outer = operationCall<Errors>(call, failOf('a.outer', { GONE: error(410) }));
  const inner = operationCall<Errors>(call, failOf('a.inner', { GONE: error(404) }));
  assert.notEqual(inner, outer);
  assert.equal(inner.get(key), 'value');
  assert.throws(() => outer.fail('GONE'), { httpStatus: 410 });
  assert.throws(() => inner.fail('GONE'), { httpStatus: 404 });
  call.end();
  assert.ok(inner.ended);
});

it('an error that is not declared is a mistake of the program, and says which are', () => {
  const own = operationCall<Record<string, undefined>>(newCall(), failOf('a.b', { GONE: error(410) }));
  assert.throws(
    () => own.fail('__proto__'),
    /a\.b fails with "__proto__", which its contract does not declare; declared: GONE/,
  );
});
