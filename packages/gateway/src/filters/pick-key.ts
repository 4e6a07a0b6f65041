import { pickWish } from '@flotilla/balance';
import { type HttpRequest, parseCookies } from '@flotilla/http';
import type { FilterDefinition } from '../route-document.ts';
import type { HttpFilter } from './http-filter.ts';

type PickKey = Extract<FilterDefinition, { readonly kind: 'pickKey' }>;

/** No key is longer: what is over is cut off. Who chooses a key that long gets what everybody with its beginning gets. */
const longestKey = 256;

/** Requests with the same key go to the same instance, where the service is balanced by `hash` or `sticky`. */
export function pickKey(definition: PickKey): HttpFilter {
  return (next) => (request, call) => {
    const key = keyOf(request, definition);
    if (key) call.set(pickWish, { ...call.get(pickWish), key: key.slice(0, longestKey) });
    return next(request, call);
  };
}

function keyOf({ headers, peer }: HttpRequest, definition: PickKey): string | undefined {
  switch (definition.from) {
    case 'header':
      return headers.get(definition.name);
    case 'cookie':
      return parseCookies(headers.get('cookie')).get(definition.name);
    case 'clientAddress':
      // What a stranger said of itself has been taken off, and where the request came from been put on.
      return headers.get('x-forwarded-for')?.split(',', 1).at(0)?.trim() ?? peer?.address;
  }
}
