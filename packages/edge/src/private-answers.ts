import type { Filter } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';

/**
 * A filter for services whose answers are one visitor's: nobody on the way keeps one (`cache-control: no-store`), unless the
 * answer says otherwise itself, and no browser guesses at its type.
 *
 * ```ts
 * app.filter(privateAnswers);
 * ```
 */
export function privateAnswers(): Filter<HttpRequest, HttpResponse> {
  return (next) => async (request, call) => {
    const response = await next(request, call);
    if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store');
    response.headers.set('x-content-type-options', 'nosniff');
    return response;
  };
}
