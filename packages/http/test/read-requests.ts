import assert from 'node:assert/strict';
import { type FlotillaError, toFlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { listenerDefaults } from '../src/engines/node/options.ts';
import { RequestParser } from '../src/engines/node/parser/request-parser.ts';
import type { RequestHead } from '../src/engines/node/request-head.ts';

/** What came of some bytes: requests as they were read, and how it ended. */
export interface Reading {
  readonly requests: { readonly head: RequestHead; body: string; whole: boolean }[];
  readonly refused: FlotillaError | undefined;
  readonly place: string;
}

/** Reads these bytes, as they are cut, until they are refused. */
export function read(pieces: Iterable<Buffer>, limits = listenerDefaults): Reading {
  const requests: Reading['requests'] = [];
  const last = (): Reading['requests'][number] => requests.at(-1) as Reading['requests'][number];
  const parser = new RequestParser(
    limits,
    {},
    {
      head: (head, body) =>
        requests.push({ head, body: body ? Buffer.from(body).toString('latin1') : '', whole: body !== undefined }),
      body: (bytes) => {
        last().body += Buffer.from(bytes).toString('latin1');
      },
      end: () => {
        last().whole = true;
      },
    },
  );
  try {
    for (const piece of pieces) assert.equal(parser.push(piece), piece.length);
  } catch (thrown) {
    return { requests, refused: toFlotillaError(thrown), place: 'refused' };
  }
  return { requests, refused: undefined, place: parser.place };
}

/** A text whose characters are bytes, in one piece. */
export const whole = (text: string): Buffer[] => [Buffer.from(text, 'latin1')];

/** Requests of every kind that there is. */
export const seeds = [
  'GET /a/b?c=d HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nx-own:  v \t\r\n\r\n',
  'PUT /eureka/apps/A/i-1 HTTP/1.1\r\nhost: h:80\r\nAccept-Encoding: gzip\r\n\r\nPUT /eureka/apps/A/i-2 HTTP/1.1\r\nhost: h:80\r\nAccept-Encoding: gzip\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\nU:\r\n\r\n',
  'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
  '\r\nOPTIONS * HTTP/1.0\r\nHost: [::1]:8080\r\nConnection: keep-alive\r\n\r\n',
  'GET http://a/x?y HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
];

const edit = fc.tuple(fc.nat(300), fc.nat(8), fc.string({ unit: 'binary-ascii', maxLength: 3 }));

/** The same with bytes cut out, put in and said twice. */
export const mangled = fc
  .tuple(fc.array(fc.constantFrom(...seeds), { minLength: 1, maxLength: 3 }), fc.array(edit, { maxLength: 3 }))
  .map(([parts, edits]) =>
    edits.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), parts.join('')),
  );
