import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import type { Reply } from '@flotilla/rpc';
import { relay } from './relay.ts';

interface Errors {
  SOLD_OUT: { left: number };
  SECRET: undefined;
}

function failing(code: string): Reply<number, Errors> {
  return Promise.reject(
    new FlotillaError(code, 'nothing is left', { data: { left: 0 }, executed: 'yes', fromPeer: true, httpStatus: 409 }),
  );
}

test('an answer passes', async () => {
  assert.equal(await relay(Promise.resolve(7) as Reply<number, Errors>, 'SOLD_OUT'), 7);
});

test('an error that is named becomes the own one, with its sentence and data', async () => {
  const error = await relay(failing('SOLD_OUT'), 'SOLD_OUT').catch((thrown: unknown) => thrown);
  assert.ok(error instanceof FlotillaError);
  const { code, detail, data, executed, fromPeer } = error;
  assert.deepEqual(
    [code, detail, data, executed, fromPeer],
    ['SOLD_OUT', 'nothing is left', { left: 0 }, 'yes', false],
  );
});

test('any other error stays a peer’s, whose details nobody is told', async () => {
  for (const code of ['SECRET', 'INTERNAL'])
    await assert.rejects(relay(failing(code), 'SOLD_OUT'), { code, fromPeer: true });
  await assert.rejects(relay(Promise.reject(new TypeError('a bug')) as Reply<number, Errors>, 'SOLD_OUT'), TypeError);
});
