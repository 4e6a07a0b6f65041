import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom } from '@flotilla/core';
import { anInstance } from '@flotilla/core/testing';
import { nodeNetwork } from '@flotilla/http/node';
import { createRegistry, registryHandler } from '@flotilla/registry/server';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A registry with more instances than a pipe holds. */
async function registryUrl(): Promise<string> {
  const parts = { clock: systemClock, random: systemRandom };
  const registry = createRegistry(parts);
  await registry.start();
  for (let at = 0; at < 2_000; at++) registry.register(anInstance({ id: `orders-${at}` }));
  const listener = await nodeNetwork(parts).listen({ host: '127.0.0.1', port: 0 }, registryHandler(registry));
  stops.push(
    () => registry.stop('test'),
    () => listener.drain(1_000),
  );
  return `http://127.0.0.1:${listener.port}`;
}

/** Runs a command whose reader leaves after its first words. */
async function readOnce(args: readonly string[]) {
  const child = spawn(process.execPath, ['--conditions=flotilla-source', main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  stops.push(async () => child.kill('SIGKILL'));
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaints += text;
  });
  const [first] = await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code, signal] = await once(child, 'exit');
  return { first: String(first), code, signal, complaints };
}

for (const args of [['instances'], ['instances', '--json'], ['watch', 'orders'], ['watch', '--json']]) {
  test(`flotilla ${args.join(' ')} ends quietly when its reader leaves`, { timeout: 60_000 }, async () => {
    const { first, ...end } = await readOnce([...args, '--url', await registryUrl()]);
    assert.match(first, /orders/);
    assert.deepEqual(end, { code: 0, signal: null, complaints: '' });
  });
}

test('a disk that is full is a failure, and said', { timeout: 60_000 }, async (t) => {
  // A device of Linux alone: elsewhere nothing else is full at will. In CI it has to be there.
  if (!existsSync('/dev/full') && process.env['CI'] !== 'true') return t.skip('this system has no /dev/full');
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const args = ['--conditions=flotilla-source', main, 'instances', '--url', await registryUrl()];
  const child = spawn(process.execPath, args, { stdio: ['ignore', full, 'pipe'] });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    complaints += text;
  });
  const [code] = await once(child, 'exit');
  assert.equal(code, 1);
  assert.match(complaints, /^what this command says cannot be written: ENOSPC/);
});
