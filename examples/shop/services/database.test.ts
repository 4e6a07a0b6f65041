import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { withFolder } from '../test/folder.ts';
import { inTransaction, openDatabase } from './database.ts';

const maxDbBytes = 65_536;
const schema = 'CREATE TABLE IF NOT EXISTS note (text TEXT NOT NULL) STRICT';

async function withFile(use: (dbFile: string) => void): Promise<void> {
  await withFolder((folder) => use(join(folder, 'new', 'notes.sqlite')));
}

test('a file can be opened again, and by two at a time; each commit is on the disk', async () => {
  await withFile((dbFile) => {
    const [first, second] = [
      openDatabase({ dbFile, maxDbBytes }, schema),
      openDatabase({ dbFile, maxDbBytes }, schema),
    ];
    inTransaction(first, () => first.exec(`INSERT INTO note VALUES ('kept')`));
    assert.equal(second.prepare('SELECT text FROM note').get()?.['text'], 'kept');
    assert.deepEqual(
      ['journal_mode', 'synchronous'].map((name) => Object.values(second.prepare(`PRAGMA ${name}`).get() ?? {})[0]),
      ['wal', 2],
    );
    first.close();
    second.close();
  });
});

test('what throws within a transaction leaves nothing behind', async () => {
  await withFile((dbFile) => {
    const db = openDatabase({ dbFile, maxDbBytes }, schema);
    const half = (): void => {
      db.exec(`INSERT INTO note VALUES ('half')`);
      throw new Error('in the middle');
    };
    assert.throws(() => inTransaction(db, half), /in the middle/);
    assert.equal(db.prepare('SELECT count(*) AS n FROM note').get()?.['n'], 0);
    db.close();
  });
});

test('a file that is full says so, changes nothing, and can be read', async () => {
  await withFile((dbFile) => {
    const db = openDatabase({ dbFile, maxDbBytes }, schema);
    const fill = (): void => {
      for (;;) db.exec(`INSERT INTO note VALUES ('${'x'.repeat(1_000)}')`);
    };
    assert.throws(() => inTransaction(db, fill), {
      code: 'NOT_STORED',
      httpStatus: 507,
      executed: 'no',
      detail: 'nothing was changed: there is no room left',
    });
    assert.equal(db.prepare('SELECT count(*) AS n FROM note').get()?.['n'], 0);
    inTransaction(db, () => db.exec(`INSERT INTO note VALUES ('a small one')`));
    db.close();
  });
});

test('a file of another version is refused by name, and is not touched', async () => {
  await withFolder((folder) => {
    const dbFile = join(folder, 'old.sqlite');
    const old = new DatabaseSync(dbFile);
    old.exec('CREATE TABLE note (words TEXT)');
    old.close();
    assert.throws(() => openDatabase({ dbFile, maxDbBytes }, schema), {
      code: 'START_FAILED',
      message: /old\.sqlite" has tables of version 0, and this shop reads version 2: move the file away/,
    });
    const after = new DatabaseSync(dbFile);
    assert.equal(after.prepare('SELECT count(*) AS n FROM note').get()?.['n'], 0);
    after.close();
  });
});
