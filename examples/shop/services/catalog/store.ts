import type { DatabaseSync } from 'node:sqlite';
import { inTransaction, openDatabase } from '../database.ts';
import { categories, products } from './assortment.ts';

export interface Category {
  readonly id: string;
  readonly name: string;
}

export interface Product {
  readonly id: string;
  readonly category: string;
  readonly name: string;
  readonly description: string;
  readonly priceCents: number;
  readonly stock: number;
}

export interface Item {
  readonly productId: string;
  readonly quantity: number;
}

export interface Line {
  readonly productId: string;
  readonly name: string;
  readonly priceCents: number;
  readonly quantity: number;
}

/** What came of taking stock. */
export type Taking =
  | { readonly kind: 'taken'; readonly lines: Line[] }
  | { readonly kind: 'unknown'; readonly id: string }
  | { readonly kind: 'soldOut'; readonly id: string; readonly left: number };

/** The products and their stock. Several processes may have the same file open. */
export interface CatalogStore {
  categories(): Category[];
  products(category: string | undefined, limit: number): Product[];
  product(id: string): Product | undefined;
  /** Takes everything or nothing. A second time for one order gives the first answer and takes nothing. */
  take(orderId: string, items: readonly Item[]): Taking;
  close(): void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS category (id TEXT PRIMARY KEY, name TEXT NOT NULL, position INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS product (
    id TEXT PRIMARY KEY, category TEXT NOT NULL REFERENCES category (id), name TEXT NOT NULL,
    description TEXT NOT NULL, priceCents INTEGER NOT NULL, stock INTEGER NOT NULL CHECK (stock >= 0)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS taken (orderId TEXT PRIMARY KEY, lines TEXT NOT NULL) STRICT;
`;

/** @param file a path; its folder is made. */
export function openCatalogStore(file: string): CatalogStore {
  const db = openDatabase(file, schema);
  seed(db);
  const all = db.prepare(`SELECT * FROM product ORDER BY rowid LIMIT ?`);
  const inCategory = db.prepare(`SELECT * FROM product WHERE category = ? ORDER BY rowid LIMIT ?`);
  const one = db.prepare(`SELECT * FROM product WHERE id = ?`);
  const takeOne = db.prepare(`UPDATE product SET stock = stock - ? WHERE id = ? AND stock >= ?`);
  const takenBefore = db.prepare(`SELECT lines FROM taken WHERE orderId = ?`);
  const remember = db.prepare(`INSERT INTO taken (orderId, lines) VALUES (?, ?)`);
  const product = (id: string): Product | undefined => one.get(id) as Product | undefined;
  const takeItem = ({ productId, quantity }: Item): Line => {
    // One statement checks and takes, so two processes cannot both see the last piece.
    const { changes } = takeOne.run(quantity, productId, quantity);
    const found = product(productId);
    if (!found) throw new CannotTake({ kind: 'unknown', id: productId });
    if (changes === 0) throw new CannotTake({ kind: 'soldOut', id: productId, left: found.stock });
    return { productId, name: found.name, priceCents: found.priceCents, quantity };
  };

  return {
    categories: () => db.prepare(`SELECT id, name FROM category ORDER BY position`).all() as unknown as Category[],
    products: (category, limit) =>
      (category === undefined ? all.all(limit) : inCategory.all(category, limit)) as unknown as Product[],
    product,
    take(orderId, items) {
      try {
        return inTransaction(db, () => {
          const before = takenBefore.get(orderId) as { lines: string } | undefined;
          if (before) return { kind: 'taken', lines: JSON.parse(before.lines) as Line[] };
          const lines = items.map(takeItem);
          remember.run(orderId, JSON.stringify(lines));
          return { kind: 'taken', lines };
        });
      } catch (thrown) {
        if (thrown instanceof CannotTake) return thrown.taking;
        throw thrown;
      }
    },
    close: () => db.close(),
  };
}

/** Ends the transaction, so that nothing of the order is taken. */
class CannotTake extends Error {
  readonly taking: Taking;

  constructor(taking: Taking) {
    super(taking.kind);
    this.taking = taking;
  }
}

function seed(db: DatabaseSync): void {
  const addCategory = db.prepare(`INSERT OR IGNORE INTO category (id, name, position) VALUES (?, ?, ?)`);
  const addProduct = db.prepare(
    `INSERT OR IGNORE INTO product (id, category, name, description, priceCents, stock) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  inTransaction(db, () => {
    for (const [position, { id, name }] of categories.entries()) addCategory.run(id, name, position);
    for (const { id, category, name, description, priceCents, stock } of products) {
      addProduct.run(id, category, name, description, priceCents, stock);
    }
  });
}
