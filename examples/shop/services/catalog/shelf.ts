import type { DatabaseSync } from 'node:sqlite';
import { FlotillaError } from 'flotilla';
import type { Delivered, Item, Line } from '../../contracts/stock.ts';
import { inTransaction } from '../database.ts';
import { moveFor, type Refusal, type Reservation, type Wish } from './reservation.ts';

/** Who takes stock, and gives it back. All of an order, or nothing of it. */
export interface Shelf {
  /**
   * Does what an order wishes, in one step with looking what became of it before. Whose time is over has lapsed by then.
   * @param now milliseconds since the epoch
   */
  wish(orderId: string, wish: Wish, now: number): Reservation;
  /**
   * Takes in what a supplier brought, once for each line of a note.
   * @returns the lines that were new
   * @throws FlotillaError PRODUCT_UNKNOWN, NOT_STORED; then nothing was taken in
   */
  deliver(lines: readonly Delivered[]): readonly Delivered[];
  /** Gives back what was held for too long, and forgets what nobody will ask for any more. */
  sweep(now: number): void;
}

export const shelfSchema = `
  CREATE TABLE IF NOT EXISTS reservation (
    orderId TEXT PRIMARY KEY, state TEXT NOT NULL, lines TEXT NOT NULL, refusal TEXT, expiresAt INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS reservationByTime ON reservation (state, expiresAt);
  CREATE TABLE IF NOT EXISTS delivery (
    note TEXT NOT NULL, productId TEXT NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (note, productId)
  ) STRICT, WITHOUT ROWID;
`;

/** Long enough for an order to go on after a restart of its service, short enough not to keep others waiting. */
export const holdMs = 60_000;

/** An order that has been given up is asked for no more: far longer than any order is tried. */
const forgetMs = 24 * 3_600_000;

interface Stocked {
  readonly name: string;
  readonly priceCents: number;
  readonly stock: number;
}

interface Row {
  readonly orderId: string;
  readonly state: Exclude<Reservation['state'], 'none'>;
  readonly lines: string;
  readonly refusal: string | null;
  readonly expiresAt: number;
}

/** The shelf of a catalog's database. @param find a product as it is now. */
export function openShelf(db: DatabaseSync, find: (id: string) => Stocked | undefined): Shelf {
  const takeOne = db.prepare(`UPDATE product SET stock = stock - ? WHERE id = ? AND stock >= ?`);
  const putBack = db.prepare(`UPDATE product SET stock = stock + ? WHERE id = ?`);
  const select = db.prepare(`SELECT * FROM reservation WHERE orderId = ?`);
  const late = db.prepare(`SELECT * FROM reservation WHERE state = 'held' AND expiresAt <= ?`);
  const forget = db.prepare(
    `DELETE FROM reservation WHERE state IN ('lapsed', 'released', 'refused') AND expiresAt <= ?`,
  );
  const keep = db.prepare(
    `INSERT OR REPLACE INTO reservation (orderId, state, lines, refusal, expiresAt) VALUES (?, ?, ?, ?, ?)`,
  );

  const addLine = db.prepare(`INSERT OR IGNORE INTO delivery (note, productId, quantity) VALUES (?, ?, ?)`);

  const save = (orderId: string, made: Exclude<Reservation, { state: 'none' }>, expiresAt: number): Reservation => {
    const lines = 'lines' in made ? made.lines : [];
    const refusal = made.state === 'refused' ? JSON.stringify(made.refusal) : null;
    keep.run(orderId, made.state, JSON.stringify(lines), refusal, expiresAt);
    return made;
  };
  const giveBack = (lines: readonly Line[]): void => {
    for (const { productId, quantity } of lines) putBack.run(quantity, productId);
  };
  const lapse = (now: number): void => {
    for (const row of late.all(now) as unknown as Row[]) {
      giveBack(linesOf(row));
      save(row.orderId, { state: 'lapsed' }, row.expiresAt);
    }
  };
  const take = ({ productId, quantity }: Item): Line | Refusal => {
    // One statement looks and takes; the table's own check would refuse less than nothing.
    const { changes } = takeOne.run(quantity, productId, quantity);
    const found = find(productId);
    if (!found) return { kind: 'unknown', id: productId };
    if (changes === 0) return { kind: 'soldOut', id: productId, left: found.stock };
    return { productId, name: found.name, priceCents: found.priceCents, quantity };
  };
  const takeAll = (items: readonly Item[]): Reservation & { state: 'held' | 'refused' } => {
    const lines: Line[] = [];
    for (const item of items) {
      const taken = take(item);
      if ('kind' in taken) {
        giveBack(lines);
        return { state: 'refused', refusal: amongOwn(taken, lines) };
      }
      lines.push(taken);
    }
    return { state: 'held', lines, expiresAt: 0 };
  };

  return {
    wish: (orderId, wish, now) =>
      inTransaction(db, () => {
        lapse(now);
        const before = reservationOf(select.get(orderId) as Row | undefined);
        switch (moveFor(before, wish)) {
          case 'take': {
            const expiresAt = now + holdMs;
            const made = takeAll(wish.wish === 'reserve' ? wish.items : []);
            return save(orderId, made.state === 'held' ? { ...made, expiresAt } : made, expiresAt);
          }
          case 'sell':
            return save(orderId, { state: 'sold', lines: 'lines' in before ? before.lines : [] }, now);
          case 'giveBack':
            giveBack('lines' in before ? before.lines : []);
            return save(orderId, { state: 'released' }, now);
          case 'close':
            return save(orderId, { state: 'released' }, now);
          case 'stay':
            return before;
        }
      }),
    deliver: (lines) =>
      inTransaction(db, () =>
        lines.filter(({ note, productId, quantity }) => {
          if (addLine.run(note, productId, quantity).changes === 0) return false;
          if (putBack.run(quantity, productId).changes === 1) return true;
          const data = { id: productId };
          throw new FlotillaError('PRODUCT_UNKNOWN', `there is no product "${productId}"`, { data, executed: 'no' });
        }),
      ),
    sweep: (now) =>
      inTransaction(db, () => {
        lapse(now);
        forget.run(now - forgetMs);
      }),
  };
}

/** One product may stand on two lines of an order: what is left includes what its other line had for a moment. */
function amongOwn(refusal: Refusal, lines: readonly Line[]): Refusal {
  if (refusal.kind === 'unknown') return refusal;
  const own = lines.filter(({ productId }) => productId === refusal.id);
  return { ...refusal, left: own.reduce((left, { quantity }) => left + quantity, refusal.left) };
}

function reservationOf(row: Row | undefined): Reservation {
  if (!row) return { state: 'none' };
  switch (row.state) {
    case 'held':
      return { state: 'held', lines: linesOf(row), expiresAt: row.expiresAt };
    case 'sold':
      return { state: 'sold', lines: linesOf(row) };
    case 'refused':
      return { state: 'refused', refusal: JSON.parse(row.refusal ?? '{}') as Refusal };
    default:
      return { state: row.state };
  }
}

function linesOf({ lines }: Row): Line[] {
  return JSON.parse(lines) as Line[];
}
