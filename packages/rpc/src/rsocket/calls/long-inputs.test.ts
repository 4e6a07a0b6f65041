import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { CallsPair } from '../../../test/calls-pair.ts';
import { bind, command, contract, json, post, safe, upload } from '../../index.ts';
import { servingCalls } from './serving.ts';

const Text = z.object({ text: z.string() });
const archive = contract(
  { name: 'archive', version: 1 },
  {
    add: command({ in: Text, out: z.number(), http: post('/texts', { body: json({ maxBytes: 20_000_000 }) }) }),
    addAll: upload({ in: Text, out: z.number() }),
  },
);
const bindings = [
  bind(archive, {
    add: ({ text }) => text.length,
    async addAll(texts) {
      let sum = 0;
      for await (const { text } of texts) sum += text.length;
      return sum;
    },
  }),
];

function textOf(length: number): z.infer<typeof Text> {
  return { text: 'x'.repeat(length) };
}

describe('an input over a limit', () => {
  it('is let through by the connection as far as its operation takes it', async () => {
    const pair = new CallsPair(bindings, {}, { server: { maxPayloadBytes: 20_065_536 } });
    const { maxPayloadBytes } = servingCalls(pair.server)({ address: '127.0.0.1', port: 1, encrypted: false });
    assert.equal(maxPayloadBytes, 20_065_536);
    assert.equal(await pair.client(archive).add(textOf(11_000_000)), 11_000_000);
  });

  it('of the connection is BODY_TOO_LARGE, which nobody repeats and no breaker counts', async () => {
    const pair = new CallsPair(bindings, {}, { limits: { maxPayloadBytes: 10_000 } });
    const refused = await safe(pair.client(archive).add(textOf(100_000)));
    assert.ok(!refused.ok);
    assert.deepEqual([refused.error.code, refused.error.executed], ['BODY_TOO_LARGE', 'no']);
    assert.deepEqual(refused.error.data, { maxBytes: 10_000 });
    assert.equal(await pair.client(archive).add(textOf(10)), 10);
  });

  it('of the connection, as one element of many, is BODY_TOO_LARGE, and work may have been done', async () => {
    const pair = new CallsPair(bindings, {}, { limits: { maxPayloadBytes: 10_000 } });
    const refused = await safe(pair.client(archive).addAll([textOf(1), textOf(100_000), textOf(1)]));
    assert.ok(!refused.ok);
    assert.deepEqual([refused.error.code, refused.error.executed], ['BODY_TOO_LARGE', 'unknown']);
  });

  it('is REJECTED in words to peers that are not ours', async () => {
    const pair = new CallsPair(bindings, {}, { limits: { maxPayloadBytes: 10_000 } }, false);
    const refused = await safe(pair.client(archive).add(textOf(100_000)));
    assert.ok(!refused.ok);
    assert.equal(refused.error.detail, 'a message of more than 10000 bytes (maxPayloadBytes)');
    assert.equal(refused.error.executed, 'no');
  });
});
