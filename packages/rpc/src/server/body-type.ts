import { FlotillaError } from '@flotilla/core';
import { acceptsMediaType, type HttpRequest } from '@flotilla/http';

/** What a body is checked against before a byte of it is read. */
export interface ExpectedBody {
  /** `catalog.product` */
  readonly operation: string;
  /** Media types that are taken, or ranges of them. */
  readonly accepted: readonly string[];
  readonly maxBytes: number;
}

/**
 * Refuses a body by what its head says of it: its coding, its type, its length.
 * @returns its media type with parameters; undefined for a request without one and without a body
 * @throws FlotillaError UNSUPPORTED_MEDIA_TYPE naming what is accepted; BODY_TOO_LARGE naming the limit
 */
export function checkBodyHead({ headers, body }: HttpRequest, expected: ExpectedBody): string | undefined {
  refuseCoding(headers.get('content-encoding'), expected.operation);
  const type = headers.get('content-type');
  const present = body !== undefined && !(body instanceof Uint8Array && body.byteLength === 0);
  if (!present && type === undefined) return undefined;
  if (type === undefined || !isAccepted(type, expected.accepted)) throw unsupportedType(type, expected);
  const declared = Number(headers.get('content-length') ?? 0);
  if (declared > expected.maxBytes) throw bodyTooLarge(expected.maxBytes, `it says that it has ${declared}`);
  return type;
}

/**
 * A coding would let a small body become a large one; none is read.
 * @throws FlotillaError UNSUPPORTED_MEDIA_TYPE (RFC 9110 §15.5.16)
 */
export function refuseCoding(coding: string | undefined, operation: string): void {
  if (coding === undefined || coding.toLowerCase() === 'identity') return;
  const detail = `${operation} takes no content-encoding, got "${coding.slice(0, 100)}"`;
  throw new FlotillaError('UNSUPPORTED_MEDIA_TYPE', detail, { data: { acceptedCodings: [] } });
}

export function isAccepted(type: string, accepted: readonly string[]): boolean {
  return acceptsMediaType(accepted.join(','), [type]) !== undefined;
}

export function unsupportedType(
  type: string | undefined,
  { operation, accepted }: Pick<ExpectedBody, 'operation' | 'accepted'>,
): FlotillaError {
  const got = type === undefined ? 'no content-type' : `"${type.slice(0, 100)}"`;
  return new FlotillaError('UNSUPPORTED_MEDIA_TYPE', `${operation} takes ${accepted.join(', ')}, got ${got}`, {
    data: { accepted },
  });
}

export function bodyTooLarge(maxBytes: number, why = ''): FlotillaError {
  const detail = `the body is larger than the limit of ${maxBytes} bytes${why && `: ${why}`}`;
  return new FlotillaError('BODY_TOO_LARGE', detail, { data: { maxBytes } });
}
