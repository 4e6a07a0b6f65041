import type { Filter } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';

/** A filter of a route. */
export type HttpFilter = Filter<HttpRequest, HttpResponse>;
