import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What the databases of the shop say of one product. */
export interface Book {
  readonly left: number;
  /** In orders that exist. */
  readonly sold: number;
}

/** The books of a shop, read from its files: the services themselves are not asked. */
export class Books {
  readonly #catalog: DatabaseSync;
  readonly #orders: DatabaseSync;
  readonly #before = new Set<string>();

  constructor(dataFolder: string) {
    const open = (name: string): DatabaseSync =>
      new DatabaseSync(join(dataFolder, `${name}.sqlite`), { timeout: 10_000 });
    this.#catalog = open('catalog');
    this.#orders = open('order');
  }

  /** From now on only orders that are not written down yet count. */
  begin(): void {
    for (const { id } of this.#rows()) this.#before.add(id);
  }

  /** The shopkeeper puts a product on the shelf. */
  deliver(productId: string, pieces: number): void {
    const { changes } = this.#catalog
      .prepare('UPDATE product SET stock = stock + ? WHERE id = ?')
      .run(pieces, productId);
    if (changes !== 1) throw new Error(`the catalog has no "${productId}"`);
  }

  left(productId: string): number {
    const row = this.#catalog.prepare('SELECT stock FROM product WHERE id = ?').get(productId);
    return (row as { stock: number }).stock;
  }

  /** Ids of the orders that are placed, with what was bought; an order that is still undecided is none. */
  orders(): Map<string, readonly { readonly productId: string; readonly quantity: number }[]> {
    const placed = this.#rows().filter(({ status = 'placed' }) => status === 'placed');
    return new Map(
      placed.map((row) => [row.id, JSON.parse(row.lines ?? JSON.stringify(JSON.parse(row.document ?? '').lines))]),
    );
  }

  /** Orders that are written down and neither placed nor refused. */
  undecided(): number {
    return this.#rows().filter(({ status }) => status === 'pending').length;
  }

  of(productId: string): Book {
    const lines = [...this.orders().values()].flat().filter((line) => line.productId === productId);
    return { left: this.left(productId), sold: lines.reduce((sum, { quantity }) => sum + quantity, 0) };
  }

  #rows(): Row[] {
    const all = this.#orders.prepare('SELECT * FROM purchase').all() as unknown as Row[];
    return all.filter(({ id }) => !this.#before.has(id));
  }

  close(): void {
    this.#catalog.close();
    this.#orders.close();
  }
}

/** Either form of the table: with a document, or with columns. */
interface Row {
  readonly id: string;
  readonly status?: string;
  readonly lines?: string;
  readonly document?: string;
}
