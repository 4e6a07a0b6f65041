import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { products } from '../services/catalog/assortment.ts';

interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** What two databases say of one product. */
export interface Book {
  readonly delivered: number;
  readonly left: number;
  /** Taken from the shelf for orders that are not decided. */
  readonly held: number;
  readonly sold: number;
  /** In orders that were placed. */
  readonly placed: number;
}

/**
 * The books of the shop, read from its files by their tables: what was delivered is left, held or sold, and exactly what
 * was sold stands in placed orders, unless orders are still on their way.
 */
export function booksOf(catalogFile: string, orderFile: string, { settled }: { settled: boolean }): Map<string, Book> {
  const catalog = new DatabaseSync(catalogFile, { readOnly: true });
  const orders = new DatabaseSync(orderFile, { readOnly: true });
  try {
    const held = count(catalog, `SELECT lines FROM reservation WHERE state = 'held'`);
    const sold = count(catalog, `SELECT lines FROM reservation WHERE state = 'sold'`);
    const placed = count(orders, `SELECT lines FROM purchase WHERE status = 'placed'`);
    const books = new Map<string, Book>();
    for (const { id, stock: delivered } of products) {
      const row = catalog.prepare('SELECT stock FROM product WHERE id = ?').get(id) as { stock: number };
      const of = (counted: Map<string, number>): number => counted.get(id) ?? 0;
      const book = { delivered, left: row.stock, held: of(held), sold: of(sold), placed: of(placed) };
      assert.ok(book.left >= 0, `${id}: less than nothing is left`);
      assert.equal(book.delivered, book.left + book.held + book.sold, `${id}: ${JSON.stringify(book)}`);
      assert.ok(book.placed <= book.sold, `${id}: more was placed than sold: ${JSON.stringify(book)}`);
      if (settled) assert.equal(book.placed, book.sold, `${id}: ${JSON.stringify(book)}`);
      if (settled) assert.equal(book.held, 0, `${id}: ${JSON.stringify(book)}`);
      books.set(id, book);
    }
    return books;
  } finally {
    catalog.close();
    orders.close();
  }
}

function count(db: DatabaseSync, query: string): Map<string, number> {
  const counted = new Map<string, number>();
  for (const { lines } of db.prepare(query).all() as unknown as { lines: string }[]) {
    for (const { productId, quantity } of JSON.parse(lines) as Line[]) {
      counted.set(productId, (counted.get(productId) ?? 0) + quantity);
    }
  }
  return counted;
}
