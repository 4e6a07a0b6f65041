import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Busboy } from '@fastify/busboy';
import { Call, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import fc from 'fast-check';
import { boundaryOf, type MultipartLimits, MultipartReader } from './multipart.ts';
import { multipartBody, type PartToSend } from './multipart-body.ts';

interface Read {
  readonly name: string;
  readonly rawFileName: string | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

const limits: MultipartLimits = {
  maxBytes: 1_000_000,
  maxParts: 100,
  maxPartHeaderBytes: 2_000,
  maxPartHeaderLines: 8,
};
const utf8 = new TextEncoder();
const call = (): Call => new Call({ clock: new ManualClock(), random: seededRandom(1) });

suite('MultipartReader', () => {
  test('reads fields and files, however the body is cut', () =>
    fc.assert(
      fc.asyncProperty(partsArbitrary, fc.array(fc.nat({ max: 40 }), { maxLength: 50 }), async (parts, cuts) => {
        const { body } = multipartBody(parts, 'xyz');
        assert.deepEqual(await readAll(cut(await joinedBody(body), cuts)), parts.map(expected));
      }),
    ));

  test('reads a body byte by byte, with beginnings of a boundary in its content', async () => {
    const tricky = '\r\n--x\r\n--xy\r\n-\r\r\n--xyz'.slice(0, -1);
    const bytes = await joinedBody(multipartBody([part('a', tricky), part('b', '\r\n')], 'xyz').body);
    const read = await readAll([...bytes].map((byte) => Uint8Array.of(byte)));
    assert.deepEqual(
      read.map(({ text }) => text),
      [tricky, '\r\n'],
    );
  });

  test('reads what the platform writes, and writes what the platform and a library read', () =>
    fc.assert(
      fc.asyncProperty(partsArbitrary, async (parts) => {
        const form = new FormData();
        for (const { name, fileName, type, content } of parts) {
          const text = new TextDecoder().decode(content as Uint8Array);
          if (fileName === undefined) form.append(name, text);
          else
            form.append(
              name,
              new File([content as Uint8Array<ArrayBuffer>], fileName, type === undefined ? {} : { type }),
              fileName,
            );
        }
        const written = new Response(form);
        const contentType = written.headers.get('content-type') ?? '';
        const read = await readAll([await written.bytes()], boundaryOf(contentType));
        // The platform turns line ends of texts into CRLF.
        const normal = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n');
        assert.deepEqual(
          read.map(({ name, rawFileName, text }) => [
            name,
            rawFileName,
            rawFileName === undefined ? normal(text) : text,
          ]),
          parts.map((one) => [
            one.name,
            one.fileName,
            one.fileName === undefined ? normal(expected(one).text) : expected(one).text,
          ]),
        );
        const ours = multipartBody(parts, 'xyz');
        const bytes = await joinedBody(ours.body);
        assert.equal(ours.length, bytes.byteLength);
        assert.deepEqual(
          await readByBusboy(ours.contentType, bytes),
          parts.map((one) => [one.name.replaceAll('"', '%22'), expected(one).text]), // the library leaves that as it is
        );
        const platform = await new Response(bytes, { headers: { 'content-type': ours.contentType } }).formData();
        assert.deepEqual(
          [...platform.keys()],
          parts.map(({ name }) => name),
        );
      }),
      { numRuns: 60 },
    ));

  test('a mutated body is read as a library reads it, or refused with a reason', () =>
    fc.assert(
      fc.asyncProperty(
        partsArbitrary,
        fc.array(
          fc.tuple(
            fc.double({ min: 0, max: 0.999, noNaN: true }),
            fc.constantFrom(0x0d, 0x0a, 0x2d, 0x22, 0x3b, 0x00, 0x20, 0x78),
          ),
          { minLength: 1, maxLength: 3 },
        ),
        async (parts, mutations) => {
          const bytes = await joinedBody(multipartBody(parts, 'xyz').body);
          for (const [where, byte] of mutations) bytes[Math.floor(where * bytes.length)] = byte;
          try {
            const read = await readAll(cut(bytes, [7]));
            const texts = (await readByBusboy('multipart/form-data; boundary=xyz', bytes)).map(([, text]) => text);
            assert.deepEqual(
              read.map(({ text }) => text),
              texts,
            );
          } catch (thrown) {
            assert.ok(thrown instanceof FlotillaError, String(thrown));
            assert.equal(thrown.code, 'MALFORMED_REQUEST', thrown.message);
          }
        },
      ),
      { numRuns: 300 },
    ));

  const body = (head: string, content = 'v'): string => `--xyz\r\n${head}\r\n\r\n${content}\r\n--xyz--\r\n`;
  const field = 'content-disposition: form-data; name="a"';

  const readable: [claim: string, body: string, read: Partial<Read>[]][] = [
    ['no parts at all', '--xyz--\r\n', []],
    ['no parts, and no line end either', '--xyz--', []],
    ['a line end before the first boundary', `\r\n${body(field)}`, [{ name: 'a', text: 'v' }]],
    ['an empty content', body(field, ''), [{ text: '' }]],
    ['a name without quotes', body('content-disposition: form-data; name=a'), [{ name: 'a' }]],
    ['headers in any case and order', body('X-Other: 1\r\nCONTENT-DISPOSITION: Form-Data; NAME="a"'), [{ name: 'a' }]],
    ['quotes as browsers write them', body('content-disposition: form-data; name="a%22b"'), [{ name: 'a"b' }]],
    ['quotes as programs write them', body('content-disposition: form-data; name="a\\"b"'), [{ name: 'a"b' }]],
    ['a path of Windows', body(`${field}; filename="C:\\dir\\a.png"`), [{ rawFileName: 'C:\\dir\\a.png' }]],
    ['a file input without a file', body(`${field}; filename=""`, ''), [{ rawFileName: '', text: '' }]],
    ['a type', body(`${field}\r\ncontent-type: text/plain; charset=utf-8`), [{ type: 'text/plain; charset=utf-8' }]],
  ];
  for (const [claim, text, wanted] of readable) {
    test(`takes ${claim}`, async () => {
      const read = await readAll([utf8.encode(text)]);
      assert.equal(read.length, wanted.length);
      for (const [index, one] of wanted.entries()) assert.partialDeepStrictEqual(read[index], one);
    });
  }

  const refused: [claim: string, body: string, detail: RegExp][] = [
    ['an empty body', '', /ends before its last boundary/],
    ['another boundary', body(field).replaceAll('xyz', 'xya'), /does not begin with the boundary/],
    ['a preamble', `hello\r\n${body(field)}`, /does not begin with the boundary/],
    ['an epilogue', `${body(field)}more`, /after its last boundary/],
    ['a body that breaks off in a head', '--xyz\r\ncontent-dis', /ends before its last boundary/],
    ['a body that breaks off in a content', `--xyz\r\n${field}\r\n\r\nabc`, /ends before its last boundary/],
    [
      'a body without its last boundary',
      body(field).replace('--xyz--\r\n', '--xyz\r\n'),
      /ends before its last boundary/,
    ],
    ['bare line ends', body(field).replaceAll('\r\n', '\n'), /followed by something other than a line end/],
    ['a boundary that goes on', body(field, 'v\r\n--xyzz'), /followed by something other than a line end/],
    ['a part without a head', '--xyz\r\n\r\nv\r\n--xyz--', /no content-disposition/],
    ['a part without a disposition', body('content-type: text/plain'), /no content-disposition/],
    ['another disposition', body('content-disposition: attachment; name="a"'), /not form-data/],
    ['a part without a name', body('content-disposition: form-data'), /has no name/],
    ['two names', body(`${field}; name="b"`), /"name" twice/],
    ['two file names', body(`${field}; filename="b"; filename="c"`), /"filename" twice/],
    ['two dispositions', body(`${field}\r\n${field}`), /"content-disposition" twice/],
    ['a file name only in the other notation', body(`${field}; filename*=UTF-8''b`), /filename\*/],
    ['an open quote', body('content-disposition: form-data; name="a'), /cannot be read/],
    ['a folded line', body('content-disposition: form-data;\r\n name="a"'), /no header/],
    ['a blank before the colon', body('content-disposition : form-data; name="a"'), /no header/],
    ['a bare line end in a head', body(`${field}\nx: y`), /control character/],
    ['a NUL in a head', body('content-disposition: form-data; name="a\0"'), /control character/],
    ['a coded content', body(`${field}\r\ncontent-transfer-encoding: base64`), /transfer encoding "base64"/],
    ['a type that is none', body(`${field}\r\ncontent-type: png`), /no media type/],
  ];
  for (const [claim, text, detail] of refused) {
    test(`refuses ${claim}`, () =>
      assert.rejects(readAll(cut(utf8.encode(text), [3])), { code: 'MALFORMED_REQUEST', detail }));
  }

  const over: [claim: string, limit: keyof MultipartLimits, value: number, body: string][] = [
    ['bytes', 'maxBytes', 60, body(field, 'v'.repeat(20))],
    ['parts', 'maxParts', 1, body(field, `v\r\n--xyz\r\n${field}\r\n\r\nw`)],
    ['bytes of a head', 'maxPartHeaderBytes', 39, body(field)],
    ['lines of a head', 'maxPartHeaderLines', 1, body(`${field}\r\nx: y`)],
  ];
  for (const [claim, limit, value, text] of over) {
    test(`refuses more ${claim} than the limit, which it names`, async () => {
      const rejected = { code: 'BODY_TOO_LARGE', httpStatus: 413, data: { [limit]: value } };
      for (const size of [1, 10_000]) {
        await assert.rejects(readAll(cut(utf8.encode(text), [size]), 'xyz', { ...limits, [limit]: value }), rejected);
      }
    });
  }

  test('a head without an end is refused when its limit is reached, not at the end of the body', async () => {
    let pulled = 0;
    const endless = (async function* () {
      yield utf8.encode('--xyz\r\n');
      for (;;) {
        pulled++;
        yield utf8.encode('x'.repeat(1_000));
      }
    })();
    await assert.rejects(readAll(endless), { code: 'BODY_TOO_LARGE', data: { maxPartHeaderBytes: 2_000 } });
    assert.ok(pulled <= 4, `${pulled} chunks were taken`);
  });

  test('takes no more from the sender than its reader takes', async () => {
    let pulled = 0;
    const source = (async function* () {
      yield utf8.encode(`--xyz\r\n${field}; filename="a"\r\n\r\n`);
      for (;;) {
        pulled++;
        yield utf8.encode('v'.repeat(100));
      }
    })();
    const reader = new MultipartReader(source, 'xyz', limits, call());
    const first = await reader.next();
    assert.equal(pulled, 0);
    const content = first?.content[Symbol.asyncIterator]();
    await content?.next();
    assert.equal(pulled, 1);
    reader.leave();
  });

  test('what is left of a part is thrown away when the next one is asked for, and cannot be read any more', async () => {
    const bytes = await joinedBody(multipartBody([part('a', 'unread'), part('b', 'read')], 'xyz').body);
    const reader = new MultipartReader(stream(cut(bytes, [5])), 'xyz', limits, call());
    const first = await reader.next();
    const second = await reader.next();
    assert.equal(second && (await textOf(second.content)), 'read');
    assert.equal(await reader.next(), undefined);
    assert.ok(first);
    await assert.rejects(textOf(first.content), { code: 'INTERNAL', detail: /it is gone/ });
  });

  test('two readers at once are refused', async () => {
    const held = Promise.withResolvers<never>();
    const body = (async function* () {
      yield utf8.encode(`--xyz\r\n${field}\r\n\r\n`);
      await held.promise;
    })();
    const reader = new MultipartReader(body, 'xyz', limits, call());
    await reader.next();
    reader.next().catch(() => undefined);
    await assert.rejects(reader.next(), { code: 'INTERNAL', detail: /at the same time/ });
  });

  test('a wait ends with its call, the sender is told, and so does every later one', async () => {
    let left = false;
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          left = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const within = call();
    const reader = new MultipartReader(body, 'xyz', limits, within);
    const reading = reader.next();
    await settle();
    within.cancel(new FlotillaError('CANCELLED', 'enough'));
    await assert.rejects(reading, { detail: 'enough' });
    await assert.rejects(reader.next(), { detail: 'enough' });
    assert.equal(left, true);
  });

  test('a boundary is needed, and is one', () => {
    assert.equal(boundaryOf('multipart/form-data; boundary="a b"'), 'a b');
    for (const type of [
      'multipart/form-data',
      'multipart/form-data; boundary=""',
      'multipart/form-data; boundary="a "',
      `multipart/form-data; boundary=${'a'.repeat(71)}`,
    ]) {
      assert.throws(() => boundaryOf(type), { code: 'MALFORMED_REQUEST' }, type);
    }
  });
});

const nameArbitrary = fc.string({
  unit: fc.constantFrom('a', 'B', '1', ' ', '"', 'é', '.', '-', ';', '=', '/'),
  minLength: 1,
  maxLength: 12,
});
const contentArbitrary = fc
  .array(fc.constantFrom('\r\n', '--', '\r\n--xy', '\r', '\n', '-', 'z', 'é', 'text', '\r\n--x'), { maxLength: 12 })
  .map((pieces) => pieces.join(''))
  .filter((text) => !text.includes('\r\n--xyz') && !/\r\n--xyz/.test(text));
const partsArbitrary = fc.array(
  fc.record(
    {
      name: nameArbitrary,
      fileName: nameArbitrary,
      type: fc.constantFrom('image/png', 'text/plain'),
      content: contentArbitrary.map((text) => utf8.encode(text)),
    },
    { requiredKeys: ['name', 'content'] },
  ),
  { minLength: 1, maxLength: 5 },
) as fc.Arbitrary<PartToSend[]>;

function part(name: string, text: string): PartToSend {
  return { name, content: utf8.encode(text) };
}

function expected({ name, fileName, type, content }: PartToSend): Read {
  return {
    name,
    rawFileName: fileName,
    type: fileName === undefined ? undefined : (type ?? 'application/octet-stream'),
    text: new TextDecoder().decode(content as Uint8Array),
  };
}

async function readAll(
  body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  boundary = 'xyz',
  given: MultipartLimits = limits,
): Promise<Read[]> {
  const reader = new MultipartReader(stream(body), boundary, given, call());
  const read: Read[] = [];
  for (let next = await reader.next(); next; next = await reader.next()) {
    const { name, rawFileName, type, content } = next;
    read.push({ name, rawFileName, type, text: await textOf(content) });
  }
  return read;
}

async function* stream(body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* body;
}

/** Sizes in turn, over and over; 0 is a chunk without bytes. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const turns = sizes.some((size) => size > 0) ? sizes : [bytes.length];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = turns[turn % turns.length] as number;
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}

async function joinedBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(Buffer.concat(await Array.fromAsync(body)));
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await joinedBody(content));
}

function readByBusboy(contentType: string, bytes: Uint8Array): Promise<[string, string][]> {
  return new Promise((resolve, reject) => {
    const read: [string, string][] = [];
    const busboy = new Busboy({ headers: { 'content-type': contentType }, limits: { headerPairs: 100 } });
    busboy.on('field', (name, value) => void read.push([name, value]));
    busboy.on('file', (name, content) => {
      const entry: [string, string] = [name, ''];
      read.push(entry);
      const chunks: Buffer[] = [];
      content.on('data', (chunk: Buffer) => void chunks.push(chunk));
      content.on('end', () => {
        entry[1] = Buffer.concat(chunks).toString();
      });
    });
    busboy.on('error', reject);
    busboy.on('finish', () => resolve(read));
    busboy.end(bytes);
  });
}
