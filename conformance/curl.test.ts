import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { curlServers, type OpenServer } from './curl-servers.ts';

// Transcripts of a shell: lines that begin with `$ ` are commands, what follows is what they print. `UPDATE_GOLDEN=1` runs
// the commands again and writes what they print now. Only what differs from run to run is replaced: port, dates, trace
// id, and the milliseconds of curl's own message. The address in a command says which server it is for: see
// `curl-servers.ts`.

const folder = join(import.meta.dirname, 'golden/curl');
const update = process.env['UPDATE_GOLDEN'] === '1';
const curlIsThere = spawnSync('curl', ['--version']).status === 0;
const skip =
  curlIsThere || process.env['CI'] === 'true' ? false : 'curl is not installed: transcripts were NOT checked';

describe('golden curl transcripts', { skip }, () => {
  before(() => assert.ok(curlIsThere, 'curl is not installed, and CI=true allows no gaps: install it'));

  for (const name of readdirSync(folder).sort()) {
    it(name.replace('.txt', ''), async () => {
      const path = join(folder, name);
      const expected = readFileSync(path, 'utf8');
      let actual = '';
      const servers = await openServers(expected);
      try {
        for (const part of parts(expected)) {
          actual += part.comment;
          for (const command of part.commands) actual += `$ ${command}\n${await run(command, servers)}`;
        }
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
      if (update) writeFileSync(path, actual);
      else assert.equal(actual, expected);
    });
  }
});

interface Part {
  readonly comment: string;
  readonly commands: readonly string[];
}

/** A comment at the top (lines with `#`), then commands with their output. */
function parts(transcript: string): Part[] {
  const lines = transcript.split('\n');
  const comment = lines.filter((line) => line.startsWith('#')).map((line) => `${line}\n`);
  const commands = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
  assert.ok(commands.length > 0, 'a transcript without a command shows nothing');
  return [{ comment: comment.join(''), commands }];
}

/** Those that the commands of a transcript name. */
async function openServers(transcript: string): Promise<readonly OpenServer[]> {
  const addresses = new Set(transcript.match(/(?<=^\$ .*)\blocalhost:\d+/gm));
  assert.ok(addresses.size > 0, 'no command names a server');
  const known = new Set(curlServers.flatMap((server) => server.addresses));
  for (const address of addresses)
    assert.ok(known.has(address), `no server is known as ${address}: see curl-servers.ts`);
  const named = curlServers.filter((server) => server.addresses.some((address) => addresses.has(address)));
  return Promise.all(named.map((server) => server.open()));
}

/** Runs a command as it stands, only at the ports that the servers have this time. */
function run(command: string, servers: readonly OpenServer[]): Promise<string> {
  let real = command;
  for (const { ports } of servers) {
    for (const [address, port] of Object.entries(ports)) real = real.replaceAll(address, `127.0.0.1:${port}`);
  }
  return new Promise((resolve) => {
    const cwd = servers.find(({ folder: own }) => own !== undefined)?.folder;
    execFile('sh', ['-c', `${real} 2>&1`], { timeout: 20_000, cwd }, (_, output) => resolve(normal(output)));
  });
}

function normal(output: string): string {
  const text = output
    .replaceAll('\r\n', '\n')
    .replace(/^(date): .*$/gim, '$1: Thu, 01 Jan 2026 00:00:00 GMT')
    .replace(/"traceId":"[0-9a-f]{32}"/g, '"traceId":"00000000000000000000000000000001"')
    .replace(/(?<="timestamp":"|<timestamp>)[-0-9T:.]+\+00:00/g, '2026-01-01T00:00:00.000+00:00')
    .replace(/after \d+ milliseconds/g, 'after 300 milliseconds');
  return text.endsWith('\n') ? text : `${text}\n`;
}
