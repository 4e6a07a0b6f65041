/**
 * What a stranger does: creates a fleet in an empty folder, installs it, tests it, adds services to it, starts it, asks it
 * through its gateway, changes a file, ends it with Ctrl-C. All packages are tarballs; nothing of this repository is on the
 * way, not even its Node.js.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packAll, run, strangerEnvironment } from './packed.ts';

const empty = mkdtempSync(join(tmpdir(), 'flotilla-create-'));
const env = strangerEnvironment();
const npm = (cwd: string, ...args: string[]): string =>
  timed(`npm ${args.join(' ')}`, () => run('npm', args, cwd, env));

try {
  const packages = join(empty, 'packages');
  mkdirSync(packages);
  const bin = packAll(packages).get('create-flotilla');
  assert.ok(bin);
  console.log(`this machine's own Node.js is ${run('sh', ['-c', 'node --version'], empty, env).trim()}`);
  for (const start of ['backend', 'edge']) {
    const args = [`my-${start}`, '--yes', '--start', start, '--packages', packages];
    npm(empty, 'exec', '--yes', `--package=${bin}`, '--', 'create-flotilla', ...args);
    const fleet = join(empty, `my-${start}`);
    npm(fleet, 'install', '--no-audit', '--no-fund');
    assertPublishedForm(fleet);
    checkedAndTested(fleet);
    addServices(fleet);
    checkedAndTested(fleet);
    await startAndAsk(fleet, start);
  }
  console.log('a fleet was created, installed, tested, extended, started, changed and stopped');
} finally {
  rmSync(empty, { recursive: true, force: true });
}

/** What was installed is JavaScript from the tarballs, and no package of ours came from elsewhere. */
function assertPublishedForm(fleet: string): void {
  const lock = JSON.parse(readFileSync(join(fleet, 'package-lock.json'), 'utf8'));
  const ours = Object.entries<{ resolved?: string }>(lock.packages).filter(([path]) =>
    /node_modules\/(?:flotilla|@flotilla\/[\w-]+|create-flotilla)$/.test(path),
  );
  assert.ok(ours.length >= 10);
  for (const [path, { resolved }] of ours) assert.match(resolved ?? '', /^file:.*\.tgz$/, path);
}

function checkedAndTested(fleet: string): void {
  npm(fleet, 'exec', '--no', 'tsc');
  const report = npm(fleet, 'test');
  assert.match(report, /^ℹ fail 0$/m);
  assert.doesNotMatch(report, /^ℹ tests 0$/m);
}

function addServices(fleet: string): void {
  const add = (...args: string[]): string => npm(fleet, 'exec', '--no', '--', 'flotilla', 'add', ...args);
  assert.match(add('service', 'order-desk'), /\+ services\/order-desk\.test\.ts\n {2}~ flotilla\.yaml/);
  assert.match(add('edge', 'mobile', '--auth', 'public'), /~ gateway\.yaml/);
}

async function startAndAsk(fleet: string, start: string): Promise<void> {
  const child = spawn('npm', ['start', '--silent', '--', '--json'], {
    cwd: fleet,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // its own process group: Ctrl-C reaches all of it, and not this script
  });
  const lines: string[] = [];
  try {
    const { gateway } = await startReport(child, lines);
    const added = await ask(`${gateway}/notes`, 201, { method: 'POST', body: JSON.stringify({ text: 'buy tea' }) });
    assert.deepEqual(await ask(`${gateway}/notes`, 200), [added]);
    assert.deepEqual(await ask(`${gateway}/mobile/home`, 200), { title: 'Welcome', missing: [] });
    assert.equal((await ask(`${gateway}/order-desk`, 404)).code, 'NO_ROUTE', 'a backend that was added has no route');
    const listed = npm(fleet, 'exec', '--no', '--', 'flotilla', 'call', 'order-desk.list');
    assert.deepEqual(JSON.parse(listed), []);
    if (start === 'edge') await changeIsPickedUp(fleet, gateway);
  } catch (thrown) {
    console.error(lines.slice(-40).join('\n'));
    throw thrown;
  } finally {
    await interrupt(child);
  }
}

async function changeIsPickedUp(fleet: string, gateway: string): Promise<void> {
  const path = join(fleet, 'edge/web.ts');
  writeFileSync(path, readFileSync(path, 'utf8').replace('My notes', 'Our notes'));
  for (const since = performance.now(); (await ask(`${gateway}/api/home`, 200)).title !== 'Our notes'; ) {
    assert.ok(performance.now() - since < 20_000, 'the changed file is not in use after 20 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

// biome-ignore lint/suspicious/noExplicitAny: documents of the fleet, checked where they are used
async function ask(url: string, status: number, init: RequestInit = {}): Promise<any> {
  const response = await fetch(url, { headers: { 'content-type': 'application/json' }, ...init });
  const text = await response.text();
  assert.equal(response.status, status, `${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

function startReport(child: ChildProcess, lines: string[]): Promise<{ readonly gateway: string }> {
  assert.ok(child.stdout);
  const reader = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    reader.on('line', (line) => {
      lines.push(line);
      const report = line.startsWith('{"fleet"') ? JSON.parse(line) : undefined;
      if (report?.serving) resolve(report);
      else if (report) reject(new Error(`not everything serves: ${line}`));
    });
    reader.on('close', () => reject(new Error('the fleet ended before it served')));
    setTimeout(() => reject(new Error('the fleet did not say within 60 s that it serves')), 60_000).unref();
  });
}

async function interrupt({ pid, exitCode }: ChildProcess): Promise<void> {
  if (pid === undefined) return;
  if (exitCode === null) process.kill(-pid, 'SIGINT');
  const since = performance.now();
  while (isAlive(-pid)) {
    if (performance.now() - since > 20_000) throw new Error('20 s after Ctrl-C something still runs');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.log(`after Ctrl-C everything had ended within ${((performance.now() - since) / 1_000).toFixed(1)} s`);
}

/** @param group the negated id of a process group. */
function isAlive(group: number): boolean {
  try {
    process.kill(group, 0);
    return true;
  } catch {
    return false;
  }
}

function timed<T>(what: string, work: () => T): T {
  const since = performance.now();
  const result = work();
  console.log(`${what}: ${((performance.now() - since) / 1_000).toFixed(1)} s`);
  return result;
}
