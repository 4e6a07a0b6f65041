import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { add } from './add.ts';

const root = mkdtempSync(join(tmpdir(), 'flotilla-add-'));
after(() => rmSync(root, { recursive: true, force: true }));

function fleetIn(name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'flotilla.yaml'), 'services:\n  # the first\n  a: { run: a.ts }\n');
  return folder;
}

function said(folder: string, json: boolean, dryRun: boolean): string {
  const lines: string[] = [];
  add(folder, { kind: 'service', name: 'tags' }, dryRun, { json, print: (text) => lines.push(text) });
  return lines.join('\n');
}

test('what was written is told, and lies where it was told', () => {
  const folder = fleetIn('written');
  const text = said(folder, false, false);
  const written = [...text.matchAll(/^ {2}[+~] (\S+)$/gm)].map(([, path = '']) => path);
  assert.deepEqual(written, ['contracts/tags.ts', 'services/tags.ts', 'services/tags.test.ts', 'flotilla.yaml']);
  for (const path of written) assert.match(readFileSync(join(folder, path), 'utf8'), /tags/, path);
  assert.match(readFileSync(join(folder, 'flotilla.yaml'), 'utf8'), /# the first\n {2}a: \{ run: a\.ts \}\n {2}tags:/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
  assert.throws(() => said(folder, false, false), /exists already/);
});

test('a dry run says the same and writes nothing', () => {
  const folder = fleetIn('dry');
  const document = JSON.parse(said(folder, true, true));
  assert.deepEqual([document.folder, document.dryRun, document.changed], [folder, true, ['flotilla.yaml']]);
  assert.equal(document.created.length, 3);
  assert.deepEqual(readdirSync(folder), ['flotilla.yaml']);
});
