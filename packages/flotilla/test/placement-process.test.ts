import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nullLogger, nullMeter } from '@flotilla/core';
import { openPlacedConfig } from '../src/placement/engines/open-placed-config.ts';
import { loadPlaced } from '../src/placement/engines/placed-app.ts';
import { children } from './child.ts';

const processes = children();
const { folder } = processes;
afterEach(() => processes.killAll());
after(() => processes.remove());

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));

/** A process of its own in a folder with this configuration; nothing listens where its registry would be. */
function start(placement: string, { run = fixture('placed'), flags = [] as readonly string[], more = '' } = {}) {
  const lines = [
    'services:',
    `  stock: { run: ${run}, drainNoticeMs: 0, ${more} }`,
    '  host:',
    '    drainNoticeMs: 0',
    `    placement: ${placement}`,
  ];
  writeFileSync(join(folder, 'flotilla.yaml'), `${lines.join('\n')}\n`);
  const args = ['--log.format=json', '--registry=http://127.0.0.1:1', ...flags];
  return processes.start(fixture('host'), args, {}, folder);
}

for (const [place, word] of [
  ['process', 'placed in this process'],
  ['worker', 'placed in a thread of this process'],
] as const) {
  for (const flags of [[], ['--transport=http']]) {
    test(`a process places a service as its configuration says: ${place} ${flags}`, async () => {
      const host = start(`{ stock: ${place} }`, { flags });
      await host.line(new RegExp(`"msg":"${word}".*"stock"`));
      const { url } = JSON.parse(await host.line(/"msg":"serving"/)) as { url: string };
      const answer = await fetch(`${url}/sum`);
      assert.deepEqual(await answer.json(), { sum: 42, pid: 'from the host seen', fetched: 'fetched' });
      host.process.kill('SIGTERM');
      assert.equal((await host.ended).code, 0);
    });
  }
}

test('what cannot be placed ends the start, with the key or the reason', async () => {
  for (const [placement, options, message] of [
    ['{ stock: thread }', {}, /placement\.stock.*"process", "worker", "remote"/s],
    ['{ host: worker }', {}, /placement\.host: "host" cannot be placed in itself/],
    ['{ films: worker }', {}, /placement names "films", but services\.films\.run, the module of it, is not in/],
    ['{ stock: process }', { run: fixture('slow') }, /"stock" cannot be placed: .*slow\.ts does not export it/],
    ['{ stock: worker }', { run: fixture('slow') }, /"stock" cannot be placed: .*slow\.ts does not export it/],
    [
      '{ stock: process }',
      { flags: ['--placed.stok.weight=1'] },
      /--placed\.stok\.weight: no service.*placed are stock/s,
    ],
    [
      '{ stock: worker }',
      { flags: ['--placed.stock.wight=1'] },
      /--wight: no key has this flag; did you mean --weight/,
    ],
    [
      '{ stock: process }',
      { more: 'placement: { films: worker }' },
      /services\.stock\.placement\.films: "stock" is itself/,
    ],
    ['{ stock: worker }', { run: '/nowhere.ts' }, /could not be placed in a thread|nowhere\.ts/],
  ] as const) {
    const { code, text } = await start(placement, options).ended;
    assert.equal(code, 1, placement);
    assert.match(text, message);
  }
});

test('what is placed keeps its own settings, whatever the process is set to', async () => {
  const file = join(folder, 'set.yaml');
  writeFileSync(file, 'services:\n  shelf: { weight: 3, settings: { title: of the shelf } }\n');
  const ofTheProcess = { registry: ['http://127.0.0.1:1'], zone: 'a', stateDir: 'state', drainMs: 7 };
  const source = {
    ...{ name: 'shelf', module: new URL('fixtures/shelf.ts', import.meta.url).href, files: [file] },
    ...{ args: [], env: {}, inProcess: [] },
    shared: Object.assign(ofTheProcess, { weight: 1, settings: { title: 'of the process' } }),
  };
  const needs = { logger: nullLogger, meter: nullMeter, outdated() {} };
  const opened = await openPlacedConfig(await loadPlaced(source), source, needs);
  const config = opened.now;
  await opened.close();
  assert.deepEqual(config.settings, { title: 'of the shelf', place: 'here', token: undefined });
  assert.deepEqual([config.weight, config.zone, config.stateDir, config.drainMs], [3, 'a', 'state', 7]);
});

for (const place of ['process', 'worker'] as const) {
  test(`what is placed has flags and variables of its own, and follows its part of the file: ${place}`, async () => {
    const configured = (shelf: string): void =>
      writeFileSync(
        join(folder, 'flotilla.yaml'),
        `services:
  shelf: { run: ${fixture('shelf')}, settings: { ${shelf} } }
  host: { drainNoticeMs: 0, placement: { shelf: ${place} } }
`,
      );
    configured('title: first');
    const key = join(folder, 'token');
    writeFileSync(key, 'a long secret', { mode: 0o600 });
    const host = processes.start(
      fixture('host'),
      ['--log.format=json', '--registry=http://127.0.0.1:1', '--placed.shelf.settings.place=attic'],
      { FLOTILLA_PLACED_SHELF_SETTINGS_TOKEN_FILE: key },
      folder,
    );
    const { url } = JSON.parse(await host.line(/"msg":"serving"/)) as { url: string };
    const title = async (): Promise<string> => (await fetch(`${url}/title`)).text();
    assert.equal(await title(), 'first attic a long secret');
    configured('title: second');
    while ((await title()) !== 'second attic a long secret');
    configured('title: 5, nothing: 6');
    await host.line(/nothing/);
    assert.equal(await title(), 'second attic a long secret');
    host.process.kill('SIGTERM');
    assert.equal((await host.ended).code, 0);
  });
}
