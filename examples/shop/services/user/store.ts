import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Person } from '../../contracts/user.ts';
import { type DatabaseSettings, inTransaction, openDatabase } from '../database.ts';
import { type AttemptStore, attemptSchema, openAttempts } from './attempt-store.ts';
import { guests } from './guests.ts';
import { unguessable } from './password.ts';

/** People and their sessions. */
export interface UserStore {
  readonly attempts: AttemptStore;
  /** @returns undefined when somebody has this e-mail address. */
  add(person: Omit<Person, 'id'>, secret: string, now: number): Person | undefined;
  byEmail(email: string): (Person & { readonly secret: string }) | undefined;
  /** Keeps a person's password anew. */
  setSecret(id: string, secret: string): void;
  name(id: string): string | undefined;
  /** @returns the token; only its hash is kept. */
  openSession(personId: string, expiresAt: number): string;
  seen(token: string, now: number): Person | undefined;
  endSession(token: string): void;
  sweep(now: number): void;
  close(): void;
}

/** Devices on which one person is signed in; the session that ends first gives way. */
const maxSessions = 20;

const schema = `
  CREATE TABLE IF NOT EXISTS person (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, secret TEXT NOT NULL, since INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS session (
    hash TEXT PRIMARY KEY, personId TEXT NOT NULL REFERENCES person (id), expiresAt INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS sessionOfPerson ON session (personId, expiresAt);
  CREATE INDEX IF NOT EXISTS sessionByTime ON session (expiresAt);
  ${attemptSchema}
`;

export function openUserStore(settings: DatabaseSettings): UserStore {
  const db = openDatabase(settings, schema);
  return { attempts: openAttempts(db), ...people(db), ...sessions(db), close: () => db.close() };
}

function people(db: DatabaseSync): Pick<UserStore, 'add' | 'byEmail' | 'setSecret' | 'name'> {
  const insert = db.prepare(
    `INSERT INTO person (id, email, name, secret, since) VALUES (?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING`,
  );
  const byEmail = db.prepare(`SELECT id, email, name, secret FROM person WHERE email = ?`);
  const update = db.prepare(`UPDATE person SET secret = ? WHERE id = ?`);
  const nameOf = db.prepare(`SELECT name FROM person WHERE id = ?`);
  const addGuest = db.prepare(`INSERT OR IGNORE INTO person (id, email, name, secret, since) VALUES (?, ?, ?, ?, 0)`);
  inTransaction(db, () => {
    for (const { id, name } of guests) addGuest.run(id, `${id}@guests.invalid`, name, unguessable());
  });
  return {
    add: ({ name, email }, secret, now) =>
      inTransaction(db, () => {
        const id = randomBytes(12).toString('base64url');
        return insert.run(id, email, name, secret, now).changes === 1 ? { id, name, email } : undefined;
      }),
    byEmail(email) {
      const found = byEmail.get(email) as ReturnType<UserStore['byEmail']>;
      return found && { ...found };
    },
    setSecret: (id, secret) => inTransaction(db, () => void update.run(secret, id)),
    name: (id) => (nameOf.get(id) as { name: string } | undefined)?.name,
  };
}

function sessions(db: DatabaseSync): Pick<UserStore, 'openSession' | 'seen' | 'endSession' | 'sweep'> {
  const insert = db.prepare(`INSERT INTO session (hash, personId, expiresAt) VALUES (?, ?, ?)`);
  const trim = db.prepare(
    `DELETE FROM session WHERE hash IN
       (SELECT hash FROM session WHERE personId = ? ORDER BY expiresAt DESC LIMIT -1 OFFSET ?)`,
  );
  const select = db.prepare(
    `SELECT id, name, email FROM session JOIN person ON id = personId WHERE hash = ? AND expiresAt > ?`,
  );
  const end = db.prepare(`DELETE FROM session WHERE hash = ?`);
  const expire = db.prepare(`DELETE FROM session WHERE expiresAt <= ?`);
  return {
    openSession: (personId, expiresAt) =>
      inTransaction(db, () => {
        const token = randomBytes(32).toString('base64url');
        insert.run(hashOf(token), personId, expiresAt);
        trim.run(personId, maxSessions);
        return token;
      }),
    seen(token, now) {
      const person = select.get(hashOf(token), now) as Person | undefined;
      return person && { ...person };
    },
    endSession: (token) => inTransaction(db, () => void end.run(hashOf(token))),
    sweep: (now) => inTransaction(db, () => void expire.run(now)),
  };
}

/** 256 random bits need no salt and no slowness. Looked up by hash, so that timing tells nothing of a token. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
