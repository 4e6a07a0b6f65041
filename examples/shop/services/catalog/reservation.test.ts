import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveFor, type Reservation, type Wish } from './reservation.ts';

const lines = [{ productId: 'a', quantity: 1, name: 'A', priceCents: 1 }];
const states: Readonly<Record<Reservation['state'], Reservation>> = {
  none: { state: 'none' },
  held: { state: 'held', lines, expiresAt: 1 },
  lapsed: { state: 'lapsed' },
  sold: { state: 'sold', lines },
  released: { state: 'released' },
  refused: { state: 'refused', refusal: { kind: 'unknown', id: 'a' } },
};
const wishes: readonly Wish[] = [{ wish: 'reserve', items: [] }, { wish: 'commit' }, { wish: 'release' }];

test('what is sold, released or refused stays so, whatever is wished', () => {
  for (const state of ['sold', 'released', 'refused'] as const)
    for (const wish of wishes) assert.equal(moveFor(states[state], wish), 'stay', `${state}, ${wish.wish}`);
});

test('stock is taken only where none is held, and given back only where some is', () => {
  for (const [state, reservation] of Object.entries(states)) {
    for (const wish of wishes) {
      const move = moveFor(reservation, wish);
      if (move === 'take') assert.ok(wish.wish === 'reserve' && (state === 'none' || state === 'lapsed'), state);
      if (move === 'giveBack') assert.ok(wish.wish === 'release' && state === 'held', state);
      if (move === 'sell') assert.ok(wish.wish === 'commit' && state === 'held', state);
    }
  }
});

test('an order that gave up before it reserved cannot reserve afterwards', () => {
  assert.equal(moveFor(states.none, { wish: 'release' }), 'close');
  assert.equal(moveFor(states.released, { wish: 'reserve', items: [] }), 'stay');
});
