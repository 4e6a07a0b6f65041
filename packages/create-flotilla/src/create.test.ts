import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { create } from './create.ts';

const root = mkdtempSync(join(tmpdir(), 'create-flotilla-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('every file is told, package.json last', () => {
  const written: string[] = [];
  const folder = join(root, 'shop');
  assert.equal(
    create({ folder, start: 'edge' }, (path) => written.push(path)),
    folder,
  );
  for (const path of written) assert.ok(existsSync(join(folder, path)), path);
  assert.equal(written.at(-1), 'package.json');
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  assert.deepEqual([manifest.name, manifest.overrides], ['shop', undefined]);
});

test('a folder that is not empty is refused, and nothing is written; a new repository counts as empty', () => {
  const folder = join(root, 'full');
  mkdirSync(join(folder, '.git'), { recursive: true });
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(folder, name), '');
  assert.throws(
    () => create({ folder, start: 'edge' }, () => {}),
    /full is not empty: it has a, b, c, …; take another/,
  );
  assert.equal(readdirSync(folder).length, 5);
  for (const name of ['a', 'b', 'c', 'd']) rmSync(join(folder, name));
  create({ folder, start: 'backend' }, () => {});
  assert.ok(existsSync(join(folder, 'services/notes.ts')));
});

test('a name that is none, and a file in the way, are refused in words', () => {
  assert.throws(
    () => create({ folder: join(root, 'My Fleet'), start: 'edge' }, () => {}),
    /"My Fleet" must be lower-case/,
  );
  writeFileSync(join(root, 'file'), '');
  assert.throws(() => create({ folder: join(root, 'file'), start: 'edge' }, () => {}), /is a file, not a folder/);
  assert.throws(() => create({ folder: join(root, 'file/below'), start: 'edge' }, () => {}), /is a file, not a folder/);
});

test('packages come from tarballs when a folder of them is named', () => {
  const packages = join(root, 'packed');
  mkdirSync(packages);
  assert.throws(
    () => create({ folder: join(root, 'none'), start: 'edge', packages }, () => {}),
    /packed has no tarball of flotilla 0\.1\.0/,
  );
  const names = ['flotilla', 'flotilla-cli', 'flotilla-testkit', 'flotilla-edge', 'flotilla-core', 'other'];
  for (const name of names) writeFileSync(join(packages, `${name}-0.1.0.tgz`), '');
  create({ folder: join(root, 'local'), start: 'backend', packages }, () => {});
  const manifest = JSON.parse(readFileSync(join(root, 'local/package.json'), 'utf8'));
  assert.equal(manifest.dependencies.flotilla, `file:${packages}/flotilla-0.1.0.tgz`);
  assert.equal(manifest.dependencies['@flotilla/edge'], `file:${packages}/flotilla-edge-0.1.0.tgz`);
  assert.equal(manifest.devDependencies['@flotilla/testkit'], `file:${packages}/flotilla-testkit-0.1.0.tgz`);
  assert.equal(manifest.overrides['@flotilla/core'], `file:${packages}/flotilla-core-0.1.0.tgz`);
  assert.equal(manifest.overrides.other, undefined);
});
