import { frameFlag, frameType, readU16, readU24, readU32 } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import type { OutBuffer } from './out-buffer.ts';
import type { Sender } from './sender.ts';

/** What a client says of itself at the begin of a connection. */
export interface Setup {
  /** How often it sends KEEPALIVE. */
  readonly keepaliveMs: number;
  /** Without a sign of life for longer, either side gives up the connection. */
  readonly lifetimeMs: number;
  readonly metadataMime: string;
  readonly dataMime: string;
  /** It waits for leases before it sends requests. */
  readonly lease: boolean;
  /** In the format of `metadataMime`; empty without. */
  readonly metadata: Uint8Array;
  readonly data: Uint8Array;
}

/** Writes SETUP. */
export function writeSetup(sender: Sender, setup: Setup): void {
  const hasMetadata = setup.metadata.length > 0;
  const flags = (hasMetadata ? frameFlag.metadata : 0) | (setup.lease ? frameFlag.lease : 0);
  const start = sender.begin(0, frameType.setup, flags);
  const { out } = sender;
  out.u16(1);
  out.u16(0);
  out.u32(setup.keepaliveMs);
  out.u32(setup.lifetimeMs);
  writeMime(out, setup.metadataMime);
  writeMime(out, setup.dataMime);
  if (hasMetadata) {
    out.u24(setup.metadata.length);
    out.raw(setup.metadata);
  }
  out.raw(setup.data);
  sender.end(start);
}

/** Why a SETUP is not taken, as its ERROR says. */
export interface SetupProblem {
  readonly kind: 'INVALID_SETUP' | 'UNSUPPORTED_SETUP';
  readonly text: string;
}

/** Reads SETUP; metadata and data are copies. */
export function readSetup(frame: FrameView): Setup | SetupProblem {
  const { bytes, end } = frame;
  let at = frame.start + 6;
  if (at + 12 > end) return invalid('a SETUP that ends within its fields');
  const major = readU16(bytes, at);
  const minor = readU16(bytes, at + 2);
  if (major !== 1 || minor !== 0) return invalid(`Unsupported version: ${major}.${minor}`);
  if (frame.has(frameFlag.resume)) return { kind: 'UNSUPPORTED_SETUP', text: 'resume is not supported' };
  const keepaliveMs = readU32(bytes, at + 4);
  const lifetimeMs = readU32(bytes, at + 8);
  at += 12;
  const mimes: string[] = [];
  for (let field = 0; field < 2; field++) {
    if (at + 1 > end) return invalid('a SETUP that ends within its MIME types');
    const length = bytes[at] as number;
    if (at + 1 + length > end) return invalid('a SETUP that ends within its MIME types');
    mimes.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  let metadata: Uint8Array = new Uint8Array(0);
  if (frame.has(frameFlag.metadata)) {
    if (at + 3 > end) return invalid('a SETUP that ends within its metadata');
    const length = readU24(bytes, at);
    at += 3;
    if (at + length > end) return invalid('a SETUP that ends within its metadata');
    metadata = Uint8Array.prototype.slice.call(bytes, at, at + length);
    at += length;
  }
  const [metadataMime = '', dataMime = ''] = mimes;
  const data = Uint8Array.prototype.slice.call(bytes, at, end);
  return { keepaliveMs, lifetimeMs, metadataMime, dataMime, lease: frame.has(frameFlag.lease), metadata, data };
}

function invalid(text: string): SetupProblem {
  return { kind: 'INVALID_SETUP', text };
}

function writeMime(out: OutBuffer, mime: string): void {
  out.u8(mime.length);
  out.raw(Buffer.from(mime, 'latin1'));
}
