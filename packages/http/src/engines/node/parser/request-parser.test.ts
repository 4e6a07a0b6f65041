import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { malformedRequests, wellFormedRequests } from '../../../../test/malformed-requests.ts';
import { mangled, type Reading, read, seeds, whole } from '../../../../test/read-requests.ts';
import { listenerDefaults } from '../options.ts';
import { fieldName } from './field-names.ts';
import { methodOf } from './methods.ts';
import { RequestParser } from './request-parser.ts';

/** All of it, comparable. */
function shown({ requests, refused, place }: Reading): unknown {
  return {
    requests: requests.map(({ head: { method, target, path, query, fields }, body, whole }) => {
      const { headers, ...said } = fields;
      return { method, target, path, query, said, headers: headers.toFlat(), body, whole };
    }),
    refused: refused && [refused.httpStatus, refused.code, refused.detail],
    place,
  };
}

function* everyByte(text: string): Generator<Buffer> {
  for (const byte of Buffer.from(text, 'latin1')) yield Buffer.from([byte]);
}

function* cutAt(text: string, at: number): Generator<Buffer> {
  yield Buffer.from(text.slice(0, at), 'latin1');
  if (at < text.length) yield Buffer.from(text.slice(at), 'latin1');
}

const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const chunked = (body: string): string => `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;

describe('requests are read the same however their bytes are cut', () => {
  it('in one piece and byte by byte: every request of the suites', () => {
    for (const { name, bytes } of [...malformedRequests, ...wellFormedRequests]) {
      const text = bytes.slice(0, 60_000);
      assert.deepEqual(shown(read(everyByte(text))), shown(read(whole(text))), name);
    }
  });

  it('in two pieces, cut at every place', () => {
    for (const text of seeds) {
      const expected = shown(read(whole(text)));
      for (let at = 0; at <= text.length; at++)
        assert.deepEqual(shown(read(cutAt(text, at))), expected, `cut at ${at}`);
    }
  });

  it('mangled ones too: bytes cut out, put in and said twice', () => {
    const limits = {
      ...listenerDefaults,
      maxRequestLineBytes: 60,
      maxHeaderBytes: 120,
      maxFieldBytes: 60,
      maxHeaderFields: 6,
    };
    const property = fc.property(mangled, fc.boolean(), (text, tight) => {
      const given = tight ? limits : listenerDefaults;
      const expected = shown(read(whole(text), given));
      assert.deepEqual(shown(read(everyByte(text), given)), expected);
      const middle = text.length >> 1;
      assert.deepEqual(shown(read(cutAt(text, middle), given)), expected);
    });
    fc.assert(property, { numRuns: 2_000, seed: 42 });
  });
});

describe('what a request is read as', () => {
  it('fields in their order, names in lower case, values without the blanks around them', () => {
    const [request] = read(
      whole(get('X-One:1\r\nx-one: \t 2\t \r\nACCEPT-encoding:\r\nX-\xc0: \xe9\r\n'.replace('X-\xc0', 'X-Eight'))),
    ).requests;
    assert.deepEqual(request?.head.fields.raw, [
      ...['host', 'a'],
      ...['x-one', '1'],
      ...['x-one', '2'],
      ...['accept-encoding', ''],
      ...['x-eight', '\xe9'],
    ]);
  });

  it('a body that came with its head, whole; one that did not, in parts; chunks without their frames', () => {
    const text = `${seeds[2]}${seeds[3]}`;
    const { requests, place } = read(whole(text));
    assert.deepEqual(
      requests.map(({ body, whole }) => [body, whole]),
      [
        ['hello', true],
        ['hello0123456789', true],
      ],
    );
    assert.equal(place, 'between');
    assert.equal(read(whole(text.slice(0, -1))).place, 'body');
    assert.equal(read(whole('\r\n')).place, 'head');
    assert.equal(read(whole('GET / HTTP/1.1\r\n')).place, 'head');
  });

  it('whether the connection goes on: RFC 9112 §9.3', () => {
    for (const [version, connection, expected] of [
      ['1.1', '', true],
      ['1.1', 'Connection: close\r\n', false],
      ['1.1', 'Connection: x, Close\r\n', false],
      ['1.1', 'Connection: x\r\nConnection: close\r\n', false],
      ['1.1', 'Connection: closed\r\n', true],
      ['1.0', '', false],
      ['1.0', 'Connection: Keep-Alive\r\n', true],
      ['1.0', 'Connection: keep-alive, close\r\n', false],
    ] as const) {
      const [request] = read(whole(`GET / HTTP/${version}\r\nHost: a\r\n${connection}\r\n`)).requests;
      assert.equal(request?.head.fields.keepAlive, expected, `${version} ${connection}`);
    }
  });

  it('fields that are those of the request before, byte for byte: as if they had been read', () => {
    const first = 'GET /1 HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n';
    for (const second of [
      first,
      first.replace('/1 ', '/2?q '),
      first.replace('X: 1', 'X: 2'),
      first.replace('X: 1', 'X: 11'),
    ]) {
      const [, after] = read(whole(first + second)).requests;
      const [alone] = read(whole(second)).requests;
      assert.deepEqual(
        { ...after?.head, fields: { ...after?.head.fields, headers: undefined } },
        { ...alone?.head, fields: { ...alone?.head.fields, headers: undefined } },
      );
      assert.deepEqual(after?.head.fields.headers.toFlat(), alone?.head.fields.headers.toFlat());
    }
  });

  it('limits are exact, and refused before the end of a line that is too long', () => {
    const limits = {
      ...listenerDefaults,
      maxRequestLineBytes: 20,
      maxFieldBytes: 30,
      maxHeaderBytes: 60,
      maxHeaderFields: 3,
    };
    const status = (text: string): number => read(whole(text), limits).refused?.httpStatus ?? 200;
    assert.equal(status(`GET /${'a'.repeat(6)} HTTP/1.1\r\nHost: a\r\n\r\n`), 200);
    assert.equal(status(`GET /${'a'.repeat(7)} HTTP/1.1\r\nHost: a\r\n\r\n`), 414);
    assert.equal(status(`GET /${'a'.repeat(20)}`), 414);
    assert.equal(status(get(`X: ${'y'.repeat(25)}\r\n`)), 200);
    assert.equal(status(get(`X: ${'y'.repeat(26)}\r\n`)), 431);
    assert.equal(status(`GET / HTTP/1.1\r\nX: ${'y'.repeat(30)}`), 431);
    assert.equal(status(get('X: y\r\nX: y\r\n')), 200);
    assert.equal(status(get('X: y\r\nX: y\r\nX: y\r\n')), 431);
    assert.equal(status(get(`X: ${'y'.repeat(25)}\r\nY: ${'y'.repeat(15)}\r\n`)), 200, '9 + 30 + 20 is 59');
    assert.equal(status(get(`X: ${'y'.repeat(25)}\r\nY: ${'y'.repeat(17)}\r\n`)), 431);
  });

  it('chunks have the bounds of their spelling', () => {
    const status = (body: string): number => read(whole(chunked(body))).refused?.httpStatus ?? 200;
    const end = '0\r\n\r\n';
    assert.equal(status(`000000000000005\r\nhello\r\n${end}`), 200);
    assert.equal(status(`0000000000000005\r\nhello\r\n${end}`), 400);
    assert.equal(status('fffffffffffffff\r\n'), 400);
    assert.equal(status(`5;${'x'.repeat(1_024)}\r\nhello\r\n${end}`), 200);
    assert.equal(status(`5;${'x'.repeat(1_000)}\r\nhello\r\n1;${'x'.repeat(25)}\r\n1\r\n${end}`), 400);
    assert.equal(status(`0\r\nX: ${'y'.repeat(4_000)}\r\n\r\n`), 200);
    assert.equal(status(`0\r\n${`X: ${'y'.repeat(990)}\r\n`.repeat(5)}\r\n`), 400);
  });

  it('chunk extensions are names with tokens or quoted strings, without blanks: RFC 9112 §7.1.1', () => {
    const status = (extension: string): number =>
      read(whole(chunked(`1${extension}\r\nx\r\n0\r\n\r\n`))).refused?.httpStatus ?? 200;
    for (const good of ['', ';a', ';a;b', ';a=b', ';a=b;c="d;\\" \xe9";e']) assert.equal(status(good), 200, good);
    const bad = [
      ';',
      ';a;',
      ';=b',
      ';a=',
      ';"a"',
      ';a=b=c',
      ';a="b',
      ';a="b"c',
      ';a ;b',
      ' ;a',
      ';a="\\',
      ';a\t',
      ';a="\x01"',
    ];
    for (const extension of bad) assert.equal(status(extension), 400, extension);
  });

  it('a refusal says what could be read, unless the bytes are no request at all', () => {
    const readable = (text: string): unknown => {
      const parser = new RequestParser(listenerDefaults, {}, { head: () => {}, body: () => {}, end: () => {} });
      assert.throws(() => parser.push(Buffer.from(text, 'latin1')));
      return parser.readable;
    };
    const known = { method: 'GET', accept: 'text/html' };
    assert.deepEqual(readable(get('Accept: text/html\r\nHost: b\r\n')), known);
    assert.deepEqual(readable(get(`Accept: text/html\r\n${'X: y\r\n'.repeat(70)}`)), known);
    assert.deepEqual(readable('GET /.. HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n'), known);
    const good = get('Accept: text/html\r\n');
    assert.deepEqual(readable(good + good.replace('/', '/..')), known);
    assert.equal(readable(get('Accept: text/html\r\nno colon\r\n')), undefined);
  });

  it('after it was told to stop, in an event, nothing more is read', () => {
    const heads: string[] = [];
    const parser: RequestParser = new RequestParser(
      listenerDefaults,
      {},
      {
        head: ({ target }) => {
          heads.push(target);
          parser.stop();
        },
        body: () => assert.fail(),
        end: () => assert.fail(),
      },
    );
    const text = Buffer.from(`${get('')}\x81\x05`, 'latin1');
    assert.equal(parser.push(text.subarray(0, 10)), 10);
    assert.equal(parser.push(text.subarray(10)), text.length - 12);
    assert.equal(parser.push(text), 0);
    assert.deepEqual(heads, ['/']);
  });
});

describe('tables', () => {
  it('a common name is the same in any case, and one that only resembles it is not taken for it', () => {
    for (const [text, name] of [
      ['Content-Length', 'content-length'],
      ['USER-AGENT', 'user-agent'],
      ['Content_Length', 'content_length'],
      ['~ost', '~ost'],
      ['X-Forwarded-Far', 'x-forwarded-far'],
      ['h', 'h'],
    ] as const) {
      const bytes = Buffer.from(` ${text}:`);
      assert.equal(fieldName(bytes, 1, bytes.length - 1), name);
    }
  });

  it('methods are read as they are spelled', () => {
    for (const [text, method] of [
      ['GET', 'GET'],
      ['get', undefined],
      ['GEX', undefined],
      ['M-SEARCH', 'M-SEARCH'],
      ['QUERY', 'QUERY'],
      ['', undefined],
      ['A'.repeat(100), undefined],
    ] as const) {
      assert.equal(methodOf(Buffer.from(text), 0, text.length), method, text);
    }
  });
});
