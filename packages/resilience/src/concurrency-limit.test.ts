import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, FlotillaError, type Handler } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { concurrencyLimit } from './concurrency-limit.ts';

const clock = new ManualClock();
const newCall = (): Call => new Call({ clock, random: seededRandom(1) });
const echo: Handler<string, string> = async (request) => request;

test('the call that would be one too many is refused, and certainly not executed', async () => {
  const handler = concurrencyLimit<string, string>({ name: 'orders at 10.0.0.7:8080', maxConcurrent: 2 })(echo);
  const [first, second, third] = [newCall(), newCall(), newCall()];
  await handler('a', first);
  await handler('b', second);
  await assert.rejects(handler('c', third), (error: FlotillaError) => {
    assert.equal(error.code, 'UNAVAILABLE');
    assert.equal(error.executed, 'no');
    assert.match(error.detail, /"orders at 10.0.0.7:8080" has 2 calls in flight, as many as maxConcurrent allows/);
    return true;
  });
  assert.equal(third.ended, true);
});

test('a place is free when the last byte is done, not when the answer begins', async () => {
  const handler = concurrencyLimit<string, string>({ name: 'orders', maxConcurrent: 1 })(echo);
  const first = newCall();
  await handler('a', first);
  await assert.rejects(handler('b', newCall()), { code: 'UNAVAILABLE' });
  first.end();
  assert.equal(await handler('c', newCall()), 'c');
});

test('a failed call gives its place back once', async () => {
  const failing: Handler<string, string> = async () => {
    throw new FlotillaError('CONNECT_FAILED', 'refused');
  };
  const handler = concurrencyLimit<string, string>({ name: 'orders', maxConcurrent: 1 })((request, call) =>
    request === 'fail' ? failing(request, call) : echo(request, call),
  );
  const failed = newCall();
  await assert.rejects(handler('fail', failed), { code: 'CONNECT_FAILED' });
  await handler('a', newCall());
  failed.end();
  await assert.rejects(handler('b', newCall()), { code: 'UNAVAILABLE' }, 'ending it later frees nothing more');
});

test('where every call ends, its end alone gives the place back', async () => {
  const handler = concurrencyLimit<string, string>({ name: 'orders', maxConcurrent: 1, callsEnd: true })(async () => {
    throw new FlotillaError('CONNECT_FAILED', 'refused');
  });
  const failed = newCall();
  await assert.rejects(handler('a', failed), { code: 'CONNECT_FAILED' });
  await assert.rejects(handler('b', newCall()), { code: 'UNAVAILABLE' });
  failed.end();
  await assert.rejects(handler('c', newCall()), { code: 'CONNECT_FAILED' });
});

test('each handler that is wrapped has a count of its own', async () => {
  const filter = concurrencyLimit<string, string>({ name: 'orders', maxConcurrent: 1 });
  const [one, other] = [filter(echo), filter(echo)];
  await one('a', newCall());
  assert.equal(await other('b', newCall()), 'b');
});

test('a cap that is no number of calls is refused by name', () => {
  assert.throws(() => concurrencyLimit({ name: 'orders', maxConcurrent: 0 }), /^RangeError: maxConcurrent must be/);
});
