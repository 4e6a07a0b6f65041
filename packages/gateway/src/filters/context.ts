import { Call, toFlotillaError } from '@flotilla/core';
import type { FilterDefinition } from '../route-document.ts';
import type { HttpFilter } from './http-filter.ts';

type Context = Extract<FilterDefinition, { readonly kind: 'context' }>;

/**
 * Says what travels with the requests of a route from here on, through every hop: their urgency, members of the baggage. No
 * client can say either; the document can.
 */
export function context({ urgency, baggage }: Context): HttpFilter {
  return (next) => (request, call) => {
    const { trace, attempt, idempotencyKey } = call;
    const members = baggage.length === 0 ? call.baggage : new Map([...call.baggage, ...baggage]);
    const inner = new Call({ trace, attempt, idempotencyKey, urgency, baggage: members }, call);
    return next(request, inner).then(
      (response) => {
        inner.endTogether();
        return response;
      },
      (thrown: unknown) => {
        inner.end(toFlotillaError(thrown));
        throw thrown;
      },
    );
  };
}
