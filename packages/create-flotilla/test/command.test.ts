import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/create-flotilla.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'create-flotilla-'));
after(() => rmSync(root, { recursive: true, force: true }));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [bin, ...args], { cwd: root, encoding: 'utf8', input: '' });
}

test('with --yes it asks nothing, says what it wrote and what comes next', () => {
  const { status, stdout, stderr } = run('shop', '--yes');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^ {2}\+ flotilla\.yaml$/m);
  assert.match(stdout, /A fleet was written to \S+shop\. Next:\n\n {2}cd shop\n {2}npm install\n {2}npm start\n/);
  assert.ok(existsSync(join(root, 'shop/edge/web.ts')));
});

test('without a terminal it never asks: a name is enough, none is an error that says so', () => {
  assert.equal(run('plain', '--start', 'backend').status, 0);
  assert.equal(existsSync(join(root, 'plain/edge')), false);
  const { status, stderr } = run();
  assert.equal(status, 1);
  assert.match(stderr, /nobody can answer here: name a folder, as in "npm create flotilla my-fleet -- --yes"/);
});

test('mistakes are told in one line, with exit code 1', () => {
  for (const [args, message] of [
    [['shop', '--yes'], /shop is not empty/],
    [['Bad Name', '--yes'], /"Bad Name" must be lower-case/],
    [['a', 'b'], /one folder is enough, got "a", "b"/],
    [['a', '--start', 'moon'], /--start is edge or backend, got "moon"/],
    [['a', '--wrong'], /'--wrong'/],
    [['a', '--yes', '--packages', 'nowhere'], /nowhere cannot be read/],
  ] as const) {
    const { status, stderr } = run(...args);
    assert.equal(status, 1, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /, 'no stack trace');
  }
});

test('a folder without permission is told so', () => {
  const locked = join(root, 'locked');
  mkdirSync(locked);
  chmodSync(locked, 0o500);
  chmodSync(root, 0o755);
  // Root may write everywhere: then somebody else tries.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const { status, stderr } = spawnSync(process.execPath, [bin, join(locked, 'shop'), '--yes'], {
    cwd: '/',
    encoding: 'utf8',
    input: '',
    ...user,
  });
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    /locked.* (?:cannot be written|cannot be used): this user may not write there; take another folder/,
  );
});

test('--help and --version', () => {
  assert.match(run('--help').stdout, /npm create flotilla \[folder\]/);
  assert.match(run('--version').stdout, /^\d+\.\d+\.\d+\n$/);
});
