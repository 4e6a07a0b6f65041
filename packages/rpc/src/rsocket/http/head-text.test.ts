import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, parsePath } from '@flotilla/http';
import fc from 'fast-check';
import { readAnswer, writeAnswer } from './answer-text.ts';
import { answerFieldCodes, requestFieldCodes } from './field-codes.ts';
import { readRequest, writeRequest } from './request-text.ts';

interface Golden {
  readonly requestCodes: Readonly<Record<string, string>>;
  readonly answerCodes: Readonly<Record<string, string>>;
  readonly requests: readonly {
    readonly name: string;
    readonly method: string;
    readonly target: string;
    readonly authority: string;
    readonly fields: readonly (readonly [string, string])[];
    readonly text: string;
  }[];
  readonly answers: readonly {
    readonly name: string;
    readonly status: number;
    readonly fields: readonly (readonly [string, string])[];
    readonly text: string;
  }[];
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../../../../conformance/golden/rsocket-http.json', import.meta.url), 'utf8'),
);
const limits = { maxRequestLineBytes: 8_192, maxHeaderBytes: 16_384, maxHeaderFields: 64, maxFieldBytes: 8_192 };

function requestOf(method: string, target: string, authority: string): HttpRequest {
  const [path = '', query = ''] = target.split('?');
  return { method, authority, path: parsePath(path), query, headers: new HttpHeaders(), body: undefined };
}

it('golden: the codes of names', () => {
  const byCode = ({ codeOf }: typeof requestFieldCodes) =>
    Object.fromEntries([...codeOf].map(([name, code]) => [code, name]));
  assert.deepEqual(byCode(requestFieldCodes), golden.requestCodes);
  assert.deepEqual(byCode(answerFieldCodes), golden.answerCodes);
});

describe('heads of requests as text', () => {
  for (const { name, method, target, authority, fields, text } of golden.requests) {
    it(`golden: ${name}`, () => {
      const headers = new HttpHeaders(fields);
      assert.equal(writeRequest(requestOf(method, target, authority), headers), text);
      const read = readRequest(text, limits, {});
      assert.deepEqual(
        [read.method, read.path?.text, read.query, read.authority, [...read.headers]],
        [method, target.split('?')[0], target.split('?')[1] ?? '', authority, fields.map((field) => [...field])],
      );
    });
  }

  it('the target "*" of OPTIONS has no path', () => {
    const { path, query } = readRequest('OPTIONS * orders\n', limits, {});
    assert.deepEqual([path, query], [undefined, '']);
  });

  const refused: readonly (readonly [why: string, text: string, code: string])[] = [
    ['nothing', '', 'MALFORMED_REQUEST'],
    ['no end of the first line', 'GET / orders', 'MALFORMED_REQUEST'],
    ['no authority', 'GET /\n', 'MALFORMED_REQUEST'],
    ['an authority in the next line', 'GET /\nx orders\n', 'MALFORMED_REQUEST'],
    ['two blanks', 'GET  / orders\n', 'MALFORMED_REQUEST'],
    ['a version of HTTP/1.1', 'GET / HTTP/1.1 orders\n', 'MALFORMED_REQUEST'],
    ['an unknown method', 'GRAB / orders\n', 'MALFORMED_REQUEST'],
    ['a method in lower case', 'get / orders\n', 'MALFORMED_REQUEST'],
    ['CONNECT', 'CONNECT / orders\n', 'METHOD_NOT_ALLOWED'],
    ['TRACE', 'TRACE / orders\n', 'METHOD_NOT_ALLOWED'],
    ['an empty target', 'GET  orders\n', 'MALFORMED_REQUEST'],
    ['absolute form', 'GET http://orders/ orders\n', 'MALFORMED_REQUEST'],
    ['a target without a slash', 'GET a orders\n', 'MALFORMED_REQUEST'],
    ['a fragment', 'GET /a#b orders\n', 'MALFORMED_REQUEST'],
    ['8-bit characters in a target', 'GET /ä orders\n', 'MALFORMED_REQUEST'],
    ['"*" with GET', 'GET * orders\n', 'MALFORMED_REQUEST'],
    ['climbing above the root', 'GET /../a orders\n', 'MALFORMED_REQUEST'],
    ['an encoded slash', 'GET /a%2fb orders\n', 'MALFORMED_REQUEST'],
    ['user info', 'GET / me@orders\n', 'MALFORMED_REQUEST'],
    ['a list of hosts', 'GET / a,b\n', 'MALFORMED_REQUEST'],
    ['a second host', 'GET / orders\nhost:other\n', 'MALFORMED_REQUEST'],
    ['transfer-encoding', 'GET / orders\ntransfer-encoding:chunked\n', 'MALFORMED_REQUEST'],
    ['connection', 'GET / orders\nconnection:x-a\n', 'MALFORMED_REQUEST'],
    ['keep-alive', 'GET / orders\nkeep-alive:1\n', 'MALFORMED_REQUEST'],
    ['upgrade', 'GET / orders\nupgrade:websocket\n', 'MALFORMED_REQUEST'],
    ['expect', 'GET / orders\nexpect:100-continue\n', 'MALFORMED_REQUEST'],
    ['te', 'GET / orders\nte:trailers\n', 'MALFORMED_REQUEST'],
    ['two lengths', 'GET / orders\nH1\nH1\n', 'MALFORMED_REQUEST'],
    ['two lengths, one by its name', 'GET / orders\nH1\ncontent-length:1\n', 'MALFORMED_REQUEST'],
    ['a length with a sign', 'GET / orders\nH+1\n', 'MALFORMED_REQUEST'],
    ['a length of 16 digits', 'GET / orders\nH1234567890123456\n', 'MALFORMED_REQUEST'],
    ['an empty line', 'GET / orders\n\n', 'MALFORMED_REQUEST'],
    ['a field without a colon', 'GET / orders\nxyz\nx:1\n', 'MALFORMED_REQUEST'],
    ['a field without a name', 'GET / orders\n:1\n', 'MALFORMED_REQUEST'],
    ['a name in capitals', 'GET / orders\nx-A:1\n', 'MALFORMED_REQUEST'],
    ['a blank before the colon', 'GET / orders\nx :1\n', 'MALFORMED_REQUEST'],
    ['a folded line', 'GET / orders\nx:1\n 2\n', 'MALFORMED_REQUEST'],
    ['a blank before a value', 'GET / orders\nx: 1\n', 'MALFORMED_REQUEST'],
    ['a tab behind a value', 'GET / orders\nA1\t\n', 'MALFORMED_REQUEST'],
    ['CR in a value', 'GET / orders\nA1\r\n', 'MALFORMED_REQUEST'],
    ['NUL in a value', 'GET / orders\nA1\u00002\n', 'MALFORMED_REQUEST'],
    ['DEL in a value', 'GET / orders\nA1\u007f2\n', 'MALFORMED_REQUEST'],
    ['a character beyond a byte', 'GET / orders\nA\u0141\n', 'MALFORMED_REQUEST'],
    ['what was no UTF-8', 'GET / orders\nA\ufffd\n', 'MALFORMED_REQUEST'],
    ['a last line without an end', 'GET / orders\nA1', 'MALFORMED_REQUEST'],
    ['a code that is not given', 'GET / orders\n}1\n', 'MALFORMED_REQUEST'],
    ['a long target', `GET /${'a'.repeat(8_200)} orders\n`, 'TARGET_TOO_LONG'],
    ['a first line without an end that is too long', 'G'.repeat(8_200), 'TARGET_TOO_LONG'],
    ['too many fields', `GET / orders\n${'A1\n'.repeat(65)}`, 'HEADERS_TOO_LARGE'],
    ['a long field', `GET / orders\nA${'1'.repeat(8_200)}\n`, 'HEADERS_TOO_LARGE'],
    ['too many bytes', `GET / orders\n${`A${'1'.repeat(6_000)}\n`.repeat(3)}`, 'HEADERS_TOO_LARGE'],
  ];
  for (const [why, text, code] of refused) {
    it(`refused: ${why}`, () => {
      assert.throws(
        () => readRequest(text, limits, {}),
        (thrown) => codeOf(thrown) === code,
      );
    });
  }

  it('a limit that is passed is named with its number', () => {
    const few = { ...limits, maxHeaderFields: 2 };
    assert.throws(() => readRequest('GET / orders\nA1\nA1\nA1\n', few, {}), /more than 2 header fields/);
  });

  it('whatever is written is read again, field by field', () => {
    fc.assert(
      fc.property(fc.array(field(requestFieldCodes.codeOf), { maxLength: 20 }), (fields) => {
        const headers = new HttpHeaders(fields);
        const text = writeRequest(requestOf('GET', '/a?b', 'orders'), headers);
        assert.deepEqual([...readRequest(viaUtf8(text), limits, {}).headers], [...headers]);
      }),
    );
  });

  it('any text is read or refused with a code, and what is read is written as the same fields', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\n', '\r', ':', ' ', 'H', 'A', 'host', '\0', '1'),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 12 }), (parts) => {
        const text = `GET / orders\n${parts.join('')}\n`;
        let read: ReturnType<typeof readRequest>;
        try {
          read = readRequest(text, limits, {});
        } catch (thrown) {
          assert.match(codeOf(thrown), /^(?:MALFORMED_REQUEST|HEADERS_TOO_LARGE)$/);
          return;
        }
        const again = writeRequest(requestOf('GET', '/', 'orders'), read.headers);
        assert.deepEqual([...readRequest(again, limits, {}).headers], [...read.headers]);
        for (const [, value] of read.headers) assert.doesNotMatch(value, /[\r\n\0]/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('heads of answers as text', () => {
  for (const { name, status, fields, text } of golden.answers) {
    it(`golden: ${name}`, () => {
      assert.equal(writeAnswer({ status, headers: new HttpHeaders(fields) }), text);
      const read = readAnswer(text, limits, 'orders');
      assert.deepEqual([read.status, [...read.headers]], [status, fields.map((field) => [...field])]);
    });
  }

  const refused = [
    '',
    '200',
    '99\n',
    '100\n',
    '101\n',
    '600\n',
    '2000\n',
    ' 200\n',
    '200\nx:a\r\n',
    '200\nN1\nN1\n',
    '200\nconnection:x\n',
  ];
  for (const text of refused) {
    it(`refused: ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => readAnswer(text, limits, 'orders'),
        (thrown) => codeOf(thrown) === 'BAD_RESPONSE',
      );
    });
  }

  it('whatever is written is read again, field by field', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), fc.array(field(answerFieldCodes.codeOf)), (status, fields) => {
        const headers = new HttpHeaders(fields);
        const read = readAnswer(
          viaUtf8(writeAnswer({ status, headers })),
          { ...limits, maxHeaderFields: 1_000 },
          'orders',
        );
        assert.deepEqual([read.status, [...read.headers]], [status, [...headers]]);
      }),
    );
  });
});

/** Every name that has a code, some that have none, and values with all that may be in them. */
function field(codeOf: ReadonlyMap<string, string>): fc.Arbitrary<[string, string]> {
  const names = [...codeOf.keys()].filter((name) => name !== 'content-length');
  const visible = fc.integer({ min: 0x21, max: 0xff }).filter((code) => code < 0x7f || code > 0x7f);
  const inner = fc.oneof(visible, fc.constantFrom(0x20, 0x09));
  const value = fc
    .tuple(visible, fc.array(inner, { maxLength: 20 }), visible)
    .map(([first, middle, last]) => String.fromCharCode(first, ...middle, last));
  const name = fc.oneof(fc.constantFrom(...names), fc.stringMatching(/^x-[a-z0-9!#$%&'*+.^_`|~-]{1,10}$/));
  return fc.tuple(name, fc.oneof(value, fc.constant(''))).map(([key, text]) => [key, text]);
}

function viaUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

function codeOf(thrown: unknown): string {
  return thrown instanceof FlotillaError ? thrown.code : String(thrown);
}
