import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentCall, FlotillaError, gateFilter } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { prometheusMeter } from '@flotilla/telemetry';
import { assertIdle, collect, elementsOf, serving, shop } from '../../../test/shop-calls.ts';
import type { ProtectOperation } from '../../index.ts';
import type { CallServerOptions } from './call-server.ts';
import { type DataCodec, jsonCodec } from './data-codec.ts';

describe('what protects operations', () => {
  it('stands before each of them, knows its name, and refuses before its handler runs', async () => {
    const asked: string[] = [];
    const protect: ProtectOperation =
      ({ operation, streamed }) =>
      (next) =>
      (request, call) => {
        asked.push(`${operation}${streamed ? ', streamed' : ''}`);
        if (operation !== 'shop.order') return next(request, call);
        return Promise.reject(new FlotillaError('UNAVAILABLE', 'busy', { executed: 'no', retryAfterMs: 70 }));
      };
    const pair = serving({ order: () => assert.fail('it was refused') }, { protect });
    const client = pair.client(shop);
    assert.deepEqual(await client.item({ id: 'a' }), { id: 'a' });
    assert.deepEqual(await collect(client.counts({ to: 2 })), [1, 2]);
    await assert.rejects(client.order({}), { code: 'UNAVAILABLE', executed: 'no', retryAfterMs: 70, fromPeer: true });
    assert.deepEqual(asked, ['shop.item', 'shop.counts, streamed', 'shop.order']);
    assertIdle(pair);
  });

  it('refuses before anything of the input is decoded', async () => {
    let decoded = 0;
    const counting: DataCodec = {
      ...jsonCodec,
      decode(payload) {
        decoded++;
        return jsonCodec.decode(payload);
      },
    };
    const protect: ProtectOperation =
      ({ operation }) =>
      (next) =>
      (request, call) => {
        if (operation === 'shop.item') return next(request, call);
        return Promise.reject(new FlotillaError('UNAVAILABLE', 'busy', { executed: 'no' }));
      };
    const pair = serving({}, { protect, codecs: [counting] });
    const client = pair.client(shop);
    await assert.rejects(client.order({}), { code: 'UNAVAILABLE', executed: 'no' });
    await assert.rejects(client.seen({ id: '1' }), { code: 'UNAVAILABLE', executed: 'no' });
    await assert.rejects(client.sum(elementsOf(1, 2)), { code: 'UNAVAILABLE', executed: 'no' });
    await assert.rejects(collect(client.double(elementsOf(1, 2))), { code: 'UNAVAILABLE', executed: 'no' });
    assert.equal(decoded, 0);
    await client.item({ id: 'let in' });
    assert.equal(decoded, 1);
    assertIdle(pair);
  });

  it('lets a call in later: its input is still what came', async () => {
    const free = Promise.withResolvers<void>();
    const protect: ProtectOperation = () => (next) => async (request, call) => {
      await free.promise;
      return next(request, call);
    };
    const pair = serving({}, { protect });
    const client = pair.client(shop);
    const answers = Promise.all([
      client.item({ id: 'first' }),
      client.item({ id: 'second' }),
      client.sum(elementsOf(1, 2)),
    ]);
    await settle();
    free.resolve();
    assert.deepEqual(await answers, [{ id: 'first' }, { id: 'second' }, 3]);
    assertIdle(pair);
  });
});

describe('a handler that answers at once', () => {
  it('is answered before the next request is looked at, and works in its own call', async () => {
    const order: string[] = [];
    const filters: CallServerOptions['filters'] = [
      gateFilter({
        enter(call) {
          order.push(`asked ${currentCall() === call}`);
          call.onEnd(() => order.push('ended'));
          return undefined;
        },
      }),
    ];
    const pair = serving({}, { filters });
    const client = pair.client(shop);
    await Promise.all([client.order({}), client.order({})]);
    assert.deepEqual(order, ['asked true', 'ended', 'asked true', 'ended']);
    assertIdle(pair);
  });
});

describe('what measures the calls of a server', () => {
  it('counts each once, by how it ended, and logs once what no contract declares', async () => {
    const meter = prometheusMeter({ processMetrics: false });
    const filters: CallServerOptions['filters'] = [
      (next) => (request, call) => {
        if (request.served.name === 'shop.clear') throw new TypeError('a filter that throws at once');
        if (request.served.name === 'shop.order') return Promise.reject(new FlotillaError('FORBIDDEN', 'no'));
        return next(request, call);
      },
    ];
    const pair = serving({}, { meter, filters });
    const client = pair.client(shop);
    await client.item({ id: '1' });
    await assert.rejects(client.item({ id: 'gone' }), { code: 'GONE' });
    await assert.rejects(client.order({}), { code: 'FORBIDDEN' });
    await assert.rejects(client.clear(), { code: 'INTERNAL' });
    await collect(client.counts({ to: 2 }));
    const lines = (await meter.render()).split('\n').filter((line) => /_calls_total\{|_in_flight\{/.test(line));
    assert.deepEqual(lines.sort(), [
      'flotilla_server_calls_total{operation="shop.clear",code="INTERNAL"} 1',
      'flotilla_server_calls_total{operation="shop.counts",code="OK"} 1',
      'flotilla_server_calls_total{operation="shop.item",code="GONE"} 1',
      'flotilla_server_calls_total{operation="shop.item",code="OK"} 1',
      'flotilla_server_calls_total{operation="shop.order",code="FORBIDDEN"} 1',
      'flotilla_server_in_flight{operation="shop.clear"} 0',
      'flotilla_server_in_flight{operation="shop.counts"} 0',
      'flotilla_server_in_flight{operation="shop.item"} 0',
      'flotilla_server_in_flight{operation="shop.order"} 0',
    ]);
    assert.deepEqual(
      pair.lines.map(({ message }) => message),
      ['handler failed'],
    );
    assertIdle(pair);
  });
});
