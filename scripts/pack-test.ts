/**
 * Packs every package, installs the tarballs with plain npm into an empty folder, and uses them there: from JavaScript,
 * from TypeScript (types included), and by the command. Nothing of this repository is on the way.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { publishedPackages, root } from './packages.ts';

const consumer = mkdtempSync(join(tmpdir(), 'flotilla-consumer-'));
try {
  run('node', ['scripts/build.ts'], root);
  const tarballs = publishedPackages().map(({ folder, name, exports }) => pack(folder, name, exports));
  install(tarballs);
  useFromJavaScript();
  useFromTypeScript();
  useTheCommand();
  console.log(`packed ${tarballs.length} packages, installed and used them in an empty folder`);
} finally {
  rmSync(consumer, { recursive: true, force: true });
}

function pack(folder: string, name: string, exports: Readonly<Record<string, unknown>>): string {
  const output = run('npm', ['pack', '--json', '--pack-destination', consumer], join(root, folder));
  const listing = JSON.parse(output);
  const [packed] = Array.isArray(listing) ? listing : Object.values(listing);
  const files = new Set<string>(packed.files.map((file: { path: string }) => file.path));
  for (const wanted of ['package.json', 'README.md', 'LICENSE', ...targetsOf(exports)]) {
    assert.ok(files.has(wanted), `${name} is packed without ${wanted}`);
  }
  const surplus = [...files].filter((file) => /\.test\.|^src\/|\/test\//.test(file));
  assert.deepEqual(surplus, [], `${name} is packed with sources or tests`);
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  for (const field of ['description', 'license', 'repository', 'homepage', 'bugs', 'engines', 'keywords']) {
    assert.ok(manifest[field], `${name} has no "${field}"`);
  }
  return join(consumer, basename(packed.filename));
}

/** Built files that the exports promise. */
function targetsOf(exports: Readonly<Record<string, unknown>>): string[] {
  return Object.values(exports).flatMap((target) => {
    if (typeof target === 'string') return [target.slice(2)];
    const { types, default: file } = target as { types: string; default: string };
    return [types.slice(2), file.slice(2)];
  });
}

function install(tarballs: readonly string[]): void {
  write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tools = ['typescript', '@types/node', 'zod'].map((tool) => `${tool}@${devDependencies[tool]}`);
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs, ...tools], consumer);
}

function useFromJavaScript(): void {
  write(
    'use.js',
    `import assert from 'node:assert/strict';
import { HttpHeaders, safe, service } from 'flotilla';
import { contract, error, get, query } from 'flotilla/contract';
import { startInMemory } from 'flotilla/testing';
import { gather, optional } from '@flotilla/edge';
import { ManualClock } from '@flotilla/core/testing';
import { z } from 'zod';

const greetings = contract({ name: 'greetings', version: 1 }, {
  greet: query({
    in: z.object({ name: z.string() }),
    out: z.object({ text: z.string() }),
    errors: { NOBODY: error(404) },
    http: get('/greetings/{name}'),
  }),
});
const app = service('greeter');
app.handle(greetings, {
  greet: ({ name }, call) => (name === 'nobody' ? call.fail('NOBODY') : { text: 'Hello, ' + name + '!' }),
});
const caller = service('caller');
const greeter = caller.client(greetings);
caller.http('GET', '/page', async (_, call) => {
  const page = await gather(call, { greeting: optional((c) => greeter.greet({ name: 'Ada' }, c), undefined) });
  return { status: 200, headers: new HttpHeaders(), body: Buffer.from(JSON.stringify(page)) };
});
const fleet = await startInMemory([app, caller], { clock: new ManualClock() });
assert.deepEqual(await greeter.greet({ name: 'Ada' }), { text: 'Hello, Ada!' });
const nobody = await safe(greeter.greet({ name: 'nobody' }));
assert.equal(nobody.ok ? '' : nobody.error.code, 'NOBODY');
await fleet.stop();
console.log('JavaScript: a service was called through its contract');
`,
  );
  run('node', ['use.js'], consumer);
}

function useFromTypeScript(): void {
  const source = readFileSync(join(root, 'examples/hello/hello.ts'), 'utf8');
  write('hello.ts', source);
  write(
    'use.ts',
    `import assert from 'node:assert/strict';
import { type Client, safe, service } from 'flotilla';
import { startInMemory } from 'flotilla/testing';
import { app, hello } from './hello.ts';

const caller = service('caller');
const greeter: Client<typeof hello> = caller.client(hello);
const fleet = await startInMemory([app, caller]);
const answer = await safe(greeter.greet({ name: 'Ada' }));
assert.ok(answer.ok);
const text: string = answer.value.text;
assert.equal(text, 'Hello, Ada!');
// @ts-expect-error the contract wants a text
greeter.greet({ name: 7 }).catch(() => {});
await fleet.stop();
console.log('TypeScript: types and values arrived');
`,
  );
  write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        target: 'esnext',
        module: 'nodenext',
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        allowImportingTsExtensions: true,
        types: ['node'],
      },
      include: ['*.ts'],
    }),
  );
  run('npx', ['--no', 'tsc'], consumer);
  run('node', ['use.ts'], consumer);
}

function useTheCommand(): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(run('npx', ['--no', '--', 'flotilla', '--version'], consumer).trim(), version);
}

function write(name: string, text: string): void {
  mkdirSync(consumer, { recursive: true });
  writeFileSync(join(consumer, name), text);
}

function run(command: string, args: readonly string[], cwd: string): string {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env });
  if (status === 0) {
    if (command === 'node') process.stdout.write(stdout);
    return stdout;
  }
  console.error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`);
  process.exit(1);
}
