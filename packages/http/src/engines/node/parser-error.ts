import { FlotillaError } from '@flotilla/core';

/** How the parser of `node:http` reports; codes of llhttp, `HPE_…`. */
export interface ParserFailure {
  readonly code?: string | undefined;
  /** The bytes that it was reading. */
  readonly rawPacket?: Buffer | undefined;
}

/** What a client is told of bytes that are no request. */
export function parserError(failure: ParserFailure): FlotillaError {
  const { code } = failure;
  if (code === 'HPE_HEADER_OVERFLOW') {
    return inRequestLine(failure.rawPacket)
      ? new FlotillaError('TARGET_TOO_LONG', 'the request line is over the limit')
      : new FlotillaError('HEADERS_TOO_LARGE', 'the header fields are over the limit');
  }
  if (code === 'HPE_INVALID_VERSION') {
    return new FlotillaError('MALFORMED_REQUEST', 'this listener speaks HTTP/1.1', { httpStatus: 505 });
  }
  return new FlotillaError('MALFORMED_REQUEST', 'the bytes are not a well-formed HTTP/1.1 request');
}

/** Best effort: a request line that is too long begins with a method and has no end in sight. */
function inRequestLine(packet: Buffer | undefined): boolean {
  return packet !== undefined && /^[A-Z-]{1,32} /.test(packet.toString('latin1', 0, 40)) && !packet.includes(0x0a);
}
