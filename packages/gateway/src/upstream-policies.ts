import type { PartialBalanceSettings } from '@flotilla/balance';
import type { FlotillaError } from '@flotilla/core';
import { errorFromResponse, type HttpRequest, type HttpResponse, leaveBody } from '@flotilla/http';
import type {
  BreakerSettings,
  BulkheadSettings,
  Given,
  GivenServicePolicies,
  GuardedCalls,
  GuardedOperation,
} from '@flotilla/resilience';

/** The breaker of a service, without what only calls of operations have. */
export type UpstreamBreaker = Given<Omit<BreakerSettings, 'per' | 'slowFraction' | 'slowCallMs'>>;

/** The cap on requests to a service. */
export type UpstreamBulkhead = Given<Omit<BulkheadSettings, 'per'>>;

/** What may be configured for a service that routes lead to. Time-outs and retries belong to routes. */
export interface UpstreamSettings {
  /** How its instances are chosen. */
  readonly balance?: PartialBalanceSettings | undefined;
  /** When it is not asked any more. It is there where something is said of it. */
  readonly breaker?: UpstreamBreaker | undefined;
  /** How many requests may be with it at a time. Default: any number. */
  readonly bulkhead?: UpstreamBulkhead | undefined;
}

/** By service, `*` for all of them; a service has one breaker and one cap for all routes to it. */
export type UpstreamsSettings = Readonly<Record<string, UpstreamSettings | undefined>>;

/** What holds for every service, before its configuration: nothing. */
export const upstreamCode: GivenServicePolicies = Object.freeze({
  timeoutMs: Infinity, // those of the route
  attemptTimeoutMs: Infinity,
  minRemainingMs: 0,
  retries: 0,
  maxConcurrent: Infinity,
  breaker: Object.freeze({ enabled: false, per: 'service' as const }),
  bulkhead: Object.freeze({ per: 'service' as const }),
});

/** The configuration as policies of clients. */
export function upstreamPolicies(settings: UpstreamsSettings): Readonly<Record<string, GivenServicePolicies>> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, { breaker, bulkhead } = {}]) => {
      const isThere = Object.values(breaker ?? {}).some((value) => value !== undefined);
      return [name, { ...(isThere && { breaker: { enabled: true, ...breaker } }), ...(bulkhead && { bulkhead }) }];
    }),
  );
}

/** How requests to a service are judged. */
export function upstreamCalls(name: string): GuardedCalls<HttpRequest, HttpResponse> {
  // An answer streams: how long it takes is the client's affair, too.
  const operation: GuardedOperation = { contract: '', operation: name, streamed: true };
  return { operationOf: () => operation, failure, discard: ({ body }) => leaveBody(body) };
}

const noBytes = new Uint8Array(0);

/** What an answer says of its service; that it is a failure of it is for the breaker to say. */
function failure(response: HttpResponse): FlotillaError | undefined {
  if (response.status < 500) return undefined;
  return errorFromResponse(response, response.body instanceof Uint8Array ? response.body : noBytes);
}
