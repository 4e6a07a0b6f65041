import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { ManualClock, settle } from '@flotilla/core/testing';
import {
  type ByteChannel,
  type ByteListener,
  type PayloadView,
  type RequesterStream,
  type ResponderStream,
  RSocketConnection,
  type RSocketResponder,
  resolveRSocketLimits,
} from '@flotilla/rpc/rsocket';
import { partsOf, type RecordedExchange, type RecordedFrame, readExchanges, wire } from './rsocket-recorded.ts';

// Recorded exchanges between unchanged Spring programs (Boot 3.5 and 4.0), with one side played by ours: it is asked to do
// what that side did, and has to write the very bytes that it wrote; what it hears has to be what the other side said.

const folder = join(process.env['FLOTILLA_TEST_DATA'] ?? '', 'rsocket-traffic');
const isThere = process.env['FLOTILLA_TEST_DATA'] !== undefined && existsSync(folder);
const skip = isThere ? false : 'SKIPPED LOUDLY: set FLOTILLA_TEST_DATA to a folder that holds rsocket-traffic/';

/** Exchanges that one side of ours does not repeat, each with the reason. */
const left: Readonly<Record<'server' | 'client', Readonly<Record<string, string>>>> = {
  server: {
    lease: 'a lease of ours follows from the limit of the server, not from a script',
    'lease-not-supported': 'ours grants leases',
    'lease-server-client-without-lease': 'ours asks nobody to wait for a lease who did not ask for one',
    'response-over-16MB': 'ours sends what is large in fragments',
    'fragments-from-server': 'ours cuts fragments elsewhere; that they are read is claimed of the client',
    'unsupported-version': 'other words; the codes are claimed by the engine\u2019s own tests',
    'first-frame-not-setup': 'other words; the codes are claimed by the engine\u2019s own tests',
    'keepalive-both-ways': 'ours only answers keepalives: a client that is gone is found by its silence',
    'keepalive-timeout-by-server': 'ours only answers keepalives: a client that is gone is found by its silence',
    'keepalive-timeout-by-client': 'the server of the recording is silent',
    'cancel-unknown-stream': 'ours ends a connection on which stream 0 is cancelled, which no peer does by itself',
  },
  client: {
    lease: 'ours asks for no leases',
    'lease-not-supported': 'ours asks for no leases',
    'fragments-from-client': 'ours cuts fragments elsewhere; that they are read is claimed of the server',
    'unsupported-version': 'ours has no other version',
    'first-frame-not-setup': 'ours begins with SETUP',
    'keepalive-both-ways': 'the times of keepalives are those of a real clock',
    'keepalive-timeout-by-server': 'the client of the recording is silent',
    'keepalive-timeout-by-client': 'the times of keepalives are those of a real clock',
    'keepalive-echo-data': 'keepalives of ours carry no data',
    'cancel-unknown-stream': 'ours cancels only what it asked for',
  },
};

for (const role of ['server', 'client'] as const) {
  suite(`recorded exchanges, with our ${role}`, { skip }, () => {
    const exchanges = isThere ? readExchanges(folder) : [];
    for (const exchange of exchanges) {
      const reason = left[role][exchange.name];
      if (reason === undefined) test(exchange.name, () => replay(exchange, role));
    }
    test('every exchange that is left out is one of them', () => {
      const names = exchanges.map(({ name }) => name);
      assert.deepEqual(
        Object.keys(left[role]).filter((name) => !names.includes(name)),
        [],
      );
      assert.ok(exchanges.length - Object.keys(left[role]).length >= 28, 'most are repeated');
    });
  });
}

/** Frames in their order: those of the other side are given to ours, those of ours have to be written by it. */
async function replay({ frames }: RecordedExchange, role: 'server' | 'client'): Promise<void> {
  const ours = new OurSide(role, frames);
  for (const frame of frames) {
    const isOurs = frame.fromClient === (role === 'client');
    if (!isOurs) await ours.receive(frame);
    else if (frame.type !== wire.setup && frame.type !== wire.keepalive) await ours.say(frame);
  }
  ours.assertHeard(heardOf(frames, role));
}

/** What of the other side's frames is heard: nothing when it was refused, and no demand for what has ended. */
function heardOf(frames: readonly RecordedFrame[], role: 'server' | 'client'): RecordedFrame[] {
  const ended = new Set<number>();
  if (
    role === 'server' &&
    frames.some(({ fromClient, stream, type }) => !fromClient && stream === 0 && type === wire.error)
  ) {
    return [];
  }
  return frames.filter(({ fromClient, stream, type, flags }) => {
    if (fromClient === (role === 'server')) {
      return !(ended.has(stream) && (type === wire.requestN || type === wire.cancel));
    }
    if (type === wire.error || (type === wire.payload && (flags & wire.completeFlag) !== 0)) ended.add(stream);
    return false;
  });
}

/** One side of a connection that does what a recording says, and remembers what it heard. */
class OurSide {
  readonly #clock = new ManualClock();
  readonly #channel = new RecordingChannel();
  readonly #connection: RSocketConnection;
  readonly #asked = new Map<number, RequesterStream>();
  readonly #answering = new Map<number, ResponderStream>();
  /** By stream: `item 7b7d`, `end`, `error 513 boom`, `wanted 2`, `cancelled`. */
  readonly #heard = new Map<number, string[]>();
  /** Streams of the requests that have no answer, in their order: their handlers are not told. */
  readonly #unanswered: number[];

  constructor(role: 'server' | 'client', frames: readonly RecordedFrame[]) {
    this.#unanswered = frames.filter(({ type }) => type === wire.requestFnf).map(({ stream }) => stream);
    const shared = {
      channel: this.#channel,
      clock: this.#clock,
      limits: resolveRSocketLimits(),
      responder: this.#responder(),
    };
    if (role === 'server') {
      const denied = frames.find(({ stream, type, fromClient }) => stream === 0 && type === wire.error && !fromClient);
      this.#connection = RSocketConnection.server({
        ...shared,
        accept: () => (denied ? refusal(denied.bytes.toString('utf8', 10)) : undefined),
      });
    } else {
      this.#connection = RSocketConnection.client(shared);
      this.#channel.turn();
      this.#channel.take(); // SETUP: ours says who we are
    }
  }

  async receive(frame: RecordedFrame): Promise<void> {
    await this.#until(frame.atMs);
    this.#channel.arrive(frame.bytes);
    await settle();
  }

  /** Does what leads to this frame, and compares what is written. */
  async say(frame: RecordedFrame): Promise<void> {
    await this.#until(frame.atMs);
    if (frame.stream === 0 && frame.type === wire.error && frame.fromClient) {
      this.#connection.close(); // a client says farewell
      return;
    }
    const over = this.#act(frame);
    this.#channel.turn();
    await settle();
    const written = this.#channel.take();
    // Late frames of Spring's clients: more is wanted of what has ended, or it is cancelled.
    assert.equal(written.toString('hex'), over ? '' : withLength(frame.bytes).toString('hex'));
  }

  assertHeard(frames: readonly RecordedFrame[]): void {
    const expected = new Map<number, string[]>();
    const partial = new Map<number, Buffer[]>();
    for (const frame of frames) {
      if (frame.stream === 0) continue;
      const lines = expected.get(frame.stream) ?? [];
      expected.set(frame.stream, lines);
      lines.push(...meaningOf(frame, partial));
    }
    for (const [stream, lines] of expected) {
      assert.deepEqual(this.#heard.get(stream) ?? [], lines, `stream ${stream}`);
    }
  }

  /** @returns whether there is nothing to do any more. */
  #act(frame: RecordedFrame): boolean {
    const { stream, type, flags } = frame;
    const { metadata, data, initialN } = partsOf(frame);
    const [head, body] = [metadata, data.length > 0 ? data : undefined];
    const asked = this.#asked.get(stream);
    const answering = this.#answering.get(stream);
    switch (type) {
      case wire.requestResponse:
        this.#asked.set(stream, this.#connection.requestResponse(head, body, this.#receiver(stream)));
        return false;
      case wire.requestFnf:
        this.#connection.fireAndForget(head, body);
        return false;
      case wire.requestStream:
        this.#asked.set(stream, this.#connection.requestStream(head, body, initialN, this.#receiver(stream)));
        return false;
      case wire.requestChannel:
        this.#asked.set(stream, this.#connection.requestChannel(head, body, initialN, this.#receiver(stream)));
        return false;
      case wire.requestN:
        if (asked?.answered) return true;
        (asked ?? answering)?.requestN(initialN);
        return false;
      case wire.cancel:
        if (asked?.over) return true;
        if (asked) asked.cancel();
        else answering?.cancelInput();
        return false;
      case wire.error:
        (asked ?? answering)?.error(frame.bytes.readUInt32BE(6), frame.bytes.toString('utf8', 10));
        return false;
      case wire.payload:
        if ((flags & wire.nextFlag) === 0) (asked ?? answering)?.complete();
        else if ((flags & wire.completeFlag) !== 0) answering?.respond(data, head);
        else (asked ?? answering)?.next(data, head);
        return false;
      default:
        throw new Error(`a frame of type ${type} is not played`);
    }
  }

  #responder(): RSocketResponder {
    const take = (request: PayloadView, stream: ResponderStream): void => {
      this.#answering.set(stream.id, stream);
      const hear = (line: string): void => this.#hear(stream.id, line);
      hear(`item ${request.dataBytes().toString('hex')}`);
      stream.listener = {
        cancelled: () => hear('cancelled'),
        requested: (n) => hear(`wanted ${n}`),
        next: (item) => hear(`item ${item.dataBytes().toString('hex')}`),
        completed: () => hear('end'),
        failed: (code, text) => hear(`error ${code} ${text}`),
      };
    };
    return {
      requestResponse: take,
      requestStream: take,
      requestChannel: take,
      fireAndForget: (request) =>
        this.#hear(this.#unanswered.shift() ?? 0, `item ${request.dataBytes().toString('hex')}`),
    };
  }

  #receiver(stream: number) {
    const hear = (line: string): void => this.#hear(stream, line);
    return {
      next: (item: PayloadView) => hear(`item ${item.dataBytes().toString('hex')}`),
      complete: () => hear('end'),
      error: (code: number, text: string) => hear(`error ${code} ${text}`),
      failed: () => hear('lost'),
      requested: (n: number) => hear(`wanted ${n}`),
      inputCancelled: () => hear('cancelled'),
    };
  }

  #hear(stream: number, line: string): void {
    this.#heard.set(stream, [...(this.#heard.get(stream) ?? []), line]);
  }

  async #until(atMs: number): Promise<void> {
    if (atMs > this.#clock.now()) await this.#clock.advance(atMs - this.#clock.now());
    this.#channel.turn();
    await settle();
  }
}

/** What the other side has to hear of a frame, in words of its own. */
function meaningOf(frame: RecordedFrame, partial: Map<number, Buffer[]>): string[] {
  const { stream, type, flags, bytes } = frame;
  if (type === wire.requestN) return [`wanted ${bytes.readUInt32BE(6)}`];
  if (type === wire.cancel) return ['cancelled'];
  if (type === wire.error) return [`error ${bytes.readUInt32BE(6)} ${bytes.toString('utf8', 10)}`];
  const pieces = [...(partial.get(stream) ?? []), partsOf(frame).data];
  partial.set(stream, pieces);
  if ((flags & wire.followsFlag) !== 0) return [];
  partial.delete(stream);
  const hasItem = type !== wire.payload || (flags & wire.nextFlag) !== 0;
  const item = hasItem ? [`item ${Buffer.concat(pieces).toString('hex')}`] : [];
  return type === wire.payload && (flags & wire.completeFlag) !== 0 ? [...item, 'end'] : item;
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(3);
  length.writeUIntBE(bytes.length, 0, 3);
  return Buffer.concat([length, bytes]);
}

function refusal(detail: string) {
  return new FlotillaError('FORBIDDEN', detail);
}

/** A connection whose other end is the test. */
class RecordingChannel implements ByteChannel {
  readonly queuedBytes = 0;
  #listener: ByteListener | undefined;
  #written: Buffer[] = [];
  #afterTurn: (() => void)[] = [];

  listen(listener: ByteListener): void {
    this.#listener = listener;
  }

  write(bytes: Buffer): boolean {
    this.#written.push(Buffer.from(bytes));
    return true;
  }

  afterTurn(run: () => void): void {
    this.#afterTurn.push(run);
  }

  arrive(frame: Buffer): void {
    this.#listener?.received(withLength(frame));
    this.turn();
  }

  /** The turn of the event loop is over. */
  turn(): void {
    for (const run of this.#afterTurn.splice(0)) run();
  }

  /** What was written since it was taken last. */
  take(): Buffer {
    return Buffer.concat(this.#written.splice(0));
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}
