import { clientAddress, type HttpRequest, parseTrustedProxies } from '@flotilla/http';
import type { RouteDocument } from './route-document.ts';

/** Whose word about others is believed. */
export interface Trust {
  /** Is the request's direct peer a trusted proxy? */
  trusts(request: HttpRequest): boolean;
  /** The address on whose behalf the request comes; the peer's own where that is not a trusted proxy. */
  clientOf(request: HttpRequest): string;
}

/** @throws FlotillaError CONFIG_INVALID for a network that is none. */
export function createTrust({ trustedProxies }: Pick<RouteDocument, 'trustedProxies'>): Trust {
  const proxies = parseTrustedProxies(trustedProxies);
  return {
    trusts: ({ peer }) => peer !== undefined && proxies.has(peer.address),
    clientOf: ({ headers, peer }) => (peer ? clientAddress(headers, peer, proxies) : ''),
  };
}
