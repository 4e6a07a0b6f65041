import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Call } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import * as z from 'zod';
import { CallsPair } from '../../../test/calls-pair.ts';
import { bind, command, contract, notify } from '../../index.ts';

const gauge = contract(
  { name: 'gauge', version: 1 },
  { read: notify({ in: z.object({ id: z.string() }), acknowledged: false }), flush: command({}) },
);

function assertIdle({ pair: { client, server } }: CallsPair): void {
  assert.deepEqual([client.outstanding, server.inFlight], [0, 0]);
}

describe('a notification that nobody acknowledges', () => {
  it('is written and forgotten: its caller waits for no handler, and the callee works on within its context', async () => {
    const done = Promise.withResolvers<void>();
    const seen: string[] = [];
    const read = async ({ id }: { id: string }, call: Call): Promise<void> => {
      await done.promise;
      seen.push(`${id} ${call.trace.traceId}`);
    };
    const pair = new CallsPair([bind(gauge, { read, flush: () => {} })]);
    const call = pair.call();
    assert.equal(await pair.client(gauge).read({ id: '1' }, call), undefined);
    assert.deepEqual([pair.pair.client.outstanding, seen], [0, []]);
    await settle();
    done.resolve();
    await settle();
    assert.deepEqual(seen, [`1 ${call.trace.traceId}`]);
    assertIdle(pair);
  });

  it('tells its caller of no refusal and no failure, but of an input that cannot be written', async () => {
    let reads = 0;
    const read = (): void => {
      reads++;
      throw new Error('broken');
    };
    const pair = new CallsPair([bind(gauge, { read, flush: () => {} })]);
    const client = pair.client(gauge);
    await client.read({ id: 1 } as never);
    await client.read({ id: '2' });
    await client.flush();
    assert.equal(reads, 1);
    await assert.rejects(client.read({ id: 1n } as never), { code: 'INVALID_INPUT', executed: 'no' });
    pair.pair.client.close();
    await assert.rejects(client.read({ id: '3' }), { executed: 'no' });
    assertIdle(pair);
  });
});
