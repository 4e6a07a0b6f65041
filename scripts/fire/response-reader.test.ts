import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseReader } from './response-reader.ts';

const answers: readonly [claim: string, text: string, status: number, body: string][] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello'],
  ['no body', 'HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
  ['an empty body', 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n', 404, ''],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nb;x=y\r\n to\r\n\r\nall.\r\n0\r\nt: 1\r\n\r\n',
    200,
    'hello to\r\n\r\nall.',
  ],
  ['an interim answer', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok', 201, 'ok'],
];

for (const [claim, text, status, body] of answers) {
  test(`an answer with ${claim} is whole at its last byte, wherever it is cut on the way`, () => {
    for (let cut = 0; cut <= text.length; cut++) {
      const reader = new ResponseReader();
      reader.push(Buffer.from(text.slice(0, cut)));
      const before = reader.progress;
      reader.push(Buffer.from(text.slice(cut)));
      assert.equal(before, cut === 0 ? 'nothing' : cut === text.length ? 'whole' : 'begun', `cut at ${cut}`);
      assert.deepEqual([reader.progress, reader.status, reader.body], ['whole', status, body]);
    }
  });

  test(`an answer with ${claim} that ends before its last byte is not whole`, () => {
    const reader = new ResponseReader();
    reader.push(Buffer.from(text.slice(0, -1)));
    reader.end();
    assert.equal(reader.progress, 'begun');
  });
}

test('without length and chunks the end of the connection is the end of the answer', () => {
  const reader = new ResponseReader();
  reader.push(Buffer.from('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhel'));
  reader.push(Buffer.from('lo'));
  assert.equal(reader.progress, 'begun');
  reader.end();
  assert.deepEqual([reader.progress, reader.body, reader.closes], ['whole', 'hello', true]);
});

test('what is no answer, and what follows one, is refused', () => {
  assert.throws(() => new ResponseReader().push(Buffer.from('SSH-2.0-x\r\n\r\n')), /no status line/);
  const more = 'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n';
  assert.throws(() => new ResponseReader().push(Buffer.from(more)), /bytes after/);
});
