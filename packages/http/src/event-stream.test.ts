import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { chunked, cut } from '../test/chunks.ts';
import { decodeEvents, type EventToSend, encodeComment, encodeEvent, type ServerSentEvent } from './event-stream.ts';

suite('encodeEvent and encodeComment', () => {
  const rows: [name: string, bytes: Uint8Array, text: string][] = [
    ['data alone', encodeEvent({ data: 'hi' }), 'data: hi\n\n'],
    ['no data is an event all the same', encodeEvent({ data: '' }), 'data: \n\n'],
    [
      'everything',
      encodeEvent({ event: 'price', id: '7', retryMs: 500, data: '{"a":1}' }),
      'event: price\nid: 7\nretry: 500\ndata: {"a":1}\n\n',
    ],
    [
      'several lines, however they end',
      encodeEvent({ data: 'a\nb\r\nc\rd' }),
      'data: a\ndata: b\ndata: c\ndata: d\n\n',
    ],
    ['a comment', encodeComment('still here'), ': still here\n\n'],
    ['a comment of two lines', encodeComment('a\r\ndata: x'), ': a\n: data: x\n\n'],
  ];
  for (const [name, bytes, text] of rows) {
    test(name, () => assert.equal(new TextDecoder().decode(bytes), text));
  }

  test('refuse what would begin another field', () => {
    const wrong: EventToSend[] = [
      { event: 'a\ndata: x', data: '' },
      { id: 'a\r', data: '' },
      { id: '\0', data: '' },
      { retryMs: -1, data: '' },
      { retryMs: 0.5, data: '' },
      { retryMs: Infinity, data: '' },
    ];
    for (const event of wrong) assert.throws(() => encodeEvent(event), RangeError, JSON.stringify(event));
  });
});

suite('decodeEvents: the standard, case by case', () => {
  const rows: [name: string, text: string, events: Partial<ServerSentEvent>[]][] = [
    ['an example of the standard: several lines', 'data: YHOO\ndata: +2\ndata: 10\n\n', [{ data: 'YHOO\n+2\n10' }]],
    [
      'an example of the standard: comment, ids, an event cut off',
      ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event',
      [{ data: 'first event', id: '1' }, { data: 'second event' }],
    ],
    ['an example of the standard: empty data', 'data\n\ndata\ndata\n\ndata:', [{ data: '' }, { data: '\n' }]],
    [
      'an example of the standard: one blank is taken off',
      'data:test\n\ndata: test\n\ndata:  test\n\n',
      [{ data: 'test' }, { data: 'test' }, { data: ' test' }],
    ],
    [
      'CR, LF and CRLF end lines',
      'data: a\rdata: b\r\ndata: c\n\r\rdata: d\r\n\r\n',
      [{ data: 'a\nb\nc' }, { data: 'd' }],
    ],
    [
      'a byte order mark at the beginning is passed over, elsewhere not',
      '\ufeffdata: a\n\n\ufeffdata: b\n\n',
      [{ data: 'a' }],
    ],
    ['a kind lasts for one event', 'event: x\ndata: 1\n\ndata: 2\n\n', [{ event: 'x', data: '1' }, { data: '2' }]],
    ['a kind without data is no event, and does not last', 'event: x\n\ndata: 2\n\n', [{ data: '2' }]],
    ['an empty kind is a message', 'event\ndata: 1\n\n', [{ data: '1' }]],
    [
      'an id lasts until the next one',
      'id: 1\n\ndata: a\n\ndata: b\nid: 2\n\nid:\ndata: c\n\n',
      [{ data: 'a', id: '1' }, { data: 'b', id: '2' }, { data: 'c' }],
    ],
    [
      'an id with NUL is none',
      'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n',
      [
        { data: 'a', id: '1' },
        { data: 'b', id: '1' },
      ],
    ],
    [
      'retry counts when it is digits alone',
      'retry: 10\ndata: a\n\nretry: 1x\ndata: b\n\nretry: -1\ndata: c\n\n',
      [
        { data: 'a', retryMs: 10 },
        { data: 'b', retryMs: 10 },
        { data: 'c', retryMs: 10 },
      ],
    ],
    [
      'names are case-sensitive, unknown ones are passed over',
      'Data: x\nDATA: x\n data: x\nx: y\ndata: a\n\n',
      [{ data: 'a' }],
    ],
    ['a value may hold colons', 'data: a: b: c\n\n', [{ data: 'a: b: c' }]],
    ['nothing', '', []],
  ];
  for (const [name, text, events] of rows) {
    test(name, async () => assert.deepEqual(await decode([new TextEncoder().encode(text)]), events.map(whole)));
  }

  test('bytes that are not UTF-8 become U+FFFD', async () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode('data: a'), 0xff, 0xe2, 0x82, 0x0a, 0x0a]);
    assert.deepEqual(await decode([bytes]), [whole({ data: 'a\ufffd\ufffd' })]);
  });
});

suite('decodeEvents: what always holds', () => {
  const line = fc.oneof(
    fc.constantFrom(
      'data',
      'data:',
      'data: x',
      'data:  é€😀',
      'event: k',
      'event',
      'id: 1',
      'id',
      'id: \0',
      'retry: 5',
      'retry: x',
      ':',
      ': c',
      '',
      '',
      '\ufeff',
      'data',
    ),
    fc.string({ maxLength: 5 }),
  );
  const end = fc.constantFrom('\n', '\r', '\r\n');
  const stream = fc.array(fc.tuple(line, end), { maxLength: 20 }).map((lines) => lines.flat().join(''));

  test('however the bytes are cut, the events are those of a reader that has the whole text', async () => {
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat()), async (text, cuts) => {
        const bytes = new TextEncoder().encode(text);
        assert.deepEqual(await decode(cut(bytes, cuts)), naive(text));
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  test('what is encoded is what is decoded, byte by byte too', async () => {
    const oneLine = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n\0]/g, '').toWellFormed());
    const event = fc.record({ event: oneLine, id: oneLine, data: fc.string({ unit: 'binary' }), retryMs: fc.nat() });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 5 }), async (events) => {
        const bytes = Buffer.concat(events.flatMap((one) => [encodeComment('c'), encodeEvent(one)]));
        const expected = events.map((one) => ({
          ...one,
          event: one.event || 'message',
          data: one.data.toWellFormed().replace(/\r\n?/g, '\n'),
        }));
        assert.deepEqual(await decode(Array.from(bytes, (byte) => Uint8Array.of(byte))), expected);
      }),
      { seed: 2, numRuns: 200 },
    );
  });
});

suite('decodeEvents: limits and leaving', () => {
  test('an event of exactly the limit is read; one byte more is refused, in one line or in many', async () => {
    const limit = { maxEventBytes: 20 };
    const read = (text: string) => Array.fromAsync(decodeEvents(chunked([text]).body, limit));
    assert.equal((await read(`data: ${'x'.repeat(14)}\n\n`)).length, 1);
    assert.equal((await read(`data: ${'x'.repeat(4)}\ndata: ${'y'.repeat(4)}\n\n`)).length, 1);
    const code = { code: 'BAD_RESPONSE', detail: /limit of 20 bytes/ };
    await assert.rejects(read(`data: ${'x'.repeat(15)}\n\n`), code);
    await assert.rejects(read(`data: ${'x'.repeat(4)}\ndata: ${'y'.repeat(5)}\n\n`), code);
    await assert.rejects(read('data\n'.repeat(6)), code);
    await assert.rejects(read(`:${'c'.repeat(20)}`), code);
    assert.equal((await read(': comment\n'.repeat(100))).length, 0);
  });

  test('leaving the loop tells the sender to stop, and a sender that fails is told of', async () => {
    const source = chunked(['data: 1\n\n', 'data: 2\n\n']);
    for await (const event of decodeEvents(source.body)) {
      assert.equal(event.data, '1');
      break;
    }
    assert.deepEqual(source.seen(), { taken: 1, left: true });
    const failing = chunked(['data: 1\n\n'], new Error('gone'));
    await assert.rejects(Array.fromAsync(decodeEvents(failing.body)), { message: 'gone' });
  });
});

function decode(chunks: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  return Array.fromAsync(decodeEvents(chunked(chunks).body));
}

function whole(event: Partial<ServerSentEvent>): ServerSentEvent {
  return { event: 'message', id: '', data: '', ...event };
}

/** The standard's algorithm on the whole text, in another shape: blocks first, then lines, each by a pattern. */
function naive(text: string): ServerSentEvent[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  lines.pop(); // what has no end is no line
  const events: ServerSentEvent[] = [];
  const sticky: { id: string; retryMs?: number } = { id: '' };
  let block: [string, string][] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'id' && !value.includes('\0')) sticky.id = value;
    if (name === 'retry' && /^\d+$/.test(value)) sticky.retryMs = Number(value);
    block.push([name, value]);
    if (line !== '') continue;
    const data = block.filter(([field]) => field === 'data').map(([, one]) => one);
    const event = block.findLast(([field]) => field === 'event')?.[1] || 'message';
    if (data.length > 0) events.push({ event, ...sticky, data: data.join('\n') });
    block = [];
  }
  return events;
}
