import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { HttpListener } from '@flotilla/http';
import { openShop } from './curl-shop.ts';

// Transcripts of a shell: lines that begin with `$ ` are commands, what follows is what they print. `UPDATE_GOLDEN=1` runs
// the commands again and writes what they print now. Only what differs from run to run is replaced: port, date, trace
// id, and the milliseconds of curl's own message.

const folder = join(import.meta.dirname, 'golden/curl');
const update = process.env['UPDATE_GOLDEN'] === '1';
const curlIsThere = spawnSync('curl', ['--version']).status === 0;
const skip =
  curlIsThere || process.env['CI'] === 'true' ? false : 'curl is not installed: transcripts were NOT checked';

describe('golden curl transcripts', { skip }, () => {
  let ports: Readonly<Record<string, HttpListener>> = {};

  before(async () => {
    assert.ok(curlIsThere, 'curl is not installed, and CI=true allows no gaps: install it');
    const { shop, management } = await openShop();
    ports = { 'localhost:8080': shop, 'localhost:9080': management };
  });
  after(() => Promise.all(Object.values(ports).map((listener) => listener.drain(1_000))));

  for (const name of readdirSync(folder).sort()) {
    it(name.replace('.txt', ''), async () => {
      const path = join(folder, name);
      const expected = readFileSync(path, 'utf8');
      let actual = '';
      for (const part of parts(expected)) {
        actual += part.comment;
        for (const command of part.commands) actual += `$ ${command}\n${await run(command, ports)}`;
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

/** Runs a command as it stands, only at the ports that the service and its management have this time. */
function run(command: string, ports: Readonly<Record<string, HttpListener>>): Promise<string> {
  let real = command;
  for (const [shown, { port }] of Object.entries(ports)) real = real.replaceAll(shown, `127.0.0.1:${port}`);
  return new Promise((resolve) => {
    execFile('sh', ['-c', `${real} 2>&1`], { timeout: 20_000 }, (_, output) => resolve(normal(output)));
  });
}

function normal(output: string): string {
  const text = output
    .replaceAll('\r\n', '\n')
    .replace(/^(date): .*$/gim, '$1: Thu, 01 Jan 2026 00:00:00 GMT')
    .replace(/"traceId":"[0-9a-f]{32}"/g, '"traceId":"00000000000000000000000000000001"')
    .replace(/after \d+ milliseconds/g, 'after 300 milliseconds');
  return text.endsWith('\n') ? text : `${text}\n`;
}
