#!/usr/bin/env node
// Started by "npm create", maybe by an old Node: everything here must parse on any of them, far enough to say what is
// missing. Node.js 20 is enough to create a fleet; on Linux the fleet brings the newer one that it runs on.
if (Number(process.versions.node.split('.')[0]) < 20) {
  process.stderr.write(
    `create-flotilla needs Node.js 20 or newer; this is ${process.versions.node}. Install a newer one first.\n`,
  );
  process.exit(1);
}
const { existsSync } = await import('node:fs');
const source = new URL('../src/main.ts', import.meta.url);
await import(existsSync(source) ? source.href : '../dist/main.js');
