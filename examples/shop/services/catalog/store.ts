import type { DatabaseSync } from 'node:sqlite';
import type { Category, Product } from '../../contracts/catalog.ts';
import { type DatabaseSettings, inTransaction, openDatabase } from '../database.ts';
import { categories, products } from './assortment.ts';
import { openShelf, type Shelf, shelfSchema } from './shelf.ts';

/** The products and their stock. Several processes may have the same file open. */
export interface CatalogStore {
  /** Who takes from the stock. */
  readonly shelf: Shelf;
  categories(): Category[];
  products(category: string | undefined, limit: number): Product[];
  /** In the order of `ids`; unknown ones are left out. */
  some(ids: readonly string[]): Product[];
  product(id: string): Product | undefined;
  search(text: string, limit: number): Product[];
  /** Adds to how often each product was looked at; unknown ones are left out. */
  countViews(views: ReadonlyMap<string, number>): void;
  /** Ids of the products that were looked at most. */
  popular(limit: number): string[];
  close(): void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS category (id TEXT PRIMARY KEY, name TEXT NOT NULL, position INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS product (
    id TEXT PRIMARY KEY, category TEXT NOT NULL REFERENCES category (id), name TEXT NOT NULL,
    description TEXT NOT NULL, tags TEXT NOT NULL, priceCents INTEGER NOT NULL,
    stock INTEGER NOT NULL CHECK (stock >= 0), searched TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS viewed (
    productId TEXT PRIMARY KEY REFERENCES product (id), times INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  ${shelfSchema}
`;

/** More words make no search better. */
const maxWords = 8;

export function openCatalog(settings: DatabaseSettings): CatalogStore {
  const db = openDatabase(settings, schema);
  seed(db);
  const all = db.prepare(`SELECT * FROM product ORDER BY rowid LIMIT ?`);
  const inCategory = db.prepare(`SELECT * FROM product WHERE category = ? ORDER BY rowid LIMIT ?`);
  const one = db.prepare(`SELECT * FROM product WHERE id = ?`);
  const ofAll = db.prepare(`SELECT id, name FROM category ORDER BY position`);
  const addViews = db.prepare(
    `INSERT INTO viewed (productId, times) SELECT id, ? FROM product WHERE id = ?
     ON CONFLICT (productId) DO UPDATE SET times = times + excluded.times`,
  );
  const mostViewed = db.prepare(`SELECT productId FROM viewed ORDER BY times DESC, productId LIMIT ?`);
  const product = (id: string): Product | undefined => {
    const row = one.get(id);
    return row && productOf(row as unknown as Row);
  };
  return {
    shelf: openShelf(db, product),
    categories: () => ofAll.all() as unknown as Category[],
    products: (category, limit) =>
      (category === undefined ? all.all(limit) : inCategory.all(category, limit)).map((row) =>
        productOf(row as unknown as Row),
      ),
    some: (ids) => ids.flatMap((id) => product(id) ?? []),
    product,
    search: (text, limit) => search(db, folded(text).split(/\s+/).slice(0, maxWords), limit),
    countViews: (views) =>
      inTransaction(db, () => {
        for (const [id, times] of views) addViews.run(times, id);
      }),
    popular: (limit) => mostViewed.all(limit).map((row) => (row as { productId: string }).productId),
    close: () => db.close(),
  };
}

interface Row extends Omit<Product, 'tags'> {
  readonly tags: string;
}

function productOf({ id, category, name, description, tags, priceCents, stock }: Row): Product {
  return { id, category, name, description, tags: JSON.parse(tags) as string[], priceCents, stock };
}

/** Every word has to be found; where it is in the name, the product comes first. */
function search(db: DatabaseSync, words: readonly string[], limit: number): Product[] {
  const found = words.map(() => `instr(searched, ?) > 0`).join(' AND ');
  const statement = `SELECT * FROM product WHERE ${found}
    ORDER BY instr(substr(searched, 1, instr(searched, char(10))), ?) = 0, rowid LIMIT ?`;
  const rows = db.prepare(statement).all(...words, words[0] ?? '', limit);
  return rows.map((row) => productOf(row as unknown as Row));
}

/** Small letters without accents: whoever looks for "creme" finds "Crème". */
function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
    .trim();
}

function seed(db: DatabaseSync): void {
  const addCategory = db.prepare(`INSERT OR IGNORE INTO category (id, name, position) VALUES (?, ?, ?)`);
  const addProduct = db.prepare(
    `INSERT OR IGNORE INTO product (id, category, name, description, tags, priceCents, stock, searched)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  inTransaction(db, () => {
    for (const [position, { id, name }] of categories.entries()) addCategory.run(id, name, position);
    for (const { id, category, name, description, tags, priceCents, stock } of products) {
      const of = categories.find((one) => one.id === category)?.name ?? '';
      const searched = folded([name, description, ...tags, of].join('\n'));
      addProduct.run(id, category, name, description, JSON.stringify(tags), priceCents, stock, searched);
    }
  });
}
