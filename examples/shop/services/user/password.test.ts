import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/testkit';
import { Call } from 'flotilla';
import { cost, createPasswords } from './password.ts';

const call = (): Call => new Call({ clock: new ManualClock(), random: () => 0 });
const cheap = { N: 16, r: 1, p: 1 };

test('a password fits what was kept of it, and nothing else does', async () => {
  const passwords = createPasswords(cheap);
  const kept = await passwords.hash('a harbour at night', call());
  assert.equal(await passwords.fits('a harbour at night', kept, call()), true);
  assert.equal(await passwords.fits('a harbour at nigh', kept, call()), false);
  assert.equal(await passwords.fits('', kept, call()), false);
  assert.equal(await passwords.fits('a harbour at night', undefined, call()), false);
});

test('the same password is kept with another salt each time, and with the cost it was made at', async () => {
  const passwords = createPasswords(cheap);
  const [first, second] = await Promise.all([
    passwords.hash('one for all', call()),
    passwords.hash('one for all', call()),
  ]);
  assert.notEqual(first, second);
  assert.match(first, /^scrypt\$16\$1\$1\$[\w-]{22}\$[\w-]{43}$/);
  assert.doesNotMatch(first, /one for all/);
});

test('what was kept at an older cost still fits, and is known to be outdated', async () => {
  const kept = await createPasswords(cheap).hash('kept long ago', call());
  const now = createPasswords({ ...cheap, N: 32 });
  assert.equal(await now.fits('kept long ago', kept, call()), true);
  assert.deepEqual([now.isOutdated(kept), now.isOutdated(await now.hash('new', call()))], [true, false]);
});

test('a password typed on another keyboard is the same one', async () => {
  const passwords = createPasswords(cheap);
  assert.equal(
    await passwords.fits('crème brûlée'.normalize('NFD'), await passwords.hash('crème brûlée', call()), call()),
    true,
  );
});

test('a flood is refused instead of taking all memory', async () => {
  const passwords = createPasswords(cheap);
  const flood = await Promise.allSettled(Array.from({ length: 100 }, () => passwords.fits('guess', undefined, call())));
  const refused = flood.filter((one) => one.status === 'rejected').map(({ reason }) => reason.code);
  assert.deepEqual([...new Set(refused)], ['UNAVAILABLE']);
  assert.equal(refused.length, 100 - 2 - 32);
  assert.equal(await passwords.fits('guess', undefined, call()), false, 'later ones are taken again');
});

test('who goes away while a password is checked frees no thread before the work is done', async () => {
  const passwords = createPasswords(cheap);
  const gone = [call(), call()];
  const left = gone.map((one) => passwords.fits('guess', undefined, one));
  for (const one of gone) {
    one.cancel();
    one.end();
  }
  const flood = Promise.allSettled(Array.from({ length: 33 }, () => passwords.fits('guess', undefined, call())));
  assert.equal((await flood).filter(({ status }) => status === 'rejected').length, 1);
  assert.deepEqual(await Promise.all(left), [false, false]);
});

test('a guess costs what is demanded of stored passwords', () => {
  assert.deepEqual(cost, { N: 32_768, r: 8, p: 1 });
});
