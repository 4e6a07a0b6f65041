import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder } from './processes.ts';

const root = join(benchFolder, '..');
const cache = join(root, 'node_modules/.cache/flotilla-bench');
let isBuilt = false;

/**
 * A program of the bench and the packages below it as they are released: JavaScript. From its sources a process holds the
 * compiler that strips their types, and the sources themselves, which is a quarter of what a registry takes.
 * @param file of `bench/`, in TypeScript. @returns the folder and the file in it, for `startProgram`
 */
export function builtProgram(file: string): { readonly folder: string; readonly file: string } {
  const folder = join(cache, 'dist');
  if (!isBuilt) {
    run('packages', process.execPath, [join(root, 'scripts/build.ts')]);
    mkdirSync(cache, { recursive: true });
    const config = join(cache, 'tsconfig.json');
    writeFileSync(
      config,
      JSON.stringify({
        extends: join(root, 'tsconfig.build.json'),
        compilerOptions: { rootDir: benchFolder, outDir: folder, declaration: false, isolatedDeclarations: false },
        files: [join(benchFolder, file)],
      }),
    );
    // What the types are is another step's affair.
    run(file, 'tsc', ['-p', config, '--noCheck']);
    isBuilt = true;
  }
  return { folder, file: file.replace(/\.ts$/, '.js') };
}

function run(what: string, command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${what} cannot be built for the bench:\n${stdout}${stderr}`);
}
