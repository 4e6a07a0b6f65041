import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../database.ts';
import { type Attempts, allowances, begun, succeeded, waitMs } from './attempts.ts';

/** Counts attempts to sign in and to sign up. On disk, so that a restart forgives nothing; bounded, so that it stays small. */
export interface AttemptStore {
  /** Counts an attempt. @returns the milliseconds to wait before one may be made; above 0 none was counted. */
  beginSignIn(email: string, address: string, now: number): number;
  signedIn(email: string, address: string): void;
  beginSignUp(address: string, now: number): number;
}

export const attemptSchema = `
  CREATE TABLE IF NOT EXISTS attempt (
    key TEXT PRIMARY KEY, failures INTEGER NOT NULL, lastAt INTEGER NOT NULL, familiar INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS attemptByTime ON attempt (lastAt);
`;

/** Keys that are remembered; beyond that, the ones that were used least lately are forgotten. */
const maxKeys = 50_000;

interface Row extends Attempts {
  /** Somebody has signed in with this pair of account and address. */
  readonly familiar: number;
}

/** Addresses and e-mail addresses hold no blank, so no pair reads like another one. */
const pairKey = (email: string, address: string): string => `pair ${email} ${address}`;
const accountKey = (email: string): string => `account ${email}`;
const addressKey = (address: string): string => `address ${address}`;

export function openAttempts(db: DatabaseSync, limit = maxKeys): AttemptStore {
  const select = db.prepare(`SELECT failures, lastAt, familiar FROM attempt WHERE key = ?`);
  const upsert = db.prepare(`INSERT OR REPLACE INTO attempt (key, failures, lastAt, familiar) VALUES (?, ?, ?, ?)`);
  const trim = db.prepare(
    `DELETE FROM attempt WHERE key IN (SELECT key FROM attempt ORDER BY lastAt DESC LIMIT -1 OFFSET ?)`,
  );
  const get = (key: string): Row | undefined => select.get(key) as Row | undefined;
  const put = (key: string, { failures, lastAt }: Attempts, familiar = get(key)?.familiar ?? 0): void =>
    void upsert.run(key, failures, lastAt, familiar);
  const count = (keys: readonly string[], now: number): void => {
    for (const key of keys) put(key, begun(get(key), now));
    trim.run(limit);
  };
  return {
    beginSignIn: (email, address, now) =>
      inTransaction(db, () => {
        const pair = get(pairKey(email, address));
        const wait = Math.max(
          waitMs(pair, allowances.pair, now),
          waitMs(get(addressKey(address)), allowances.address, now),
          pair?.familiar ? 0 : waitMs(get(accountKey(email)), allowances.account, now),
        );
        if (wait === 0) count([pairKey(email, address), addressKey(address), accountKey(email)], now);
        return wait;
      }),
    signedIn: (email, address) =>
      inTransaction(db, () => {
        const pair = get(pairKey(email, address));
        put(pairKey(email, address), { failures: 0, lastAt: pair?.lastAt ?? 0 }, 1);
        // Not set to nothing: whoever has one account must not clear what this address did to others.
        for (const key of [addressKey(address), accountKey(email)]) put(key, succeeded(get(key)));
      }),
    beginSignUp: (address, now) =>
      inTransaction(db, () => {
        const key = `sign-up ${address}`;
        const wait = waitMs(get(key), allowances.signUp, now);
        if (wait === 0) count([key], now);
        return wait;
      }),
  };
}
