import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { withFolder, withNew } from '../../test/folder.ts';
import { openAttempts } from './attempt-store.ts';
import { openUserStore } from './store.ts';

const maxDbBytes = 2 ** 24;

const withStore = withNew(openUserStore);

const ada = { name: 'Ada', email: 'ada@example.org' };

test('an e-mail address belongs to one person', async () => {
  await withStore((store) => {
    const person = store.add(ada, 'secret', 0);
    assert.equal(store.add({ ...ada, name: 'Eve' }, 'other', 0), undefined);
    assert.deepEqual(store.byEmail(ada.email), { ...person, secret: 'secret' });
    assert.equal(store.name(person?.id ?? ''), 'Ada');
    assert.equal(store.byEmail('eve@example.org'), undefined);
  });
});

test('a session is seen until its exact end, or until it is ended', async () => {
  await withStore((store) => {
    const person = store.add(ada, 'secret', 0);
    const token = store.openSession(person?.id ?? '', 1_000);
    assert.deepEqual(store.seen(token, 999), person);
    assert.equal(store.seen(token, 1_000), undefined);
    assert.equal(store.seen(`${token.slice(0, -1)}!`, 0), undefined);
    store.endSession(token);
    assert.equal(store.seen(token, 0), undefined);
  });
});

test('tokens have 256 bits, and none is in the files', async () => {
  await withStore((store, dbFile) => {
    const token = store.openSession(store.add(ada, 'secret', 0)?.id ?? '', 1_000);
    assert.equal(Buffer.from(token, 'base64url').length, 32);
    for (const file of [dbFile, `${dbFile}-wal`]) assert.equal(readFileSync(file).includes(token), false, file);
  });
});

test('one person has at most twenty sessions: the one that ends first gives way', async () => {
  await withStore((store) => {
    const { id = '' } = store.add(ada, 'secret', 0) ?? {};
    const tokens = Array.from({ length: 22 }, (_, index) => store.openSession(id, 1_000 + index));
    const seen = tokens.map((token) => store.seen(token, 0) !== undefined);
    assert.deepEqual(seen, [false, false, ...Array(20).fill(true)]);
  });
});

test('sessions that are over are swept out', async () => {
  await withStore((store, dbFile) => {
    const { id = '' } = store.add(ada, 'secret', 0) ?? {};
    store.openSession(id, 1_000);
    store.openSession(id, 2_000);
    store.sweep(1_000);
    const db = new DatabaseSync(dbFile, { readOnly: true });
    assert.equal((db.prepare('SELECT count(*) AS n FROM session').get() as { n: number }).n, 1);
    db.close();
  });
});

test('whoever guesses one account is slowed; its owner elsewhere is not', async () => {
  await withStore(({ attempts }) => {
    for (let guess = 0; guess < 5; guess++) assert.equal(attempts.beginSignIn(ada.email, '192.0.2.1', 0), 0);
    assert.equal(attempts.beginSignIn(ada.email, '192.0.2.1', 0), 1_000);
    assert.equal(attempts.beginSignIn(ada.email, '192.0.2.1', 999), 1, 'asking too soon changes nothing');
    assert.equal(attempts.beginSignIn(ada.email, '198.51.100.7', 0), 0);
    assert.equal(attempts.beginSignIn(ada.email, '192.0.2.1', 1_000), 0);
    assert.equal(attempts.beginSignIn(ada.email, '192.0.2.1', 1_000), 2_000);
  });
});

test('an address that guesses many accounts is slowed, and many addresses that guess one account', async () => {
  await withStore(({ attempts }) => {
    for (let guess = 0; guess < 50; guess++) attempts.beginSignIn(`p${guess}@example.org`, '192.0.2.1', 0);
    assert.equal(attempts.beginSignIn('one.more@example.org', '192.0.2.1', 0), 1_000);
    for (let guess = 0; guess < 50; guess++) attempts.beginSignIn(ada.email, `198.51.100.${guess}`, 0);
    assert.equal(attempts.beginSignIn(ada.email, '203.0.113.1', 0), 1_000);
  });
});

test('where its owner has signed in before, an account that strangers guess is not slowed', async () => {
  await withStore(({ attempts }) => {
    attempts.beginSignIn(ada.email, '203.0.113.9', 0);
    attempts.signedIn(ada.email, '203.0.113.9');
    for (let guess = 0; guess < 80; guess++) attempts.beginSignIn(ada.email, `198.51.100.${guess}`, 0);
    assert.ok(attempts.beginSignIn(ada.email, '203.0.113.1', 0) > 0);
    assert.equal(attempts.beginSignIn(ada.email, '203.0.113.9', 0), 0);
  });
});

test('signing in to the own account does not clear what an address did to others', async () => {
  await withStore(({ attempts }) => {
    for (let guess = 0; guess < 49; guess++) attempts.beginSignIn(`p${guess}@example.org`, '192.0.2.1', 0);
    attempts.beginSignIn('own@example.org', '192.0.2.1', 0);
    attempts.signedIn('own@example.org', '192.0.2.1');
    assert.equal(attempts.beginSignIn('p50@example.org', '192.0.2.1', 0), 0);
    assert.equal(attempts.beginSignIn('p51@example.org', '192.0.2.1', 0), 1_000);
  });
});

test('attempts survive a restart, and the table does not grow beyond its limit', async () => {
  await withFolder((folder) => {
    const settings = { dbFile: join(folder, 'user.sqlite'), maxDbBytes };
    const before = openUserStore(settings);
    for (let guess = 0; guess < 5; guess++) before.attempts.beginSignIn(ada.email, '192.0.2.1', 0);
    before.close();
    const after = openUserStore(settings);
    assert.equal(after.attempts.beginSignIn(ada.email, '192.0.2.1', 0), 1_000);
    after.close();
    const db = new DatabaseSync(settings.dbFile);
    const small = openAttempts(db, 10);
    for (let guess = 0; guess < 40; guess++) small.beginSignIn(`p${guess}@example.org`, `192.0.2.${guess}`, guess);
    assert.equal((db.prepare('SELECT count(*) AS n FROM attempt').get() as { n: number }).n, 10);
    db.close();
  });
});
