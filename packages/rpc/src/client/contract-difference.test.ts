import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import * as z from 'zod';
import { CallsPair } from '../../test/calls-pair.ts';
import { Fleet } from '../../test/fleet.ts';
import { bind, command, contract, contractHandler, post } from '../index.ts';

const theirs = contract(
  { name: 'shop', version: 4 },
  { order: command({ in: z.object({ amount: z.number() }), http: post('/orders') }) },
);
const ours = contract(
  { name: 'shop', version: 4 },
  { order: command({ in: z.object({ count: z.number() }), http: post('/orders') }) },
);
const bindings = [bind(ours, { order: () => {} })];

function isNamed(thrown: unknown): true {
  assert.ok(thrown instanceof FlotillaError && thrown.code === 'INVALID_INPUT');
  assert.match(thrown.detail, /built with another state of contract "shop" 4 than this caller/);
  assert.deepEqual((thrown.data as { differences: unknown }).differences, [
    '"amount" is unknown there, and required here',
    '"count" is required there, and unknown here',
  ]);
  return true;
}

test('over HTTP a caller with another state of the contract is told in what it differs', async () => {
  const fleet = new Fleet();
  await fleet.serve(bindings);
  await assert.rejects(fleet.client(theirs).order({ amount: 1 }), isNamed);
});

test('so is one over RSocket whose callee has filters of HTTP messages before its operations', async () => {
  const pair = new CallsPair(bindings, { through: contractHandler(bindings) });
  await assert.rejects(pair.client(theirs).order({ amount: 1 }), isNamed);
});

test('who does not say what it knows of the contract, or knows the same, is told nothing of it', async () => {
  const fleet = new Fleet();
  await fleet.serve(bindings);
  const { status, text } = await fleet.ask('/orders', { method: 'POST', body: { amount: 1 } });
  assert.equal(status, 400);
  assert.doesNotMatch(text, /contract/);
  await assert.rejects(fleet.client(ours).order({ count: 'one' } as never), (thrown: FlotillaError) => {
    assert.deepEqual(Object.keys(thrown.data as object), ['issues']);
    return true;
  });
});

test('a callee with a schema of any size answers with a bounded one', async () => {
  const fields = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`field${index}`, z.string()]));
  const large = contract(
    { name: 'shop', version: 4 },
    { order: command({ in: z.object(fields), http: post('/orders') }) },
  );
  const fleet = new Fleet();
  await fleet.serve([bind(large, { order: () => {} })]);
  const headers = { 'flotilla-contract': '0'.repeat(16) };
  const { json } = await fleet.ask('/orders', { method: 'POST', body: {}, headers });
  const { contract: stated } = (json as { data: { contract: object } }).data;
  assert.deepEqual(Object.keys(stated), ['name', 'version', 'hash']);
});
