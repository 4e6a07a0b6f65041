import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A frame as it was recorded. */
export interface RecordedFrame {
  readonly fromClient: boolean;
  /** Without the length in front of it. */
  readonly bytes: Buffer;
  readonly atMs: number;
  readonly stream: number;
  readonly type: number;
  readonly flags: number;
}

/** What real programs said to each other on one connection. */
export interface RecordedExchange {
  readonly name: string;
  readonly frames: readonly RecordedFrame[];
}

/** Frame types and flags of RSocket 1.0, as numbers: the codec under test is not asked. */
export const wire = Object.freeze({
  setup: 0x01,
  lease: 0x02,
  keepalive: 0x03,
  requestResponse: 0x04,
  requestFnf: 0x05,
  requestStream: 0x06,
  requestChannel: 0x07,
  requestN: 0x08,
  cancel: 0x09,
  payload: 0x0a,
  error: 0x0b,
  metadataFlag: 0x100,
  followsFlag: 0x80,
  completeFlag: 0x40,
  nextFlag: 0x20,
});

interface Document {
  readonly name: string;
  readonly frames: readonly {
    readonly direction?: string;
    readonly hex?: string;
    readonly atMs?: number;
    readonly connection?: number;
    readonly truncated?: boolean;
  }[];
}

/** The exchanges that were recorded whole and on one connection, by name. */
export function readExchanges(folder: string): RecordedExchange[] {
  const documents = JSON.parse(readFileSync(join(folder, 'frames.json'), 'utf8')) as readonly Document[];
  return documents
    .filter(({ frames }) => frames.every(({ truncated, connection, hex }) => !truncated && !connection && hex))
    .map(({ name, frames }) => ({
      name,
      frames: frames.map(({ direction, hex = '', atMs = 0 }) => {
        const bytes = Buffer.from(hex, 'hex').subarray(3);
        const kind = bytes.readUInt16BE(4);
        const fromClient = direction === 'client>server';
        return { fromClient, bytes, atMs, stream: bytes.readUInt32BE(0), type: kind >> 10, flags: kind & 0x3ff };
      }),
    }));
}

/** Where the parts of a frame are that carries metadata and data. */
export function partsOf({ bytes, type, flags }: RecordedFrame): {
  readonly initialN: number;
  readonly metadata: Buffer | undefined;
  readonly data: Buffer;
} {
  const hasN = type === wire.requestStream || type === wire.requestChannel || type === wire.requestN;
  let at = 6;
  const initialN = hasN ? bytes.readUInt32BE(at) : 0;
  if (hasN) at += 4;
  if ((flags & wire.metadataFlag) === 0) return { initialN, metadata: undefined, data: bytes.subarray(at) };
  const length = bytes.readUIntBE(at, 3);
  at += 3;
  return { initialN, metadata: bytes.subarray(at, at + length), data: bytes.subarray(at + length) };
}
