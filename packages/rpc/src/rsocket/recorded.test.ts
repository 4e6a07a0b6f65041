import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/core/testing';
import { collecting } from '../../test/collecting-channel.ts';
import { type RecordedFrame, recordedExchanges, recordingsMissing } from '../../test/recorded-frames.ts';
import { Heard, settle } from '../../test/rsocket-pair.ts';
import { CompositeReader } from './composite-metadata.ts';
import { RSocketConnection } from './connection.ts';
import { BytePair } from './engines/memory/byte-pair.ts';
import { frameFlag, frameType } from './frame.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { FrameView } from './frame-view.ts';
import { rsocketDefaults } from './limits.ts';
import { routingMime } from './mime.ts';
import { Sender } from './sender.ts';
import { readSetup, writeSetup } from './setup.ts';

const options = { skip: recordingsMissing };
const exchanges = recordedExchanges();
const names: Readonly<Record<string, number>> = {
  SETUP: frameType.setup,
  LEASE: frameType.lease,
  KEEPALIVE: frameType.keepalive,
  REQUEST_RESPONSE: frameType.requestResponse,
  REQUEST_FNF: frameType.fireAndForget,
  REQUEST_STREAM: frameType.requestStream,
  REQUEST_CHANNEL: frameType.requestChannel,
  REQUEST_N: frameType.requestN,
  CANCEL: frameType.cancel,
  PAYLOAD: frameType.payload,
  ERROR: frameType.error,
  RESUME: frameType.resume,
  RESUME_OK: frameType.resumeOk,
};
const messages = ['REQUEST_RESPONSE', 'REQUEST_FNF', 'REQUEST_STREAM', 'REQUEST_CHANNEL', 'PAYLOAD'];

test('every recorded frame is read as it was meant', options, () => {
  let seen = 0;
  for (const { name, frames } of exchanges) {
    for (const frame of frames) {
      const view = viewOf(frame);
      assert.deepEqual(described(view, frame), expected(frame), `${name}: ${frame.hex.slice(0, 60)}`);
      seen++;
    }
  }
  assert.ok(seen > 200, `only ${seen} frames`);
});

test('every recorded frame that is ours to send is written byte for byte', options, () => {
  let written = 0;
  for (const { name, frames } of exchanges) {
    for (const frame of frames) {
      const bytes = rewritten(frame);
      if (!bytes) continue;
      assert.equal(bytes.toString('hex'), frame.hex, name);
      written++;
    }
  }
  assert.ok(written > 150, `only ${written} frames`);
});

/** What ends a connection here, by the name of the exchange. */
const refusedHere: ReadonlySet<string> = new Set([
  'unsupported-version',
  'first-frame-not-setup',
  'resume', // left out here
  'rr-json', // ends with the client's ERROR "Disposed"
  'server-to-client-request', // its answer: this server has not asked
]);

test('what Spring clients sent is taken by a server, in whatever pieces it comes', options, async () => {
  for (const { name, frames } of exchanges) {
    const bytes = Buffer.concat(frames.filter(isFromClient).map(({ hex }) => Buffer.from(hex, 'hex')));
    for (const pieceBytes of [bytes.length, 1, 7]) {
      const link = new BytePair();
      const routes: string[] = [];
      const route = (payload: { metadataBytes(): Buffer }): void => {
        routes.push(routeOf(payload.metadataBytes()));
      };
      const server = RSocketConnection.server({
        channel: link.server,
        clock: new ManualClock(),
        responder: { requestResponse: route, fireAndForget: route, requestStream: route, requestChannel: route },
      });
      link.client.listen({ received() {}, drained() {}, closed() {} });
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        link.client.write(bytes.subarray(at, Math.min(at + pieceBytes, bytes.length)));
      }
      await settle();
      const asked = frames.filter((frame) => isFromClient(frame) && frame.decoded.type.startsWith('REQUEST_'));
      const requests = asked.filter(({ decoded }) => decoded.type !== 'REQUEST_N');
      if (refusedHere.has(name)) assert.equal(server.state, 'closed', name);
      else {
        assert.equal(server.state, 'open', `${name}: ${server.reason?.message}`);
        assert.equal(routes.length, requests.length, name);
      }
    }
  }
});

test('what Spring servers answered is understood by a client', options, async () => {
  for (const name of ['rr-json', 'rr-empty', 'rr-rejected', 'rr-handler-exception', 'fragments-from-server']) {
    const exchange = exchanges.find((each) => each.name === name);
    assert.ok(exchange, name);
    const link = new BytePair();
    link.server.listen({ received() {}, drained() {}, closed() {} });
    const client = RSocketConnection.client({ channel: link.client, clock: new ManualClock() });
    const heard = new Heard();
    client.requestResponse(undefined, '{}', heard);
    await settle();
    for (const frame of exchange.frames.filter((each) => !isFromClient(each))) {
      link.server.write(Buffer.from(frame.hex, 'hex'));
    }
    await settle();
    const ends: Readonly<Record<string, string>> = {
      'rr-rejected': 'error 0x202',
      'rr-handler-exception': 'error 0x201 boom',
    };
    assert.equal(heard.ends.length, 1, name);
    assert.ok(heard.ends[0]?.startsWith(ends[name] ?? 'complete'), `${name}: ${heard.ends[0]}`);
    assert.equal(heard.items.length, ends[name] || name === 'rr-empty' ? 0 : 1, name);
  }
});

function isFromClient({ direction }: RecordedFrame): boolean {
  return direction === 'client>server';
}

function viewOf(frame: RecordedFrame): FrameView {
  const view = new FrameView();
  let problem: string | undefined = 'no frame';
  const bytes = Buffer.from(frame.hex, 'hex');
  new FrameSplitter(rsocketDefaults.maxFrameBytes).push(bytes, {
    frame(piece, start, end) {
      problem = view.read(piece, start, end);
      return true;
    },
    broken: (reason) => assert.fail(reason),
  });
  assert.equal(problem, undefined);
  return view;
}

function described(view: FrameView, { decoded }: RecordedFrame): object {
  const fields: Record<string, unknown> = { type: view.type, stream: view.streamId, flags: view.flags };
  const { type } = decoded;
  if (messages.includes(type) && !isAbridged(decoded)) fields['data'] = view.dataBytes().toString('hex');
  if (type === 'REQUEST_STREAM' || type === 'REQUEST_CHANNEL' || type === 'REQUEST_N') fields['n'] = view.number;
  if (type === 'ERROR') Object.assign(fields, { code: view.number, text: view.dataText() });
  if (type === 'LEASE') Object.assign(fields, { ttl: view.number, requests: view.second });
  if (type === 'SETUP' && !view.has(frameFlag.resume)) {
    const setup = readSetup(view);
    if ('kind' in setup) fields['refused'] = setup.kind;
    else Object.assign(fields, { ...setup, metadata: undefined, data: Buffer.from(setup.data).toString('utf8') });
  }
  if (decoded['metadata'] && messages.includes(type)) fields['route'] = routeOf(view.metadataBytes());
  return fields;
}

function expected({ decoded }: RecordedFrame): object {
  const { type } = decoded;
  const fields: Record<string, unknown> = {
    type: names[type],
    stream: decoded.stream,
    flags: Number(decoded['flags']),
  };
  if (messages.includes(type) && !isAbridged(decoded)) fields['data'] = hexOf(decoded['data']);
  if (type === 'REQUEST_N') fields['n'] = decoded['requestN'];
  if (type === 'REQUEST_STREAM' || type === 'REQUEST_CHANNEL') fields['n'] = decoded['initialRequestN'];
  if (type === 'ERROR') Object.assign(fields, { code: Number(decoded['code']), text: decoded['message'] });
  if (type === 'LEASE') Object.assign(fields, { ttl: decoded['ttlMs'], requests: decoded['requests'] });
  if (type === 'SETUP' && !`${decoded['flagNames']}`.includes('R')) {
    if (decoded['version'] !== '1.0') fields['refused'] = 'INVALID_SETUP';
    else {
      Object.assign(fields, {
        keepaliveMs: decoded['keepaliveMs'],
        lifetimeMs: decoded['maxLifetimeMs'],
        metadataMime: decoded['metadataMime'],
        dataMime: decoded['dataMime'],
        lease: `${decoded['flagNames']}`.includes('L'),
        metadata: undefined,
        data: decoded['data'],
      });
    }
  }
  const metadata = decoded['metadata'];
  if (metadata && messages.includes(type)) fields['route'] = recordedRoute(metadata);
  return fields;
}

/** Long data is recorded in part. */
function isAbridged({ data }: RecordedFrame['decoded']): boolean {
  return typeof data === 'string' && /… \(\d+ bytes\)$/.test(data);
}

function recordedRoute(metadata: unknown): string {
  const entries = Array.isArray(metadata) ? (metadata as { mime: string; tags?: string[] }[]) : [];
  return entries.find(({ mime }) => mime === routingMime.text)?.tags?.[0] ?? '';
}

function hexOf(data: unknown): string {
  if (typeof data === 'object' && data !== null && 'hex' in data) return String(data.hex);
  return Buffer.from(String(data ?? '')).toString('hex');
}

/** The route of composite metadata; a fragment of it may end anywhere. */
function routeOf(metadata: Buffer): string {
  const reader = new CompositeReader();
  reader.reset(metadata, 0, metadata.length);
  try {
    while (reader.next()) if (reader.is(routingMime)) return reader.firstTag();
  } catch {
    return '';
  }
  return '';
}

/** The frame as the sender writes it; undefined for one that it never writes. */
function rewritten(frame: RecordedFrame): Buffer | undefined {
  const view = viewOf(frame);
  const { type } = frame.decoded;
  const chunks: Buffer[] = [];
  const sender = new Sender(collecting(chunks), rsocketDefaults, new ManualClock());
  if (messages.includes(type) && !view.has(frameFlag.follows)) {
    const n = type === 'REQUEST_STREAM' || type === 'REQUEST_CHANNEL' ? view.number : 0;
    const flags = view.flags & ~frameFlag.metadata;
    const metadata = view.hasMetadata ? view.metadataBytes() : undefined;
    sender.message(view.streamId, view.type, flags, n, metadata, view.dataBytes());
  } else if (type === 'CANCEL') sender.control(view.streamId, view.type, 0);
  else if (type === 'REQUEST_N') sender.control(view.streamId, view.type, view.number);
  else if (type === 'ERROR') sender.error(view.streamId, view.number, view.dataText());
  else if (type === 'SETUP' && !view.has(frameFlag.resume)) {
    const setup = readSetup(view);
    if ('kind' in setup) return undefined;
    writeSetup(sender, setup);
  } else return undefined;
  sender.flush();
  return Buffer.concat(chunks);
}
