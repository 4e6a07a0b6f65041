import type { Call } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';
import type { HttpFilter } from './http-filter.ts';

/** A filter that changes the request on its way in. */
export function mapRequest(change: (request: HttpRequest, call: Call) => HttpRequest): HttpFilter {
  // async: a change that throws must reject, as every handler does.
  return (next) => async (request, call) => next(change(request, call), call);
}

/** A filter that changes the response on its way out. */
export function mapResponse(change: (response: HttpResponse) => HttpResponse): HttpFilter {
  return (next) => async (request, call) => change(await next(request, call));
}
