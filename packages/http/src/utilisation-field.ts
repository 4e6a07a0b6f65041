import type { Filter } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from './exchange.ts';

/**
 * How busy the event loop of an instance is, 0 to 1 with three digits: in an answer to a request that has the field too,
 * with whatever value. Who does not ask is not told, so answers to others are as long as before.
 */
export const utilisationField = 'flotilla-utilisation';

/** Who wants to hear how busy an instance is. */
export interface UtilisationListener {
  /** Whether it wants to hear of it now. */
  readonly wanted: boolean;
  utilisation(share: number): void;
}

/** Asks an instance with each request how busy it is, and passes on what it says. */
export function askUtilisation(listener: UtilisationListener): Filter<HttpRequest, HttpResponse> {
  return (next) => (request, call) => {
    if (!listener.wanted) return next(request, call);
    const headers = request.headers.copy();
    headers.set(utilisationField, '?');
    return next({ ...request, headers }, call).then((response) => {
      const share = readUtilisation(response.headers.get(utilisationField));
      if (share !== undefined) listener.utilisation(share);
      return response;
    });
  };
}

/** Tells who asks how busy this process is. @param read 0 to 1; called for each request that asks */
export function tellUtilisation(read: () => number): Filter<HttpRequest, HttpResponse> {
  return (next) => (request, call) => {
    if (!request.headers.has(utilisationField)) return next(request, call);
    return next(request, call).then((response) => {
      const headers = response.headers.copy();
      headers.set(utilisationField, read().toFixed(3));
      return { ...response, headers };
    });
  };
}

/** Undefined for anything that is no share. */
export function readUtilisation(field: string | undefined): number | undefined {
  if (field === undefined || !/^(?:0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?)$/.test(field)) return undefined;
  return Number(field);
}
