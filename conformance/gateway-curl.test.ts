import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock, systemRandom } from '@flotilla/core';
import { checkRoutes, createGateway, outsideCalls } from '@flotilla/gateway';
import { HttpHeaders, type HttpListener } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';

// Transcripts of a shell against a gateway; read and renewed (`UPDATE_GOLDEN=1`) as those against a service are.

const folder = join(import.meta.dirname, 'golden/curl-gateway');
const update = process.env['UPDATE_GOLDEN'] === '1';
const curlIsThere = spawnSync('curl', ['--version']).status === 0;
const skip =
  curlIsThere || process.env['CI'] === 'true' ? false : 'curl is not installed: transcripts were NOT checked';

describe('golden curl transcripts of a gateway', { skip }, () => {
  let close: (() => Promise<void>) | undefined;
  let port = 0;

  before(async () => {
    assert.ok(curlIsThere, 'curl is not installed, and CI=true allows no gaps: install it');
    ({ port, close } = await openGateway());
  });
  after(() => close?.());

  for (const name of readdirSync(folder).sort()) {
    it(name.replace('.txt', ''), async () => {
      const path = join(folder, name);
      const expected = readFileSync(path, 'utf8');
      const lines = expected.split('\n');
      let actual = lines.filter((line) => line.startsWith('#')).join('\n');
      const commands = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
      assert.ok(commands.length > 0, 'a transcript without a command shows nothing');
      for (const command of commands) actual += `\n$ ${command}\n${await run(command, port)}`;
      if (update) writeFileSync(path, `${actual}\n`);
      else assert.equal(`${actual}\n`, expected);
    });
  }
});

/** A chat that says good bye as soon as a socket is open, behind a gateway; the registry of this world knows nobody. */
async function openGateway(): Promise<{ port: number; close(): Promise<void> }> {
  const needs = { clock: systemClock, random: systemRandom };
  const inside = nodeNetwork(needs);
  const chat = await inside.listen({ host: '127.0.0.1', port: 0 }, async ({ upgrade }) => ({
    status: upgrade ? 101 : 200,
    headers: new HttpHeaders(upgrade ? [['sec-websocket-protocol', 'chat']] : []),
    body: upgrade ? nothing() : Buffer.from('no socket\n'),
  }));
  const resolver = {
    watch(_: unknown, say: (set: { instances: []; warming: false }) => void) {
      say({ instances: [], warming: false });
      return { close() {} };
    },
  };
  const gateway = createGateway({ ...needs, network: inside, resolver });
  const to = `http://127.0.0.1:${chat.port}`;
  gateway.apply(
    checkRoutes({
      routes: [
        { id: 'chat', path: '/chat', to, auth: 'public', webSocket: true },
        { id: 'plain', path: '/plain', to, auth: 'public' },
        { id: 'nobody', path: '/nobody', to: 'service://nobody', auth: 'public' },
      ],
    }),
  );
  const outside = nodeNetwork({ ...needs, makeCall: outsideCalls(needs) });
  const door: HttpListener = await outside.listen({ host: '127.0.0.1', port: 0 }, gateway.handler);
  return {
    port: door.port,
    async close() {
      await door.drain(1_000);
      await gateway.close();
      await chat.drain(1_000);
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function run(command: string, port: number): Promise<string> {
  const real = command.replaceAll('localhost:8080', `127.0.0.1:${port}`);
  return new Promise((resolve) => {
    execFile('sh', ['-c', `${real} 2>&1`], { timeout: 20_000 }, (_, output) => resolve(normal(output)));
  });
}

/** What differs from run to run: date, trace id. */
function normal(output: string): string {
  return output
    .replaceAll('\r\n', '\n')
    .replace(/^(date): .*$/gim, '$1: Thu, 01 Jan 2026 00:00:00 GMT')
    .replace(/\b[0-9a-f]{32}\b/g, '00000000000000000000000000000001')
    .trimEnd();
}
