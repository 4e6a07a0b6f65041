import { randomBytes } from 'node:crypto';
import { FlotillaError } from 'flotilla';
import type { NewOrder } from '../../contracts/order.ts';
import type { Line } from '../../contracts/stock.ts';
import { type DatabaseSettings, inTransaction, openDatabase } from '../database.ts';

/** What a person wants. Its key belongs to one basket of this person: sent again, it means the same order. */
export type Wanted = NewOrder & { readonly userId: string };

/** Why nothing was taken. */
export interface Refusal {
  readonly code: string;
  readonly data?: unknown;
}

/** An order, whatever became of it. */
export interface Purchase extends Wanted {
  readonly id: string;
  /** `pending`: written, not decided. */
  readonly status: 'pending' | 'placed' | 'refused';
  readonly lines: Line[];
  readonly refusal: Refusal | undefined;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** An order that the kitchen has to make. */
export interface Ticket {
  readonly number: number;
  readonly orderId: string;
  readonly lines: Line[];
}

/** The orders. Several processes may have the same file open. What a method has returned is on the disk. */
export interface OrderStore {
  /**
   * Writes down what is wanted; a second time for one key it gives what became of the first.
   * @throws FlotillaError KEY_REUSED when the key belongs to other things; NOT_STORED
   */
  write(wanted: Wanted, now: number): Purchase;
  /** Says what was sold. */
  place(id: string, lines: readonly Line[]): Purchase;
  /** Says why nothing was taken, unless it was placed. */
  refuse(id: string, refusal: Refusal): Purchase;
  /** The oldest orders that are not decided. */
  unfinished(): Purchase[];
  /** Of orders that were placed after the one with that number, in their order. */
  tickets(after: number, limit: number): Ticket[];
  find(id: string, userId: string): Purchase | undefined;
  /** The latest first. */
  history(userId: string, limit: number): Purchase[];
  /** How many orders of a person have had a product. */
  bought(userId: string, productId: string): number;
  close(): void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS purchase (
    id TEXT PRIMARY KEY, userId TEXT NOT NULL, key TEXT NOT NULL, wanted TEXT NOT NULL, status TEXT NOT NULL,
    lines TEXT NOT NULL, refusal TEXT, writtenAt INTEGER NOT NULL, UNIQUE (userId, key)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS purchaseOfPerson ON purchase (userId, writtenAt);
  CREATE INDEX IF NOT EXISTS purchaseUnfinished ON purchase (writtenAt) WHERE status = 'pending';
  CREATE TABLE IF NOT EXISTS sale (
    userId TEXT NOT NULL, productId TEXT NOT NULL, orderId TEXT NOT NULL, PRIMARY KEY (userId, productId, orderId)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ticket (
    number INTEGER PRIMARY KEY AUTOINCREMENT, orderId TEXT NOT NULL UNIQUE
  ) STRICT;
`;

interface Row {
  readonly id: string;
  readonly userId: string;
  readonly key: string;
  readonly wanted: string;
  readonly status: Purchase['status'];
  readonly lines: string;
  readonly refusal: string | null;
  readonly writtenAt: number;
}

export function openOrderStore(settings: DatabaseSettings): OrderStore {
  const db = openDatabase(settings, schema);
  const insert = db.prepare(
    `INSERT INTO purchase (id, userId, key, wanted, status, lines, writtenAt) VALUES (?, ?, ?, ?, 'pending', '[]', ?)`,
  );
  const byKey = db.prepare(`SELECT * FROM purchase WHERE userId = ? AND key = ?`);
  const byId = db.prepare(`SELECT * FROM purchase WHERE id = ?`);
  const ofPerson = db.prepare(`SELECT * FROM purchase WHERE id = ? AND userId = ?`);
  const latest = db.prepare(`SELECT * FROM purchase WHERE userId = ? ORDER BY writtenAt DESC, rowid DESC LIMIT ?`);
  const pending = db.prepare(`SELECT * FROM purchase WHERE status = 'pending' ORDER BY writtenAt LIMIT 100`);
  const setPlaced = db.prepare(`UPDATE purchase SET status = 'placed', lines = ?, refusal = NULL WHERE id = ?`);
  const setRefused = db.prepare(
    `UPDATE purchase SET status = 'refused', refusal = ? WHERE id = ? AND status = 'pending'`,
  );
  const addSale = db.prepare(`INSERT OR IGNORE INTO sale (userId, productId, orderId) VALUES (?, ?, ?)`);
  const addTicket = db.prepare(`INSERT OR IGNORE INTO ticket (orderId) VALUES (?)`);
  const ticketsAfter = db.prepare(
    `SELECT number, orderId, lines FROM ticket JOIN purchase ON id = orderId WHERE number > ? ORDER BY number LIMIT ?`,
  );
  const countSales = db.prepare(`SELECT count(*) AS times FROM sale WHERE userId = ? AND productId = ?`);
  const stored = (id: string): Purchase => purchaseOf(byId.get(id) as unknown as Row);

  return {
    write: ({ userId, key, customer, address, items }, now) =>
      inTransaction(db, () => {
        const wanted = JSON.stringify({ customer, address, items });
        const before = byKey.get(userId, key) as unknown as Row | undefined;
        if (before && before.wanted !== wanted) {
          throw new FlotillaError('KEY_REUSED', 'this key was sent with another order', { executed: 'no' });
        }
        if (before) return purchaseOf(before);
        const id = randomBytes(16).toString('base64url'); // 128 bits: nobody guesses another's order
        insert.run(id, userId, key, wanted, now);
        return stored(id);
      }),
    place: (id, lines) =>
      inTransaction(db, () => {
        setPlaced.run(JSON.stringify(lines), id);
        const placed = stored(id);
        for (const { productId } of lines) addSale.run(placed.userId, productId, id);
        addTicket.run(id);
        return placed;
      }),
    refuse: (id, refusal) =>
      inTransaction(db, () => {
        setRefused.run(JSON.stringify(refusal), id);
        return stored(id);
      }),
    unfinished: () => pending.all().map((row) => purchaseOf(row as unknown as Row)),
    tickets: (after, limit) =>
      ticketsAfter.all(after, limit).map((row) => {
        const { number, orderId, lines } = row as { number: number; orderId: string; lines: string };
        return { number, orderId, lines: JSON.parse(lines) as Line[] };
      }),
    find(id, userId) {
      const row = ofPerson.get(id, userId) as unknown as Row | undefined;
      return row && purchaseOf(row);
    },
    history: (userId, limit) => latest.all(userId, limit).map((row) => purchaseOf(row as unknown as Row)),
    bought: (userId, productId) => (countSales.get(userId, productId) as { times: number }).times,
    close: () => db.close(),
  };
}

function purchaseOf({ id, userId, key, wanted, status, lines, refusal, writtenAt }: Row): Purchase {
  const { customer, address, items } = JSON.parse(wanted) as Pick<Wanted, 'customer' | 'address' | 'items'>;
  return {
    ...{ id, userId, key, customer, address, items, status, writtenAt },
    lines: JSON.parse(lines) as Line[],
    refusal: refusal === null ? undefined : (JSON.parse(refusal) as Refusal),
  };
}
