import type { Filter, HttpRequest, HttpResponse } from 'flotilla';

/** What the shop answers is one visitor's, unless the answer itself says otherwise. */
export function privateAnswers(): Filter<HttpRequest, HttpResponse> {
  return (next) => async (request, call) => {
    const response = await next(request, call);
    if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store');
    response.headers.set('x-content-type-options', 'nosniff');
    return response;
  };
}
