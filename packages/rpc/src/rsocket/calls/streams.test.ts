import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError, sleep } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { assertIdle, collect, serving, shop } from '../../../test/shop-calls.ts';

describe('a stream over RSocket', () => {
  it('is its elements', async () => {
    const pair = serving();
    assert.deepEqual(
      await collect(pair.client(shop).counts({ to: 100 })),
      Array.from({ length: 100 }, (_, n) => n + 1),
    );
    assertIdle(pair);
  });

  it('slows its handler down to the pace of its reader', async () => {
    let made = 0;
    const pair = serving({
      async *counts() {
        for (;;) yield ++made;
      },
    });
    const elements = pair.client(shop).counts({ to: 0 })[Symbol.asyncIterator]();
    assert.equal((await elements.next()).value, 1);
    await settle();
    assert.ok(made <= 40, `${made} were made for one that was read`);
    await elements.return?.();
    await settle();
    assertIdle(pair);
  });

  it('that is left ends its handler', async () => {
    const ended = Promise.withResolvers<string | undefined>();
    const pair = serving({
      async *counts(_, call) {
        try {
          for (let n = 1; ; n++) yield n;
        } finally {
          ended.resolve(call.cancelled?.code);
        }
      },
    });
    for await (const n of pair.client(shop).counts({ to: 0 })) if (n === 3) break;
    assert.equal(await ended.promise, 'CANCELLED');
    await settle();
    assertIdle(pair);
  });

  it('that fails on its way fails for its reader, after the elements before', async () => {
    const pair = serving({
      async *counts() {
        yield 1;
        throw new FlotillaError('UNAVAILABLE', 'no more today');
      },
    });
    const got: number[] = [];
    await assert.rejects(
      async () => {
        for await (const n of pair.client(shop).counts({ to: 0 })) got.push(n);
      },
      { code: 'UNAVAILABLE', executed: 'unknown' },
    );
    assert.deepEqual(got, [1]);
    assertIdle(pair);
  });

  it('that is invalid fails at its first element', async () => {
    const pair = serving();
    await assert.rejects(collect(pair.client(shop).counts({ to: 'x' } as never)), { code: 'INVALID_INPUT' });
    assertIdle(pair);
  });

  it('may keep silent for longer than its beginning may take', async () => {
    const pair = serving({
      async *counts(_, call) {
        await sleep(5_000, call);
        yield 1;
      },
    });
    const all = collect(pair.client(shop, { timeoutMs: 1_000 }).counts({ to: 0 }));
    for (let i = 0; i < 60; i++) await pair.clock.advance(100);
    assert.deepEqual(await all, [1]);
    assertIdle(pair);
  });

  it('that does not begin in time is given up', async () => {
    const pair = serving({}, { filters: [() => () => new Promise(() => {})] });
    const refused = assert.rejects(collect(pair.client(shop, { timeoutMs: 1_000 }).counts({ to: 0 })), {
      code: 'DEADLINE_EXCEEDED',
    });
    await settle();
    await pair.clock.advance(1_000);
    await refused;
    await settle();
    assertIdle(pair);
  });
});
