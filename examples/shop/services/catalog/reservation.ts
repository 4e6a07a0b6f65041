import type { Item, Line } from '../../contracts/stock.ts';

/** Why an order cannot have its stock. It stays so: asked again, the answer is the same. */
export type Refusal =
  | { readonly kind: 'unknown'; readonly id: string }
  | { readonly kind: 'soldOut'; readonly id: string; readonly left: number };

/** What became of an order's stock. */
export type Reservation =
  | { readonly state: 'none' }
  | { readonly state: 'held'; readonly lines: readonly Line[]; readonly expiresAt: number }
  | { readonly state: 'lapsed' }
  | { readonly state: 'sold'; readonly lines: readonly Line[] }
  | { readonly state: 'released' }
  | { readonly state: 'refused'; readonly refusal: Refusal };

/** What an order asks for. */
export type Wish =
  | { readonly wish: 'reserve'; readonly items: readonly Item[] }
  | { readonly wish: 'commit' }
  | { readonly wish: 'release' };

/** What to do with the shelf. `stay`: the order has its answer already. */
export type Move = 'take' | 'sell' | 'giveBack' | 'close' | 'stay';

/**
 * ```
 *            reserve                commit
 *   none ──────────────▶ held ─────────────────▶ sold
 *     │      ▲            │  │ its time is over
 *     │      │ reserve    │  ▼
 *     │      └─────────────lapsed
 *     │ not enough        │    │
 *     ▼                   ▼ release
 *   refused            released
 * ```
 * Sold, released and refused are for good. So whoever repeats a wish, in whatever order, after whatever crash, never
 * gets another answer than the first one, and nothing is taken twice.
 */
const moves: Readonly<Record<Reservation['state'], Readonly<Record<Wish['wish'], Move>>>> = {
  none: { reserve: 'take', commit: 'stay', release: 'close' },
  held: { reserve: 'stay', commit: 'sell', release: 'giveBack' },
  lapsed: { reserve: 'take', commit: 'stay', release: 'close' },
  sold: { reserve: 'stay', commit: 'stay', release: 'stay' },
  released: { reserve: 'stay', commit: 'stay', release: 'stay' },
  refused: { reserve: 'stay', commit: 'stay', release: 'stay' },
};

/** What a wish does, given what became of the order's stock so far. */
export function moveFor({ state }: Reservation, { wish }: Wish): Move {
  return moves[state][wish];
}
