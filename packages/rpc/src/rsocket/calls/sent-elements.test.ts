import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { assertIdle, elementsOf, serving, shop } from '../../../test/shop-calls.ts';
import { safe } from '../../index.ts';

describe('elements of the caller over RSocket', () => {
  it('upload: many in, one out', async () => {
    const pair = serving();
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    assert.equal(await pair.client(shop).sum(numbers), 19_900);
    assert.equal(await pair.client(shop).sum([]), 0);
    assert.equal(await pair.client(shop).sum([7]), 7);
    await settle();
    assertIdle(pair);
  });

  it('upload: the handler may answer before it has read all, and the caller stops', async () => {
    let asked = 0;
    const left = Promise.withResolvers<void>();
    const pair = serving({
      async sum(numbers) {
        for await (const n of numbers) return n;
        return 0;
      },
    });
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield ++asked;
      } finally {
        left.resolve();
      }
    }
    assert.equal(await pair.client(shop).sum(endless()), 1);
    await left.promise;
    assert.ok(asked <= 80, `${asked} were asked for`);
    await settle();
    assertIdle(pair);
  });

  it('upload: an element that does not fit is named', async () => {
    const pair = serving();
    await assert.rejects(pair.client(shop).sum([1, 'x' as never]), (thrown) => {
      assert.ok(thrown instanceof FlotillaError && thrown.code === 'INVALID_INPUT');
      assert.match(thrown.detail, /"1"/);
      return true;
    });
    await settle();
    assertIdle(pair);
  });

  it('upload: what the generator throws ends the call here and there', async () => {
    let told: string | undefined;
    const pair = serving({
      async sum(numbers, call) {
        call.onCancel(({ code }) => {
          told = code;
        });
        for await (const _ of numbers);
        return 0;
      },
    });
    async function* breaking(): AsyncGenerator<number> {
      yield 1;
      throw new Error('the sensor is gone');
    }
    await assert.rejects(pair.client(shop).sum(breaking()), { code: 'INTERNAL' });
    await settle();
    assert.equal(told, 'CANCELLED');
    assertIdle(pair);
  });

  it('upload: an element that no JSON holds is named, and what was done with those before it is unknown', async () => {
    const pair = serving();
    const client = pair.client(shop);
    const first = await safe(client.sum(elementsOf(1n as never)));
    const second = await safe(client.sum(elementsOf(1, 1n as never)));
    assert.ok(!first.ok && !second.ok);
    assert.deepEqual([first.error.code, first.error.executed], ['INVALID_INPUT', 'no']);
    assert.deepEqual([second.error.code, second.error.executed], ['INVALID_INPUT', 'unknown']);
    assert.match(second.error.detail, /^element 1 of shop\.sum cannot be sent: it is no JSON$/);
    await settle();
    assertIdle(pair);
  });

  it('duplex: answers while it is being sent', async () => {
    const pair = serving();
    const gate = Promise.withResolvers<void>();
    async function* asking(): AsyncGenerator<number> {
      yield 1;
      await gate.promise;
      yield 2;
    }
    const got: number[] = [];
    for await (const n of pair.client(shop).double(asking())) {
      got.push(n);
      gate.resolve();
    }
    assert.deepEqual(got, [2, 4]);
    await settle();
    assertIdle(pair);
  });

  it('duplex: the callee may speak first', async () => {
    const pair = serving({
      async *double(numbers) {
        yield 0;
        for await (const n of numbers) yield 2 * n;
      },
    });
    const gate = Promise.withResolvers<void>();
    async function* listening(): AsyncGenerator<number> {
      await gate.promise;
      yield 5;
    }
    const got: number[] = [];
    const reading = (async () => {
      for await (const n of pair.client(shop).double(listening())) {
        got.push(n);
        gate.resolve();
      }
    })();
    for (let i = 0; i < 10; i++) await pair.clock.advance(10);
    await reading;
    assert.deepEqual(got, [0, 10]);
  });
});
