import { type Attribute, attribute } from '@flotilla/core';
import type { RequestPath } from '@flotilla/http';

/** What the route table said of a request, for the filters of the route. */
export interface Matched {
  /** The pattern of the route that matched. */
  readonly pattern: string;
  /** The path that it matched. */
  readonly path: RequestPath;
}

/** Set in the call of every request that found its route. */
export const matchedAttribute: Attribute<Matched> = attribute('gatewayMatched');
