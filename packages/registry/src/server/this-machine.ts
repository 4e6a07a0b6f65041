import { FlotillaError } from '@flotilla/core';
import { type HttpHandler, type HttpRequest, isLoopback, problemResponse } from '@flotilla/http';

/**
 * A registry without users is for this machine alone, and answers only to names of this machine: a page elsewhere that had
 * its own name resolved to 127.0.0.1 (DNS rebinding) could read and change it otherwise.
 * @throws FlotillaError FORBIDDEN
 */
export function assertNameOfThisMachine({ authority }: HttpRequest): void {
  if (isLoopback(authority.replace(/:\d{1,5}$/, ''))) return;
  throw new FlotillaError(
    'FORBIDDEN',
    `a registry without users is for this machine alone: ask for it as 127.0.0.1 or localhost, not as "${authority.slice(0, 80)}"`,
  );
}

/** Everything that a registry without users serves, its own API and those of dialects. */
export function forThisMachine(handler: HttpHandler): HttpHandler {
  return async (request, call) => {
    try {
      assertNameOfThisMachine(request);
    } catch (thrown) {
      if (thrown instanceof FlotillaError) return problemResponse(thrown, call);
      throw thrown;
    }
    return handler(request, call);
  };
}
