/**
 * Packs every package, installs the tarballs with plain npm into an empty folder, and uses them there: from JavaScript,
 * from TypeScript (types included), and by the command. Nothing of this repository is on the way.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './packages.ts';
import { packAll, run } from './packed.ts';

const consumer = mkdtempSync(join(tmpdir(), 'flotilla-consumer-'));
try {
  const tarballs = [...packAll(consumer).values()];
  install(tarballs);
  useFromJavaScript();
  useFromTypeScript();
  useTheCommand();
  console.log(`packed ${tarballs.length} packages, installed and used them in an empty folder`);
} finally {
  rmSync(consumer, { recursive: true, force: true });
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
import { ManualClock, startFleet } from '@flotilla/testkit';
import { gather, optional } from '@flotilla/edge';
import { openStore } from '@flotilla/store';
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
const fleet = await startFleet({ services: [app, caller], clock: new ManualClock() });
assert.deepEqual(await greeter.greet({ name: 'Ada' }), { text: 'Hello, Ada!' });
const nobody = await safe(greeter.greet({ name: 'nobody' }));
assert.equal(nobody.ok ? '' : nobody.error.code, 'NOBODY');
await fleet.stop();
const store = await openStore('memory:');
assert.equal((await store.increment('k', { ttlMs: 1_000 })).value, 1);
await assert.rejects(openStore('redis://127.0.0.1:1'), { code: 'PACKAGE_MISSING', message: /npm install .redis.client/ });
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
import { startFleet } from '@flotilla/testkit';
import { app, hello } from './hello.ts';

const caller = service('caller');
const greeter: Client<typeof hello> = caller.client(hello);
const fleet = await startFleet({ services: [app, caller] });
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
