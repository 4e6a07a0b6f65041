/**
 * Holds the architecture: imports go strictly down the levels, packages and files have no cycles, and whatever a
 * package imports is declared in its package.json (workspaces hoist, so an undeclared import would work by chance).
 */
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { levels, type Package, privatePackages, publishedPackages, root } from './packages.ts';
import { importsOf, type Source, sourcesUnder } from './sources.ts';

const mistakes: string[] = [];
/** Tools of the whole repository that a test may use without declaring them. */
const rootTools = [
  'fast-check',
  'zod',
  'valibot',
  '@valibot/to-json-schema',
  '@fastify/busboy',
  'saxes',
  '@seriousme/openapi-schema-validator',
  'ajv',
];
const published = publishedPackages();
const levelOf = new Map(levels.flatMap((names, level) => names.map((name) => [name, level] as const)));

for (const pkg of published) checkDeclaredLevels(pkg);
for (const pkg of [...published, ...privatePackages()]) {
  const sources = sourcesUnder(pkg.folder);
  for (const source of sources) checkImports(pkg, source);
  checkCycles(sources);
}
report();

function checkDeclaredLevels(pkg: Package): void {
  const own = levelOf.get(pkg.name);
  if (own === undefined) {
    mistakes.push(`${pkg.folder}: "${pkg.name}" stands on no level; add it to scripts/packages.ts`);
    return;
  }
  for (const dependency of pkg.dependencies) {
    const level = levelOf.get(dependency);
    if (level !== undefined && level >= own) {
      mistakes.push(
        `${pkg.folder}/package.json: "${pkg.name}" may not depend on "${dependency}", which is not below it`,
      );
    }
  }
}

function checkImports(pkg: Package, { path, text }: Source): void {
  // Templates are run and type-checked here, and used elsewhere.
  const isTest = /\.test\.ts$|\/test\/|\/templates\/|^conformance\/|^interop\//.test(path);
  for (const { specifier, line } of importsOf(text)) {
    if (specifier.startsWith('.')) {
      checkRelative(pkg, path, specifier, line);
      continue;
    }
    if (isBuiltin(specifier)) continue;
    const name = packageNameOf(specifier);
    if (name === pkg.name) continue;
    const declared = [...pkg.dependencies, ...(isTest ? [...pkg.devDependencies, ...rootTools] : [])];
    if (!declared.includes(name))
      mistakes.push(`${path}:${line}: "${name}" is imported, but ${pkg.folder}/package.json does not declare it`);
  }
}

function checkRelative(pkg: Package, path: string, specifier: string, line: number): void {
  const target = normalize(join(dirname(path), specifier));
  if (!existsSync(join(root, target))) mistakes.push(`${path}:${line}: "${specifier}" does not exist`);
  if (!target.startsWith(`${pkg.folder}/`)) {
    mistakes.push(`${path}:${line}: "${specifier}" leaves the package; import "${pkg.name}"'s neighbour by its name`);
  }
}

function checkCycles(sources: readonly Source[]): void {
  const edges = new Map(sources.map(({ path, text }) => [path, relativeImports(path, text)]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      mistakes.push(`cycle: ${[...trail.slice(start), path].join(' → ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
}

function relativeImports(path: string, text: string): string[] {
  return importsOf(text)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => normalize(join(dirname(path), specifier)));
}

function packageNameOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function report(): void {
  if (mistakes.length > 0) {
    console.error(mistakes.join('\n'));
    process.exit(1);
  }
  console.log(`arrows: ${published.length} packages, all imports declared and downward, no cycles`);
}
