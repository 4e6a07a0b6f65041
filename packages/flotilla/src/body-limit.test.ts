import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, contract, json, post, upload } from '@flotilla/rpc/contract';
import { z } from 'zod';
import { largestBodyBytes } from './body-limit.ts';

test('a listener lets through what its operations take, and never less than usual', () => {
  const binding = (maxBytes: number) => ({
    contract: contract(
      { name: 'a', version: 1 },
      { b: command({ in: z.object({}), http: post('/b', { body: json({ maxBytes }) }) }) },
    ),
    handlers: {},
  });
  assert.equal(largestBodyBytes([], 5), 10_485_760);
  assert.equal(largestBodyBytes([], 20_000_000), 20_000_000);
  assert.equal(largestBodyBytes([binding(5), binding(50_000_000)], 5), 50_000_000);
});

test('elements may go on for ever: each has its own limit', () => {
  const binding = { contract: contract({ name: 'a', version: 1 }, { b: upload({ in: z.string() }) }), handlers: {} };
  assert.equal(largestBodyBytes([binding], 5), Infinity);
});
