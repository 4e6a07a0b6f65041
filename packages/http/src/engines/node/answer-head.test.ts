import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/core/testing';
import { HttpHeaders } from '../../headers.ts';
import { AnswerHeads } from './answer-head.ts';

const keep = { connection: 'keep', chunked: false } as const;

test('the head of an answer: its status, its fields, the date, what becomes of the connection', () => {
  const heads = new AnswerHeads(new ManualClock());
  const date = 'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n';
  const headers = new HttpHeaders([
    ['x-one', '1'],
    ['content-length', '0'],
  ]);
  const fields = 'HTTP/1.1 404 Not Found\r\nx-one: 1\r\ncontent-length: 0\r\n';
  assert.equal(heads.write(404, headers, keep), `${fields}${date}Connection: keep-alive\r\n\r\n`);
  assert.equal(
    heads.write(404, headers, { ...keep, connection: 'close' }),
    `${fields}${date}Connection: close\r\n\r\n`,
  );
  assert.equal(heads.write(404, headers, { ...keep, connection: 'end' }), `${fields}connection: close\r\n${date}\r\n`);
  assert.equal(
    heads.write(299, new HttpHeaders(), { ...keep, chunked: true }),
    `HTTP/1.1 299 Unknown\r\n${date}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
});

test('the date is that of the clock, forward and backward, to the second', async () => {
  const clock = new ManualClock({ epochMs: Date.UTC(2026, 0, 1, 0, 0, 0, 900) });
  const heads = new AnswerHeads(clock);
  const date = (): string | undefined => /Date: (.*)\r\n/.exec(heads.write(200, new HttpHeaders(), keep))?.[1];
  assert.equal(date(), 'Thu, 01 Jan 2026 00:00:00 GMT');
  await clock.advance(99);
  assert.equal(date(), 'Thu, 01 Jan 2026 00:00:00 GMT');
  await clock.advance(1);
  assert.equal(date(), 'Thu, 01 Jan 2026 00:00:01 GMT');
  clock.jumpWall(-86_400_000);
  assert.equal(date(), 'Wed, 31 Dec 2025 00:00:01 GMT');
});

test('a date that the answer has, as one that was forwarded does, stays the only one', () => {
  const heads = new AnswerHeads(new ManualClock());
  const head = heads.write(200, new HttpHeaders([['date', 'Thu, 01 Jan 1970 00:00:00 GMT']]), keep);
  assert.deepEqual(head.match(/^date: .*$/gim), ['date: Thu, 01 Jan 1970 00:00:00 GMT']);
});
