import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { nullLogger } from '@flotilla/core';
import { bind, openApiMediaType, openApiOf } from '@flotilla/rpc';
import { bytes, command, contract, form, multipart, post } from '@flotilla/rpc/contract';
import { createHealth, managementHandler, prometheusMeter } from '@flotilla/telemetry';
import * as z from 'zod';
import { type Serving, serving } from '../../test/serving.ts';
import { call as callWith } from './call.ts';
import { openapi } from './openapi.ts';
import type { Output } from './output.ts';

const albums = contract(
  { name: 'albums', version: 1 },
  {
    login: command({ in: z.object({ n: z.int() }), out: z.int(), http: post('/login', { body: form() }) }),
    store: command({ out: z.int(), http: post('/stored', { body: bytes({ type: 'image/png' }) }) }),
    add: command({
      in: z.object({ title: z.string() }),
      out: z.string(),
      http: post('/albums', { body: multipart({ type: 'image/png', fileFields: ['picture'] }) }),
    }),
  },
);
const { size } = await import('node:fs/promises').then(({ stat }) => stat(import.meta.filename));
let fleet: Serving;

before(async () => {
  const binding = bind(albums, {
    login: ({ n }) => n,
    store: ({ body }) => body.byteLength,
    async add({ title, files }) {
      const seen = [title];
      for await (const { field, name, content } of files)
        seen.push(`${field} ${name} ${(await Array.fromAsync(content)).length > 0}`);
      return seen.join(', ');
    },
  });
  fleet = await serving(binding, () => ({
    document: openApiOf([albums], { title: 'albums' }).document,
    mediaType: openApiMediaType,
    url: undefined,
  }));
});
after(() => fleet.end());

const noInput = { async *[Symbol.asyncIterator]() {} };

function call(operation: string, fields: readonly string[], output: Output): Promise<void> {
  const parts = { client: fleet.client, input: noInput, interrupted: new AbortController().signal };
  return callWith(parts, { operation }, fields, output);
}

async function printed(work: (output: { print(text: string): void; json: boolean }) => Promise<void>): Promise<string> {
  const lines: string[] = [];
  await work({ print: (text) => void lines.push(text), json: false });
  return lines.join('\n');
}

test('a form, the bytes of a file and a form with files are sent as their operations take them', async () => {
  assert.equal(await printed((output) => call('albums.login', ['--n', '7'], output)), '7');
  const file = `@${import.meta.filename}`;
  assert.equal(await printed((output) => call('albums.store', ['--body', file], output)), String(size));
  const fields = ['--title', 'sea', '--files', file, '--files', file];
  assert.equal(
    await printed((output) => call('albums.add', fields, output)),
    'sea, picture bodies.test.ts true, picture bodies.test.ts true',
  );
});

test('a file that is missing, in the command or on the disk, is named', async () => {
  const refused = (fields: string[], message: RegExp) =>
    assert.rejects(
      printed((output) => call('albums.store', fields, output)),
      { code: 'INVALID_INPUT', message },
    );
  await refused([], /"body" is a file: --body @path/);
  await refused(['--body', 'text'], /"text" is no file; files are written @path/);
  await refused(['--body', '@/nowhere/at/all'], /"\/nowhere\/at\/all" cannot be read/);
});

test('the document of a service is printed; a process without contracts has none', async () => {
  const text = await printed((output) => openapi(fleet.managementUrl, 'albums', output));
  assert.deepEqual(Object.keys(JSON.parse(text).paths), ['/login', '/stored', '/albums']);
  const health = createHealth();
  const info = {
    health,
    meter: prometheusMeter({ processMetrics: false }),
    logger: nullLogger,
    config: () => [],
    info: () => ({}),
  };
  const other = await fleet.listen(managementHandler(info));
  await assert.rejects(
    printed((output) => openapi(other, 'gateway', output)),
    {
      code: 'NO_ROUTE',
      message: /"gateway" serves no contracts/,
    },
  );
});
