import { type Call, type Clock, FlotillaError, type Meter } from '@flotilla/core';
import type { HttpHandler, HttpRequest, HttpResponse, RouteSpec } from '@flotilla/http';
import { checkPolicies, type LoadSource, Policies, type PoliciesConfig, serverFilter } from '@flotilla/resilience';
import { answeredErrorAttribute, type ProtectOperation } from '@flotilla/rpc';
import type { PlatformConfig } from './platform-settings.ts';

/** The policies that a configuration describes. */
export function policiesOf(
  config: Pick<PlatformConfig, 'clients' | 'server'>,
  runtime: { readonly clock: Clock; readonly meter: Meter; readonly load?: LoadSource },
): Policies {
  const failed = (call: Call): boolean => call.get(answeredErrorAttribute) !== undefined;
  return new Policies({ clock: runtime.clock, meter: runtime.meter, load: runtime.load, config, failed });
}

/** The server's policies before an operation. A stream keeps its place until it begins. */
export function protectWith({ server: guard }: Policies): ProtectOperation {
  return ({ operation, streamed }) =>
    serverFilter({ guard, operation, ...(streamed && { until: 'head', timed: false }) });
}

/** The same before a plain route, of which nobody knows how long its answer may go on. */
export function protectedRoute({ server: guard }: Policies, route: RouteSpec<HttpHandler>): RouteSpec<HttpHandler> {
  const operation = `${route.methods?.join(',') ?? '*'} ${route.path}`;
  return { ...route, value: serverFilter<HttpRequest, HttpResponse>({ guard, operation, until: 'head' })(route.value) };
}

/** What a peer gets that asks for leases: what the limit lets it expect, renewed twice a second. */
export function leasesOf({ server }: Policies): { readonly requests: () => number; readonly ttlMs: number } {
  return { requests: () => server.allowance(leaseMs), ttlMs: leaseMs };
}

const leaseMs = 1_000;

/**
 * @param policies of a process that runs: what the code of its clients says counts, too
 * @throws FlotillaError CONFIG_INVALID when values that fit by themselves do not fit together
 */
export function assertPolicies(config: PoliciesConfig, policies?: Policies): void {
  try {
    if (policies) policies.check(config);
    else checkPolicies(config);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new FlotillaError('CONFIG_INVALID', thrown.message);
  }
}
