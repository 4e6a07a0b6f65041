import { frameFlag, frameType, readU16, readU24, readU32 } from './frame.ts';
import { PayloadView } from './payload-view.ts';

/** Bytes between the header and the payload, by type; metadata or data may follow. */
const fixedBytes: readonly number[] = fixedByType();

/** A frame in place, read field by field. One view is reused for all frames of a connection. */
export class FrameView extends PayloadView {
  /** Where the frame begins, behind its length field, and where it ends. */
  start = 0;
  end = 0;
  streamId = 0;
  type = 0;
  flags = 0;

  /**
   * Looks at the frame in `bytes` from `start` to `end`.
   * @returns what is wrong with it; undefined for a frame that can be used
   */
  read(bytes: Buffer, start: number, end: number): string | undefined {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    if (end - start < 6) return `a frame of ${end - start} bytes: a header has 6`;
    this.streamId = readU32(bytes, start);
    const typeAndFlags = readU16(bytes, start + 4);
    this.type = typeAndFlags >> 10;
    this.flags = typeAndFlags & 0x3ff;
    if (this.streamId > 0x7fff_ffff) return 'a stream id whose highest bit is set';
    return this.#place(start + 6 + (fixedBytes[this.type] as number));
  }

  /** The 32-bit number behind the header: initial n, n, error code, lease time, extended type. */
  get number(): number {
    return readU32(this.bytes, this.start + 6);
  }

  /** The second 32-bit number: requests of a LEASE. */
  get second(): number {
    return readU32(this.bytes, this.start + 10);
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** Where metadata and data are. */
  #place(at: number): string | undefined {
    const { bytes, end, type } = this;
    if (at > end) return `a frame of type ${type} that ends within its fields`;
    this.hasMetadata = (this.flags & frameFlag.metadata) !== 0;
    this.metadataStart = at;
    this.metadataEnd = at;
    this.dataStart = at;
    this.dataEnd = end;
    if (!this.hasMetadata || type === frameType.setup) return undefined; // SETUP: read by `setup.ts`
    if (type === frameType.metadataPush || type === frameType.lease) {
      // these have no length field
      this.metadataEnd = end;
      this.dataStart = end;
      return undefined;
    }
    if (!hasPayload(type)) return undefined;
    if (at + 3 > end) return 'a frame that ends within the length of its metadata';
    const length = readU24(bytes, at);
    if (at + 3 + length > end) return `metadata of ${length} bytes in a frame that ends before`;
    this.metadataStart = at + 3;
    this.metadataEnd = at + 3 + length;
    this.dataStart = this.metadataEnd;
    return undefined;
  }
}

function hasPayload(type: number): boolean {
  return (type >= frameType.requestResponse && type <= frameType.requestChannel) || type === frameType.payload;
}

function fixedByType(): number[] {
  const bytes = new Array<number>(64).fill(0);
  bytes[frameType.lease] = 8;
  bytes[frameType.keepalive] = 8;
  bytes[frameType.requestStream] = 4;
  bytes[frameType.requestChannel] = 4;
  bytes[frameType.requestN] = 4;
  bytes[frameType.error] = 4;
  bytes[frameType.extension] = 4;
  return bytes;
}
