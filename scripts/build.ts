/** Compiles every published package to `dist/`: plain JavaScript and declarations, lowest level first. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages, root } from './packages.ts';

const cache = join(root, 'node_modules', '.cache', 'flotilla-build');
mkdirSync(cache, { recursive: true });
for (const { folder, name } of publishedPackages()) {
  const source = join(root, folder, 'src');
  const output = join(root, folder, 'dist');
  rmSync(output, { recursive: true, force: true });
  const config = join(cache, `${name.replace('/', '-')}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.build.json'),
      compilerOptions: { rootDir: source, outDir: output, typeRoots: [join(root, 'node_modules', '@types')] },
      include: [join(source, '**/*.ts')],
      exclude: [join(source, '**/*.test.ts')],
    }),
  );
  const { status, stdout } = spawnSync('tsc', ['-p', config], { cwd: join(root, folder), encoding: 'utf8' });
  if (status !== 0) {
    console.error(`${name} does not compile:\n${stdout}`);
    process.exit(1);
  }
  console.log(`built ${name}`);
}
