import { type Attribute, attribute, type Call } from '@flotilla/core';
import type { HttpRequest } from '@flotilla/http';

/** Who a caller proved to be. */
export interface Principal {
  /** Stable and unique within its issuer. */
  readonly subject: string;
  /** Epoch milliseconds at which the proof lapses: a WebSocket that began with it is closed then. Absent: never. */
  readonly expiresAt?: number | undefined;
}

/**
 * Port: says who sends a request, from its header fields as they came. It sees no body.
 * Rejects with a FlotillaError UNAUTHENTICATED or FORBIDDEN; any other error counts as INTERNAL, and the request is
 * refused as well.
 */
export type Authenticate = (request: HttpRequest, call: Call) => Promise<Principal>;

/** Set in the calls of routes that require authentication. */
export const principalAttribute: Attribute<Principal> = attribute('principal');
