import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FlotillaError, integer, text } from 'flotilla';

/** How long one copy of a service waits for another one to finish with the file. */
const busyMs = 2_000;

/** SQLite's default. */
const pageBytes = 4_096;

/** The write-ahead log is put into the file when it has so many pages: a disk that is nearly full has no room for more. */
const logPages = 100;

/** Of the tables of all services. A file of another version is not touched. */
const version = 2;

/** Where a service keeps its data, and how much of it. */
export interface DatabaseSettings {
  readonly dbFile: string;
  readonly maxDbBytes: number;
}

/** What a service that keeps data is told, besides its own settings. */
export function databaseSettings(name: string) {
  return {
    dbFile: text({ default: `.flotilla/data/${name}.sqlite`, restart: true, describe: 'where the data is kept' }),
    maxDbBytes: integer({
      default: 1_073_741_824,
      min: 65_536,
      restart: true,
      describe: 'the database does not grow beyond; then writing is refused and reading goes on',
    }),
  };
}

/**
 * Opens an SQLite file that several processes use: write-ahead log, waiting instead of failing while another one
 * writes. What was committed is on the disk, also after a power cut.
 * @param dbFile a path; its folder is made.
 * @param schema statements that may run again and again.
 * @throws FlotillaError START_FAILED for a file that another version of the shop made
 */
export function openDatabase({ dbFile, maxDbBytes }: DatabaseSettings, schema: string): DatabaseSync {
  mkdirSync(dirname(dbFile), { recursive: true });
  const db = new DatabaseSync(dbFile, { timeout: busyMs });
  writeAhead(db);
  db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${logPages}`);
  db.exec(`PRAGMA max_page_count = ${Math.floor(maxDbBytes / pageBytes)}`);
  try {
    inTransaction(db, () => {
      assertVersion(db, dbFile);
      db.exec(`${schema}; PRAGMA user_version = ${version}`);
    });
  } catch (thrown) {
    db.close();
    throw thrown;
  }
  return db;
}

/**
 * Runs `work` alone among all processes, and keeps what it did unless it throws.
 * @throws FlotillaError NOT_STORED when the file cannot be written: full, read-only, failing. Nothing has changed then.
 */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  try {
    db.exec('BEGIN IMMEDIATE');
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (thrown) {
    if (db.isTransaction) db.exec('ROLLBACK'); // a full disk ends it by itself
    throw notStored(thrown) ?? thrown;
  }
}

function assertVersion(db: DatabaseSync, dbFile: string): void {
  const { tables, made } = db
    .prepare(`SELECT count(*) AS tables, (SELECT user_version FROM pragma_user_version) AS made FROM sqlite_schema`)
    .get() as { readonly tables: number; readonly made: number };
  if (tables === 0 || made === version) return;
  const detail = `"${dbFile}" has tables of version ${made}, and this shop reads version ${version}: move the file away to begin anew`;
  throw new FlotillaError('START_FAILED', detail);
}

/** Primary result codes of SQLite (sqlite.org/rescode.html) that say that writing failed, and nobody's mistake did it. */
const failures: ReadonlyMap<number, string> = new Map([
  [5, 'the database is in use by another process for too long'],
  [8, 'the database cannot be written to'],
  [10, 'the disk failed'],
  [13, 'there is no room left'],
]);

function notStored(thrown: unknown): FlotillaError | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return undefined;
  const why = failures.get(thrown.errcode & 0xff);
  return why === undefined
    ? undefined
    : new FlotillaError('NOT_STORED', `nothing was changed: ${why}`, {
        cause: thrown,
        executed: 'no',
        httpStatus: 507,
      });
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
