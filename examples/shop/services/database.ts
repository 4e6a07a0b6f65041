import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** How long one copy of a service waits for another one to finish with the file. */
const busyMs = 2_000;

/**
 * Opens an SQLite file that several processes use: write-ahead log, waiting instead of failing while another one
 * writes.
 * @param file a path; its folder is made.
 * @param schema statements that may run again and again.
 */
export function openDatabase(file: string, schema: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { timeout: busyMs });
  writeAhead(db);
  inTransaction(db, () => db.exec(schema));
  return db;
}

/** Runs `work` alone among all processes, and keeps what it did unless it throws. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (thrown) {
    db.exec('ROLLBACK');
    throw thrown;
  }
}

/** The switch of a new file is refused at once, without waiting, while another process makes it too: it is tried again. */
function writeAhead(db: DatabaseSync): void {
  const pauseMs = 20;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = busyMs / pauseMs; ; tries--) {
    try {
      db.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (thrown) {
      if (tries <= 0 || !(thrown instanceof Error) || !/locked/.test(thrown.message)) throw thrown;
      Atomics.wait(pause, 0, 0, pauseMs);
    }
  }
}
