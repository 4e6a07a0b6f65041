import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sourcesByService, splitSources } from './placed-sources.ts';

const nothing = { args: [], env: {} };

describe('flags and variables of placed services', () => {
  it('are taken out of those of the process', () => {
    const { own, placed } = splitSources({
      args: ['--port=1', '--placed.stock.settings.title=x'],
      env: { FLOTILLA_PORT: '2', FLOTILLA_PLACED_STOCK_WEIGHT: '3', HOME: '/' },
    });
    assert.deepEqual(own, { args: ['--port=1'], env: { FLOTILLA_PORT: '2', HOME: '/' } });
    assert.deepEqual(placed, {
      args: ['--placed.stock.settings.title=x'],
      env: { FLOTILLA_PLACED_STOCK_WEIGHT: '3' },
    });
  });

  it('go to the service that they name, of two to the one with the longer name', () => {
    const given = {
      args: ['--placed.order.weight=1', '--placed.order-events.settings.note=a=b'],
      env: { FLOTILLA_PLACED_ORDER_ZONE: 'a', FLOTILLA_PLACED_ORDER_EVENTS_ZONE: 'b' },
    };
    const found = sourcesByService(given, { order: 'process', 'order-events': 'worker', films: 'remote' });
    assert.deepEqual(Object.fromEntries(found), {
      order: { args: ['--weight=1'], env: { FLOTILLA_PLACED_ORDER_ZONE: 'a' } },
      'order-events': { args: ['--settings.note=a=b'], env: { FLOTILLA_PLACED_ORDER_EVENTS_ZONE: 'b' } },
    });
  });

  it('that name nobody who is placed here are refused, all at once and without their values', () => {
    const given = { args: ['--placed.films.password=secret'], env: { FLOTILLA_PLACED_X_Y: 'secret' } };
    assert.throws(
      () => sourcesByService(given, { films: 'remote', stock: 'worker' }),
      (thrown: Error) => {
        assert.match(
          thrown.message,
          /--placed\.films\.password: no service.*FLOTILLA_PLACED_X_Y: no.*placed are stock/s,
        );
        assert.doesNotMatch(thrown.message, /secret/);
        return true;
      },
    );
    assert.throws(() => sourcesByService({ ...nothing, args: ['--placed.a.b=1'] }, {}), /none is; see "placement"/);
    assert.deepEqual(sourcesByService(nothing, {}), new Map());
  });
});
