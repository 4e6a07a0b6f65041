import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/core/testing';
import fc from 'fast-check';
import { collecting } from '../../test/collecting-channel.ts';
import { CompositeReader, routingEntry, writeEntry } from './composite-metadata.ts';
import { frameFlag, frameType } from './frame.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { FrameView } from './frame-view.ts';
import { resolveRSocketLimits } from './limits.ts';
import { mimeType, routingMime } from './mime.ts';
import { OutBuffer } from './out-buffer.ts';
import { Sender } from './sender.ts';

interface Message {
  readonly streamId: number;
  readonly type: number;
  readonly flags: number;
  readonly n: number;
  readonly metadata: string | undefined;
  readonly data: string;
}

const streamId = fc.integer({ min: 1, max: 0x7fff_ffff });
const message: fc.Arbitrary<Message> = fc
  .record({
    streamId,
    type: fc.constantFrom<number>(
      frameType.requestResponse,
      frameType.fireAndForget,
      frameType.requestStream,
      frameType.requestChannel,
      frameType.payload,
    ),
    n: fc.integer({ min: 1, max: 0x7fff_ffff }),
    metadata: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }), { nil: undefined }),
    data: fc.string({ unit: 'grapheme', maxLength: 200 }),
  })
  .map((each) => ({
    ...each,
    n: each.type === frameType.requestStream || each.type === frameType.requestChannel ? each.n : 0,
    flags: each.type === frameType.payload ? frameFlag.next | frameFlag.complete : 0,
  }));

test('messages survive the wire, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 60 })), (sent, cuts) => {
      const bytes = written((sender) => {
        for (const each of sent)
          sender.message(each.streamId, each.type, each.flags, each.n, each.metadata, Buffer.from(each.data));
      });
      assert.deepEqual(read(pieces(bytes, cuts)), sent);
    }),
  );
});

test('a splitter keeps no more than what came', () => {
  const splitter = new FrameSplitter(16_777_215);
  const head = Buffer.from('ffffff000000010400', 'hex');
  const nobody = { frame: (): boolean => assert.fail('no frame'), broken: (): void => assert.fail('not broken') };
  for (let at = 0; at < head.length; at++) splitter.push(head.subarray(at, at + 1), nobody);
  assert.equal(splitter.pendingBytes, head.length);
});

test('noise never throws: it is frames, or it is broken', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.integer({ min: 1, max: 60 })), (noise, cuts) => {
      const view = new FrameView();
      const splitter = new FrameSplitter(64);
      let broken = false;
      for (const piece of pieces(Buffer.from(noise), cuts)) {
        if (broken) break;
        splitter.push(piece, {
          frame(bytes, start, end) {
            if (view.read(bytes, start, end) !== undefined) return true;
            assert.ok(start <= view.metadataStart && view.metadataStart <= view.metadataEnd);
            assert.ok(view.metadataEnd <= view.dataStart && view.dataEnd === end);
            return true;
          },
          broken() {
            broken = true;
          },
        });
      }
    }),
  );
});

test('composite metadata is read entry by entry as it was written', () => {
  const mime = fc.constantFrom(
    'application/json',
    'text/plain',
    'application/vnd.flotilla.context',
    'x/y',
    'x'.repeat(128),
  );
  const entry = fc.record({ mime, text: fc.string({ maxLength: 300 }) }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 6 }), (entries) => {
      const out = new OutBuffer(Buffer.alloc(8));
      for (const { mime: text, text: content } of entries) writeEntry(out, mimeType(text), content);
      const reader = new CompositeReader();
      reader.reset(out.bytes, 0, out.length);
      const found: object[] = [];
      while (reader.next()) {
        assert.ok(reader.is(mimeType(reader.mime)));
        assert.ok(!reader.is(routingMime));
        found.push({ mime: reader.mime, text: reader.text() });
      }
      assert.deepEqual(found, entries);
    }),
  );
});

test('a MIME type that has a number is recognised by its text too', () => {
  const text = Buffer.from(routingMime.text);
  const entry = Buffer.concat([Buffer.from([text.length - 1]), text, Buffer.from([0, 0, 3, 2]), Buffer.from('ab')]);
  const reader = new CompositeReader();
  reader.reset(entry, 0, entry.length);
  assert.ok(reader.next() && reader.is(routingMime));
  assert.equal(reader.firstTag(), 'ab');
});

test('metadata that is cut anywhere is an error or shorter, never more', () => {
  const whole = Buffer.concat([routingEntry('orders.place'), routingEntry('x')]);
  for (let end = 0; end < whole.length; end++) {
    const reader = new CompositeReader();
    reader.reset(whole, 0, end);
    const routes: string[] = [];
    try {
      while (reader.next()) routes.push(reader.firstTag());
    } catch (thrown) {
      assert.match(String(thrown), /MALFORMED_REQUEST/);
    }
    assert.ok(routes.length <= 1);
  }
});

test('the golden frames of the protocol', () => {
  const request = written((sender) =>
    sender.message(1, frameType.requestResponse, 0, 0, routingEntry('order.get'), '{"id":42}'),
  );
  assert.equal(
    request.toString('hex'),
    '000020' + '00000001' + '1100' + '00000e' + 'fe00000a09' + '6f726465722e676574' + '7b226964223a34327d',
  );
  const empty = written((sender) => sender.message(1, frameType.payload, frameFlag.complete, 0, undefined, undefined));
  assert.equal(empty.toString('hex'), '000006' + '00000001' + '2840');
});

test('a route of more than 255 bytes is refused when it is made', () => {
  assert.throws(() => routingEntry('x'.repeat(256)), /at most 255 bytes, got 256/);
});

test('limits are checked when they are given', () => {
  assert.throws(() => resolveRSocketLimits({ maxFrameBytes: 16_777_216 }), /maxFrameBytes must be from 64/);
  assert.throws(() => resolveRSocketLimits({ fragmentBytes: 127 }), /fragmentBytes must be from 128/);
  assert.throws(() => resolveRSocketLimits({ maxInbound: 0 }), /maxInbound must be above 0/);
  assert.throws(() => resolveRSocketLimits({ maxInbond: 1 } as object), /"maxInbond" is not a limit/);
});

/** A frame of 16 MiB that claims its length only costs what comes of it; splitting it is linear. */
test('a large frame in many pieces is copied a bounded number of times', () => {
  const length = 1_000_000;
  const frame = Buffer.alloc(length + 3);
  frame.writeUIntBE(length, 0, 3);
  frame.writeUInt32BE(1, 3);
  frame.writeUInt16BE(frameType.payload << 10, 7);
  let copied = 0;
  const splitter = new FrameSplitter(16_777_215);
  let frames = 0;
  for (let at = 0; at < frame.length; at += 100) {
    const piece = frame.subarray(at, at + 100);
    const copy = piece.copy.bind(piece);
    piece.copy = (...given: Parameters<Buffer['copy']>): number => {
      copied += piece.length;
      return copy(...given);
    };
    splitter.push(piece, {
      frame() {
        frames++;
        return true;
      },
      broken: (reason) => assert.fail(reason),
    });
  }
  assert.equal(frames, 1);
  assert.ok(copied <= frame.length + 200, `${copied} bytes copied`);
});

function written(write: (sender: Sender) => void): Buffer {
  const chunks: Buffer[] = [];
  const sender = new Sender(collecting(chunks), resolveRSocketLimits(), new ManualClock());
  write(sender);
  sender.flush();
  return Buffer.concat(chunks);
}

/** The bytes in pieces of the given lengths, over and over. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = cuts.length === 0 ? bytes.length : (cuts[turn % cuts.length] as number);
    cut.push(bytes.subarray(at, at + length));
    at += length;
  }
  return cut;
}

function read(chunks: readonly Buffer[]): Message[] {
  const view = new FrameView();
  const splitter = new FrameSplitter(16_777_215);
  const messages: Message[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk, {
      frame(bytes, start, end) {
        assert.equal(view.read(bytes, start, end), undefined);
        const hasN = view.type === frameType.requestStream || view.type === frameType.requestChannel;
        messages.push({
          streamId: view.streamId,
          type: view.type,
          flags: view.flags & ~frameFlag.metadata,
          n: hasN ? view.number : 0,
          metadata: view.hasMetadata ? view.metadataBytes().toString() : undefined,
          data: view.dataText(),
        });
        return true;
      },
      broken: (reason) => assert.fail(reason),
    });
  }
  return messages;
}
