/** The packages as npm would publish them: built, packed, checked. For scripts that use them far from this repository. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { publishedPackages, root } from './packages.ts';

/** Builds and packs every package into `folder`. @returns the tarball of each package, by its name. */
export function packAll(folder: string): ReadonlyMap<string, string> {
  run('node', ['scripts/build.ts'], root);
  return new Map(
    publishedPackages().map(({ folder: source, name, exports }) => [name, pack(folder, source, name, exports)]),
  );
}

/** Runs a command to its end; its failure ends this script. */
export function run(command: string, args: readonly string[], cwd: string, environment = process.env): string {
  const env = { ...environment, NODE_OPTIONS: '' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env });
  if (status === 0) {
    if (command === 'node') process.stdout.write(stdout);
    return stdout;
  }
  console.error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`);
  process.exit(1);
}

/** What somebody has who is not in this repository: npm's scripts put its own programs first on the PATH. */
export function strangerEnvironment(): NodeJS.ProcessEnv {
  const own = join(root, 'node_modules', '.bin');
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== own);
  const kept = Object.entries(process.env).filter(
    ([name]) => keptNames.has(name) || !/^(?:npm_|INIT_CWD|NODE_)/i.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}

/** How a machine reaches its package registry; all else of npm and Node is what this script was started with. */
const keptNames: ReadonlySet<string> = new Set(['NODE_EXTRA_CA_CERTS', 'NPM_CONFIG_REGISTRY', 'npm_config_registry']);

function pack(destination: string, folder: string, name: string, exports: Readonly<Record<string, unknown>>): string {
  const output = run('npm', ['pack', '--json', '--pack-destination', destination], join(root, folder));
  const listing = JSON.parse(output);
  const [packed] = Array.isArray(listing) ? listing : Object.values(listing);
  const files = new Set<string>(packed.files.map((file: { path: string }) => file.path));
  for (const wanted of ['package.json', 'README.md', 'LICENSE', ...targetsOf(exports)]) {
    assert.ok(files.has(wanted), `${name} is packed without ${wanted}`);
  }
  const surplus = [...files].filter((file) => /\.test\.|^src\/|\/test\//.test(file) && !file.startsWith('templates/'));
  assert.deepEqual(surplus, [], `${name} is packed with sources or tests`);
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  for (const field of ['description', 'license', 'repository', 'homepage', 'bugs', 'engines', 'keywords']) {
    assert.ok(manifest[field], `${name} has no "${field}"`);
  }
  return join(destination, basename(packed.filename));
}

/** Built files that the exports promise. */
function targetsOf(exports: Readonly<Record<string, unknown>>): string[] {
  return Object.values(exports).flatMap((target) => {
    if (typeof target === 'string') return [target.slice(2)];
    const { types, default: file } = target as { types: string; default: string };
    return [types.slice(2), file.slice(2)];
  });
}
