import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import * as z from 'zod';
import { CallsPair } from '../../../test/calls-pair.ts';
import { Heard } from '../../../test/rsocket-pair.ts';
import { assertIdle, handlers, shop } from '../../../test/shop-calls.ts';
import { type AnyContract, bind, command, contract, query } from '../../index.ts';
import { routingEntry } from '../composite-metadata.ts';
import { rsocketError } from '../frame.ts';

describe('what anybody may ask over RSocket', () => {
  const asked: Record<string, readonly [route: string, data: string, code: number, text: RegExp]> = {
    'an unknown route': [
      'shop.itme',
      '{}',
      rsocketError.REJECTED,
      /no operation is served as "shop\.itme"; did you mean "shop\.item"\?/,
    ],
    'no route': ['', '{}', rsocketError.REJECTED, /names no route/],
    'a stream as one answer': [
      'shop.counts',
      '{}',
      rsocketError.REJECTED,
      /"shop\.counts" takes request-stream, not request-response/,
    ],
    'no JSON': ['shop.item', '{"id":', rsocketError.INVALID, /not JSON/],
    'no UTF-8': ['shop.item', '{"id":"\\ud800', rsocketError.INVALID, /not JSON/],
    'a member that would change a prototype': [
      'shop.item',
      '{"__proto__":{"id":"1"}}',
      rsocketError.INVALID,
      /__proto__/,
    ],
    bytes: ['shop.picture', '{"id":"1"}', rsocketError.REJECTED, /only HTTP carries/],
    'more than the limit': [
      'shop.item',
      JSON.stringify({ id: 'x'.repeat(200) }),
      rsocketError.REJECTED,
      /larger than the limit of 100 bytes/,
    ],
  };
  for (const [claim, [route, data, code, text]] of Object.entries(asked)) {
    it(`${claim} is refused in a sentence`, async () => {
      const pair = new CallsPair([bind(shop, handlers)], { maxBodyBytes: 100 }, {}, false);
      const heard = new Heard();
      pair.pair.client.requestResponse(routingEntry(route), data, heard);
      await settle();
      const [end = ''] = heard.ends;
      assert.match(end, text);
      assert.ok(end.startsWith(`error 0x${code.toString(16)} `), end);
      assertIdle(pair);
    });
  }

  it('a peer that is not ours calls by route alone, and gets a sentence for an error', async () => {
    const pair = new CallsPair([bind(shop, handlers)], {}, {}, false);
    const heard = new Heard();
    pair.pair.client.requestResponse(routingEntry('shop.item'), '{"id":"1"}', heard);
    await settle();
    assert.deepEqual(heard.items, ['{"id":"1"}']);
  });

  it('a notification may be fired and forgotten; whatever is no notification is not done', async () => {
    const seen: string[] = [];
    const taken = { seen: ({ id }: { id: string }) => void seen.push(id), item: () => assert.fail('the handler ran') };
    const pair = new CallsPair([bind(shop, { ...handlers, ...taken })], {}, {}, false);
    pair.pair.client.fireAndForget(routingEntry('shop.seen'), '{"id":"1"}');
    pair.pair.client.fireAndForget(routingEntry('shop.seen'), '{"id":2}');
    pair.pair.client.fireAndForget(routingEntry('shop.item'), '{"id":"3"}');
    await settle();
    assert.deepEqual(seen, ['1']);
    assertIdle(pair);
  });

  it('two versions of a contract are told apart by what the caller says', async () => {
    const of = (version: number): AnyContract =>
      contract({ name: 'shop', version }, { item: query({ out: z.number() }) });
    const [one, two] = [of(1), of(2)];
    const pair = new CallsPair([bind(one, { item: () => 1 } as never), bind(two, { item: () => 2 } as never)]);
    const ask = (known: AnyContract): Promise<unknown> => (pair.client(known)['item'] as () => Promise<unknown>)();
    assert.deepEqual([await ask(one), await ask(two)], [1, 2]);
    await assert.rejects(ask(of(3)), { code: 'NO_ROUTE', executed: 'no' });
  });

  it('a caller with another state of the contract is told in what it differs', async () => {
    const theirs = contract(
      { name: 'shop', version: 4 },
      { order: command({ in: z.object({ amount: z.number(), note: z.string().optional() }) }) },
    );
    const ours = contract(
      { name: 'shop', version: 4 },
      { order: command({ in: z.object({ count: z.number(), note: z.string() }) }) },
    );
    const pair = new CallsPair([bind(ours, { order: () => {} })]);
    await assert.rejects(pair.client(theirs).order({ amount: 1 }), (thrown) => {
      assert.ok(thrown instanceof FlotillaError && thrown.code === 'INVALID_INPUT');
      assert.match(thrown.detail, /"amount" is unknown there, and required here/);
      assert.match(thrown.detail, /"count" is required there, and unknown here/);
      assert.match(thrown.detail, /"note" is required there, and optional here/);
      return true;
    });
  });
});
