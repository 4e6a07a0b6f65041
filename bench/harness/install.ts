import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder } from './processes.ts';

/** What is compared with is installed only for who compares: the lock file of this folder says exactly what. */
export function installPeers(say: (line: string) => void): void {
  const lock = join(benchFolder, 'package-lock.json');
  const installed = join(benchFolder, 'node_modules/.installed-lock.json');
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(lock))) return;
  say('installing what is compared with (bench/package-lock.json)');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: benchFolder, stdio: 'inherit' });
  if (status !== 0) throw new Error('npm ci in bench/ failed');
  copyFileSync(lock, installed);
}
