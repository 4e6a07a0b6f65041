import { FlotillaError } from '@flotilla/core';

/** How the parser of `node:http` reports; codes of llhttp, `HPE_…`. */
export interface ParserFailure {
  readonly code?: string | undefined;
  /** The bytes that it was reading. */
  readonly rawPacket?: Buffer | undefined;
  /** How many of them it had read. */
  readonly bytesParsed?: number | undefined;
}

/** What a client is told of bytes that are no request. */
export function parserError(failure: ParserFailure): FlotillaError {
  const { code } = failure;
  if (code === 'HPE_HEADER_OVERFLOW') {
    return inRequestLine(failure)
      ? new FlotillaError('TARGET_TOO_LONG', 'the request line is over the limit')
      : new FlotillaError('HEADERS_TOO_LARGE', 'the header fields are over the limit');
  }
  return new FlotillaError('MALFORMED_REQUEST', 'the bytes are not a well-formed HTTP/1.1 request');
}

/** Best effort: a request line that is too long begins with a method and has no end in sight. */
function inRequestLine({ rawPacket, bytesParsed = 0 }: ParserFailure): boolean {
  if (!rawPacket || !/^[A-Z-]{1,32} /.test(rawPacket.toString('latin1', 0, 40))) return false;
  return !rawPacket.subarray(0, bytesParsed).includes(0x0a);
}
