import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FleetState, parseState } from '../src/dev/state-file.ts';
import { isAlive } from '../src/engines/process-alive.ts';

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '../src/main.ts');
let folder: string;
let blocker: Server;
let fleet: Fleet;

interface Fleet {
  readonly gateway: string;
  readonly notices: string[];
  /** Resolves at the next line that matches. */
  line(pattern: RegExp): Promise<string>;
  state(): FleetState;
  stop(): Promise<number | null>;
}

const serviceSource = (name: string, word: string): string => `
import { HttpHeaders, run, service } from 'flotilla';
import { words } from './words.ts';
export const app = service('${name}');
app.http('GET', '/${name}', async () => ({
  status: 200,
  headers: new HttpHeaders([['content-type', 'text/plain']]),
  body: Buffer.from('${word} ' + words.${name} + ' ' + process.pid),
}));
if (import.meta.main) await run(app);
`;

before(async () => {
  blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  folder = mkdtempSync(join(here, '.fleet-'));
  mkdirSync(join(folder, 'services'));
  write('services/words.ts', "export const words = { a: 'one', b: 'one' };\n");
  write('services/a.ts', serviceSource('a', 'A'));
  write('services/b.ts', serviceSource('b', 'B'));
  write(
    'gateway.yaml',
    `routes:
  - { id: a, path: /a, to: service://a, auth: public, filters: [{ retry: { attempts: 2 } }] }
  - { id: b, path: /b, to: service://b, auth: public }
`,
  );
  writeFleet('a: { run: services/a.ts, instances: 2 }', 'b: { run: services/b.ts }');
  fleet = await startFleet();
});
after(async () => {
  await fleet?.stop();
  blocker.close();
  rmSync(folder, { recursive: true, force: true });
});

function writeFleet(...services: string[]): void {
  const { port } = blocker.address() as { port: number };
  const lines = services.map((service) => `  ${service}\n`).join('');
  write('flotilla.yaml', `fleet: two\nregistry: { port: ${port} }\ngateway: { port: 0 }\nservices:\n${lines}`);
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

async function startFleet(): Promise<Fleet> {
  const child = spawn(process.execPath, ['--conditions=flotilla-source', main, 'dev', folder, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const notices: string[] = [];
  const waiting = new Set<(line: string) => void>();
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  createInterface({ input: child.stdout }).on('line', (line) => {
    notices.push(line);
    for (const hear of waiting) hear(line);
  });
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const hear = (text: string): void => {
        if (!pattern.test(text)) return;
        waiting.delete(hear);
        resolve(text);
      };
      waiting.add(hear);
      void ended.then((code) => reject(new Error(`the fleet ended with ${code}:\n${notices.slice(-30).join('\n')}`)));
    });
  const report = JSON.parse(await line(/^\{"fleet"/));
  assert.equal(report.serving, true);
  return {
    gateway: report.gateway,
    notices,
    line,
    state() {
      const state = parseState(readFileSync(join(folder, '.flotilla/dev.json'), 'utf8'));
      assert.ok(state);
      return state;
    },
    stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

async function ask(path: string): Promise<string> {
  const response = await fetch(`${fleet.gateway}${path}`);
  assert.equal(response.status, 200);
  return response.text();
}

const pidsOf = (state: FleetState, name: string): (number | null)[] =>
  state.processes.filter((process) => process.name === name).map(({ pid }) => pid);

test('a port that is taken is replaced by the next free one, and it is said', async () => {
  const { port } = blocker.address() as { port: number };
  assert.match(
    fleet.notices.join('\n'),
    new RegExp(`port ${port} is taken; the registry takes \\d+|port ${port} is taken; registry takes \\d+`),
  );
  assert.match(await ask('/a'), /^A one \d+$/);
  assert.match(await ask('/b'), /^B one \d+$/);
});

test('a changed file restarts its own service only, and no request fails meanwhile', async () => {
  const before = fleet.state();
  let failures = 0;
  let loading = true;
  const load = async (): Promise<void> => {
    for (let sent = 0; loading && sent < 20_000; sent++) await ask('/a').catch(() => failures++);
  };
  const loads = [load(), load()];
  try {
    const replaced = fleet.line(/"msg":"serving".*"service":"a"|"service":"a".*"msg":"serving"/);
    write('services/a.ts', serviceSource('a', 'AA'));
    await replaced;
    while (!(await bothSay('/a', 'AA'))) await ask('/b');
  } finally {
    loading = false;
    await Promise.all(loads);
  }
  assert.equal(failures, 0);
  const now = fleet.state();
  assert.deepEqual(pidsOf(now, 'b'), pidsOf(before, 'b'));
  assert.deepEqual(pidsOf(now, 'registry'), pidsOf(before, 'registry'));
  for (const pid of pidsOf(now, 'a')) assert.ok(!pidsOf(before, 'a').includes(pid));
});

test('a file that several services import restarts all of them', async () => {
  write('services/words.ts', "export const words = { a: 'two', b: 'two' };\n");
  await fleet.line(/words\.ts changed: restarting a, b/);
  while (!(await bothSay('/a', 'AA two')) || !(await bothSay('/b', 'B two')));
});

test('a file that does not run leaves the process from before, and says why', async () => {
  const told = fleet.line(/the changed files do not start/);
  write('services/b.ts', 'this is no program\n');
  await told;
  assert.match(await ask('/b'), /^B two \d+$/);
  const mended = fleet.line(/"msg":"serving".*"service":"b"/);
  write('services/b.ts', serviceSource('b', 'B'));
  await mended;
});

test('a service that is written into flotilla.yaml is started, more copies too, and mistakes change nothing', async () => {
  write('services/c.ts', serviceSource('c', 'C').replace('words.c', "'new'"));
  write(
    'gateway.yaml',
    readFileSync(join(folder, 'gateway.yaml'), 'utf8').concat(
      '  - { id: c, path: /c, to: service://c, auth: public }\n',
    ),
  );
  const serving = fleet.line(/"msg":"serving".*"service":"c"/);
  writeFleet('a: { run: services/a.ts, instances: 3 }', 'b: { run: services/b.ts }', 'c: { run: services/c.ts }');
  await fleet.line(/flotilla\.yaml changed: starting a\.3, c\.1/);
  await serving;
  while ((await fetch(`${fleet.gateway}/c`)).status !== 200) await ask('/b'); // until the gateway has read its routes
  assert.equal(pidsOf(fleet.state(), 'a').length, 3);

  const refused = fleet.line(/flotilla\.yaml refused.*instnaces/);
  writeFleet('a: { run: services/a.ts, instnaces: 1 }', 'b: { run: services/b.ts }');
  await refused;
  assert.equal(pidsOf(fleet.state(), 'a').length, 3);
});

test('a service or copy that is taken out of flotilla.yaml is drained and stopped', async () => {
  const pid = pidsOf(fleet.state(), 'c')[0] ?? 0;
  const stopping = fleet.line(/flotilla\.yaml changed: stopping a\.2, a\.3, c\.1/);
  writeFleet('a: { run: services/a.ts }', 'b: { run: services/b.ts }');
  await stopping;
  while (isAlive(pid)) await ask('/a');
  assert.equal(pidsOf(fleet.state(), 'a').length, 1);
});

test('what only another start takes in restarts its own service, and no request is refused', async () => {
  const [before] = pidsOf(fleet.state(), 'b');
  const restarting = fleet.line(/configuration of b changed: restarting/);
  writeFleet('a: { run: services/a.ts }', 'b: { run: services/b.ts, zone: east }');
  await restarting;
  while (pidsOf(fleet.state(), 'b')[0] === before || isAlive(before ?? 0)) await ask('/b');
  assert.match(await ask('/b'), /^B two \d+$/);
});

test('a service that is placed in another one has no process of its own, and its files restart the other one', async () => {
  const [pid] = pidsOf(fleet.state(), 'b');
  write(
    'services/a.ts',
    serviceSource('a', 'A').replace(
      "body: Buffer.from('A '",
      "body: Buffer.from(await (await app.fetch('http://b/b')).text()",
    ),
  );
  const stopping = fleet.line(/flotilla\.yaml changed: stopping b\.1/);
  writeFleet('a: { run: services/a.ts, placement: { b: process } }', 'b: { run: services/b.ts }');
  await stopping;
  while (isAlive(pid ?? 0)) await answerOf('/a');
  const placed = /^B two (\d+)two \1$/; // both texts come from one process
  while (!placed.test(await answerOf('/a')));
  assert.deepEqual(pidsOf(fleet.state(), 'b'), []);
  await changedUntil('services/b.ts', serviceSource('b', 'BB'), /services\/b\.ts changed: restarting a/);
  while (!(await answerOf('/a')).startsWith('BB two'));
});

test('Ctrl-C drains everything and leaves nothing behind', async () => {
  const { processes } = fleet.state();
  assert.equal(await fleet.stop(), 0);
  for (const { pid } of processes) assert.throws(() => process.kill(pid ?? 0, 0), { code: 'ESRCH' });
  assert.equal(existsSync(join(folder, '.flotilla/dev.json')), false);
});

/** Whatever the status is. */
async function answerOf(path: string): Promise<string> {
  return (await fetch(`${fleet.gateway}${path}`)).text();
}

async function changedUntil(name: string, text: string, line: RegExp): Promise<void> {
  const told = fleet.line(line);
  write(name, text);
  await told;
}

/** Whoever answers has the new word: asked often enough that both copies were. */
async function bothSay(path: string, word: string): Promise<boolean> {
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(path)));
  return answers.every((text) => text.startsWith(`${word} `));
}
