/**
 * The numbers of RSocket 1.0. Source: https://github.com/rsocket/rsocket/blob/master/Protocol.md
 *
 * Over TCP each frame has its length (24 bits) before it. A frame begins with its stream id (32 bits, the highest is 0),
 * its type (6 bits) and its flags (10 bits). Integers are big endian.
 */
export const frameType = {
  setup: 0x01,
  lease: 0x02,
  keepalive: 0x03,
  requestResponse: 0x04,
  fireAndForget: 0x05,
  requestStream: 0x06,
  requestChannel: 0x07,
  requestN: 0x08,
  cancel: 0x09,
  payload: 0x0a,
  error: 0x0b,
  metadataPush: 0x0c,
  resume: 0x0d,
  resumeOk: 0x0e,
  extension: 0x3f,
} as const;

/** Bits beside the type. Some mean something else by type. */
export const frameFlag = {
  /** The frame may be ignored by who does not know it. */
  ignore: 0x200,
  metadata: 0x100,
  /** Of requests and PAYLOAD: more fragments of this payload follow. */
  follows: 0x80,
  /** Of REQUEST_CHANNEL and PAYLOAD. */
  complete: 0x40,
  /** Of PAYLOAD. */
  next: 0x20,
  /** Of SETUP. */
  resume: 0x80,
  /** Of SETUP. */
  lease: 0x40,
  /** Of KEEPALIVE. */
  respond: 0x80,
} as const;

/** Codes of ERROR frames. Those from `0x301` on belong to applications. */
export const rsocketError = {
  INVALID_SETUP: 0x001,
  UNSUPPORTED_SETUP: 0x002,
  REJECTED_SETUP: 0x003,
  REJECTED_RESUME: 0x004,
  CONNECTION_ERROR: 0x101,
  CONNECTION_CLOSE: 0x102,
  APPLICATION_ERROR: 0x201,
  REJECTED: 0x202,
  CANCELED: 0x203,
  INVALID: 0x204,
} as const;

/** Length field and header of a frame over TCP. */
export const headBytes = 9;

/** The longest frame that the length field can say. */
export const longestFrame = 0xff_ffff;

/** The highest stream id, and the demand that stands for "without end". */
export const largestInt = 0x7fff_ffff;

/** @returns the unsigned number in the 2 bytes from `at` on */
export function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** @returns the unsigned number in the 3 bytes from `at` on */
export function readU24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

/** @returns the unsigned number in the 4 bytes from `at` on */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}
