import { openDatabase } from '../database.ts';

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly address: string;
  readonly lines: { productId: string; name: string; priceCents: number; quantity: number }[];
  readonly totalCents: number;
  readonly orderedAt: string;
}

/** The orders. Several processes may have the same file open. */
export interface OrderStore {
  add(order: Order): void;
  find(id: string): Order | undefined;
  close(): void;
}

/** @param file a path; its folder is made. */
export function openOrderStore(file: string): OrderStore {
  const db = openDatabase(
    file,
    `CREATE TABLE IF NOT EXISTS purchase (id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT`,
  );
  const insert = db.prepare(`INSERT INTO purchase (id, document) VALUES (?, ?)`);
  const select = db.prepare(`SELECT document FROM purchase WHERE id = ?`);
  return {
    add: (order) => void insert.run(order.id, JSON.stringify(order)),
    find(id) {
      const row = select.get(id) as { document: string } | undefined;
      return row && (JSON.parse(row.document) as Order);
    },
    close: () => db.close(),
  };
}
