/**
 * Follows every guide under `docs/guides` to the letter, in an empty folder, as a stranger would: with packages that were
 * packed and installed, on the ports that the guide names. `scripts/guide-steps.ts` says how a guide is written.
 * `node scripts/check-guides.ts join` follows only those whose name has "join" in it. A guide that needs a program which is
 * not here is passed over, and says so; with `CI=true` that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Reader } from './guide-reader.ts';
import { readSteps } from './guide-steps.ts';
import { root } from './packages.ts';
import { packAll } from './packed.ts';

const wanted = process.argv.at(2) ?? '';
const guides = globSync('docs/guides/*.md', { cwd: root })
  .filter((path) => path.includes(wanted))
  .sort();
if (guides.length === 0) fail(`there is no guide with "${wanted}" in its name`);
const packed = mkdtempSync(join(tmpdir(), 'flotilla-packed-'));
try {
  const tarballs = packAll(packed);
  for (const path of guides) await follow(path, tarballs);
} finally {
  rmSync(packed, { recursive: true, force: true });
}

async function follow(path: string, tarballs: ReadonlyMap<string, string>): Promise<void> {
  const steps = readSteps(readFileSync(join(root, path), 'utf8'));
  if (!steps.some(({ kind }) => kind === 'run')) fail(`${path} has nothing to follow`);
  const missing = steps
    .flatMap((step) => (step.kind === 'needs' ? step.programs : []))
    .filter((program) => spawnSync('sh', ['-c', 'command -v "$0"', program]).status !== 0);
  if (missing.length > 0) {
    const message = `${path} was NOT followed: it needs ${missing.join(' and ')}, not found on the PATH`;
    if (process.env['CI'] === 'true') fail(message);
    return console.warn(message);
  }
  const reader = new Reader(mkdtempSync(join(tmpdir(), 'flotilla-guide-')), tarballs);
  try {
    for (const step of steps) {
      await reader.take(step).catch((cause: Error) => fail(`${path}, line ${step.line}: ${cause.message}`));
    }
    console.log(`${path}: ${steps.length} steps, all as promised`);
  } finally {
    reader.leave();
  }
}

function fail(message: string): never {
  process.exitCode = 1;
  throw new Error(message);
}
