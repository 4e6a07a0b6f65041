/** The packages as npm would publish them: built, packed, checked. For scripts that use them far from this repository. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { publishedPackages, root } from './packages.ts';

/** Builds and packs every package into `folder`. @returns the tarball of each package, by its name. */
export function packAll(folder: string): ReadonlyMap<string, string> {
  run('node', ['scripts/build.ts'], root);
  return new Map(
    publishedPackages().map(({ folder: source, name, exports }) => [name, pack(source, name, exports, folder)]),
  );
}

/** Runs a program to its end; ends this one when it fails. @returns what it wrote. */
export function run(command: string, args: readonly string[], cwd: string): string {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env });
  if (status === 0) {
    if (command === 'node') process.stdout.write(stdout);
    return stdout;
  }
  console.error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`);
  process.exit(1);
}

function pack(source: string, name: string, exports: Readonly<Record<string, unknown>>, folder: string): string {
  const output = run('npm', ['pack', '--json', '--pack-destination', folder], join(root, source));
  const listing = JSON.parse(output);
  const [packed] = Array.isArray(listing) ? listing : Object.values(listing);
  const files = new Set<string>(packed.files.map((file: { path: string }) => file.path));
  for (const wanted of ['package.json', 'README.md', 'LICENSE', ...targetsOf(exports)]) {
    assert.ok(files.has(wanted), `${name} is packed without ${wanted}`);
  }
  const surplus = [...files].filter((file) => /\.test\.|^src\/|\/test\//.test(file));
  assert.deepEqual(surplus, [], `${name} is packed with sources or tests`);
  const manifest = JSON.parse(readFileSync(join(root, source, 'package.json'), 'utf8'));
  for (const field of ['description', 'license', 'repository', 'homepage', 'bugs', 'engines', 'keywords']) {
    assert.ok(manifest[field], `${name} has no "${field}"`);
  }
  return join(folder, basename(packed.filename));
}

/** Built files that the exports promise. */
function targetsOf(exports: Readonly<Record<string, unknown>>): string[] {
  return Object.values(exports).flatMap((target) => {
    if (typeof target === 'string') return [target.slice(2)];
    const { types, default: file } = target as { types: string; default: string };
    return [types.slice(2), file.slice(2)];
  });
}
