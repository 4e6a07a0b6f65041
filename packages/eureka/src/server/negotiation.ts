import { FlotillaError } from '@flotilla/core';
import type { HttpHeaders } from '@flotilla/http';

/**
 * Answers with a body are JSON: whoever accepts JSON, anything of `application/`, anything, or says nothing, gets it.
 * XML is not spoken yet.
 * @throws FlotillaError NOT_ACCEPTABLE
 */
export function assertAcceptsJson(headers: HttpHeaders): void {
  const accept = headers.get('accept');
  if (accept === undefined || accept.trim() === '' || /json|\*\/\*|application\/\*/i.test(accept)) return;
  throw new FlotillaError(
    'NOT_ACCEPTABLE',
    `this registry answers in application/json, not in "${accept.slice(0, 80)}"`,
  );
}

/** @throws FlotillaError UNSUPPORTED_MEDIA_TYPE for a body that is not JSON; none has a type too (Java: 415). */
export function assertSendsJson(headers: HttpHeaders): void {
  const type = headers.get('content-type') ?? '';
  if (/^application\/json[\t ]*(?:;|$)/i.test(type)) return;
  throw new FlotillaError('UNSUPPORTED_MEDIA_TYPE', `this registry reads application/json, not "${type.slice(0, 80)}"`);
}
