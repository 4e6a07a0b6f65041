import type { Call } from '@flotilla/core';
import { type HttpRequest, limitBody, readBody } from '@flotilla/http';
import { type ByteStream, type BytesMapping, concreteTypes } from '../contract/index.ts';
import { checkBodyHead } from './body-type.ts';

/**
 * Checks what the head of a request says of its bytes.
 * @returns reads them, or opens them as a stream, as the one field that they are
 * @throws FlotillaError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE; what is returned rejects with the latter too
 */
export function readBytes(
  operation: string,
  { kind, field, maxBytes, types }: BytesMapping,
  request: HttpRequest,
  call: Call,
): () => Promise<Readonly<Record<string, unknown>>> {
  const type = checkBodyHead(request, { operation, accepted: types, maxBytes });
  if (kind === 'bytes') return async () => ({ [field]: await readBody(request.body, maxBytes, call) });
  const declared = request.headers.get('content-length');
  const stream: ByteStream = {
    type: type ?? concreteTypes(types)[0] ?? 'application/octet-stream',
    length: request.body === undefined ? 0 : declared === undefined ? undefined : Number(declared),
    content: limitBody(request.body, { maxBytes, call }),
  };
  return async () => ({ [field]: stream });
}
