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
  // Inside the repository: run the sources, which takes a condition that only a new process can be given.
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, ['--conditions=flotilla-source', source, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
} else {
  await import('../dist/main.js');
}
