#!/usr/bin/env node
// Started directly, maybe by an old Node: everything here must parse on Node 20, far enough to say what is missing.
const [major, minor, patch] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && (minor < 18 || (minor === 18 && patch < 1)))) {
  process.stderr.write(
    `flotilla needs Node.js 24.18.1 or newer; this is ${process.versions.node}. Install a newer one from your package manager.\n`,
  );
  process.exit(1);
}
const { existsSync } = await import('node:fs');
const { fileURLToPath } = await import('node:url');
const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
if (existsSync(source)) {
  // Inside the repository: run the sources, which takes a condition that only a new start can be given.
  const args = ['--conditions=flotilla-source', source, ...process.argv.slice(2)];
  if (process.platform === 'win32') {
    const { spawnSync } = await import('node:child_process');
    process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
  } else {
    // In place of this process: with one in between, Ctrl-C would be heard twice.
    process.execve(process.execPath, [process.execPath, ...args], process.env);
  }
} else {
  await import('../dist/main.js');
}
