import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { HttpHeaders, type HttpResponse, parsePath } from '@flotilla/http';
import { type KeptFileOptions, keptFile } from './kept-file.ts';
import { privateAnswers } from './private-answers.ts';

const call = (): Call => new Call({ clock: new ManualClock(), random: () => 0 });

function asking(handler: ReturnType<typeof keptFile>): (known?: string) => Promise<HttpResponse> {
  return async (known) =>
    handler(
      {
        ...{ method: 'GET', authority: 'a', path: parsePath('/'), query: '', body: undefined },
        headers: new HttpHeaders(known === undefined ? [] : [['if-none-match', known]]),
      },
      call(),
    );
}

const text = (body: HttpResponse['body']): string => new TextDecoder().decode(body as Uint8Array);
const page: KeptFileOptions = { load: () => 'a page', type: 'text/plain' };

test('a file is loaded once, when somebody asks, and a browser that has it is told so', async () => {
  let loaded = 0;
  const ask = asking(keptFile({ ...page, load: () => `version ${++loaded}` }));
  assert.equal(loaded, 0);
  const first = await ask();
  assert.deepEqual(
    [first.status, text(first.body), first.headers.get('content-type')],
    [200, 'version 1', 'text/plain'],
  );
  const tag = first.headers.get('etag') ?? '';
  const again = await ask(`"other", W/${tag}`);
  assert.deepEqual([again.status, again.body, again.headers.has('content-type')], [304, undefined, false]);
  assert.deepEqual([again.headers.get('etag'), again.headers.get('cache-control')], [tag, 'no-cache']);
  assert.equal((await ask('"other"')).status, 200);
  assert.equal(loaded, 1);
});

test('another content is another tag, and what may be done with it is said', async () => {
  const policy = "default-src 'none'";
  const [one, two] = await Promise.all(
    ['one', 'two'].map((content) =>
      asking(keptFile({ ...page, load: () => new TextEncoder().encode(content), contentSecurityPolicy: policy }))(),
    ),
  );
  assert.notEqual(one?.headers.get('etag'), two?.headers.get('etag'));
  assert.equal(one?.headers.get('content-security-policy'), policy);
  assert.equal(one?.headers.get('x-content-type-options'), 'nosniff');
});

test('a file that cannot be loaded is tried again', async () => {
  let broken = true;
  const load = (): string => {
    if (broken) throw new Error('no such file');
    return 'here it is';
  };
  const ask = asking(keptFile({ ...page, load }));
  await assert.rejects(ask(), /no such file/);
  broken = false;
  assert.equal(text((await ask()).body), 'here it is');
});

test('answers are their visitor’s, unless they say otherwise', async () => {
  const answered = async (fields: readonly (readonly [string, string])[]): Promise<string | undefined> => {
    const handler = privateAnswers()(async () => ({ status: 200, headers: new HttpHeaders(fields), body: undefined }));
    const { headers } = await asking(handler)();
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    return headers.get('cache-control');
  };
  assert.equal(await answered([]), 'no-store');
  assert.equal(await answered([['cache-control', 'public, max-age=60']]), 'public, max-age=60');
});
