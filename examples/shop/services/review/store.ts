import type { Rating } from '../../contracts/review.ts';
import { type DatabaseSettings, inTransaction, openDatabase } from '../database.ts';
import { firstReviews } from './first-reviews.ts';

export interface Review {
  readonly userId: string;
  readonly rating: number;
  readonly text: string;
  readonly bought: boolean;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** Reviews: one of each person for a product. */
export interface ReviewStore {
  write(productId: string, review: Review): void;
  /** The latest first. */
  of(productId: string, limit: number): Review[];
  rating(productId: string): Rating;
  /** Which of the products a person has reviewed. */
  by(userId: string, productIds: readonly string[]): string[];
  close(): void;
}

/** The first reviews are from the weeks before it: milliseconds since the epoch. */
const openingDay = Date.UTC(2026, 8, 1, 12);

const schema = `
  CREATE TABLE IF NOT EXISTS review (
    productId TEXT NOT NULL, userId TEXT NOT NULL, rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
    text TEXT NOT NULL, bought INTEGER NOT NULL, writtenAt INTEGER NOT NULL, PRIMARY KEY (productId, userId)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS reviewByTime ON review (productId, writtenAt);
`;

export function openReviewStore(settings: DatabaseSettings): ReviewStore {
  const db = openDatabase(settings, schema);
  const upsert = db.prepare(
    `INSERT OR REPLACE INTO review (productId, userId, rating, text, bought, writtenAt) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const latest = db.prepare(
    `SELECT userId, rating, text, bought, writtenAt FROM review WHERE productId = ? ORDER BY writtenAt DESC LIMIT ?`,
  );
  const average = db.prepare(
    `SELECT coalesce(round(avg(rating), 1), 0.0) AS average, count(*) AS count FROM review WHERE productId = ?`,
  );
  const first = db.prepare(
    `INSERT OR IGNORE INTO review (productId, userId, rating, text, bought, writtenAt) VALUES (?, ?, ?, ?, 1, ?)`,
  );
  inTransaction(db, () => {
    for (const [index, [productId, guest, rating, text]] of firstReviews.entries())
      first.run(productId, guest, rating, text, openingDay - index * 86_400_000);
  });
  const one = db.prepare(`SELECT 1 FROM review WHERE productId = ? AND userId = ?`);
  return {
    write: (productId, { userId, rating, text, bought, writtenAt }) =>
      inTransaction(db, () => void upsert.run(productId, userId, rating, text, bought ? 1 : 0, writtenAt)),
    of: (productId, limit) =>
      latest.all(productId, limit).map((row) => {
        const review = row as unknown as Review;
        return { ...review, bought: Boolean(review.bought) };
      }),
    rating: (productId) => ({ ...(average.get(productId) as unknown as Rating) }),
    by: (userId, productIds) => productIds.filter((productId) => one.get(productId, userId) !== undefined),
    close: () => db.close(),
  };
}
