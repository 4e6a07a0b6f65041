import { type BatchSettings, batchDefaults, batchFields } from './batch.ts';
import { type CacheSettings, cacheDefaults, cacheFields } from './cache.ts';
import { type HedgeSettings, hedgeDefaults, hedgeFields } from './hedge.ts';
import {
  amount,
  choice,
  flag,
  type Given,
  milliseconds,
  type PolicyFields,
  resolveFields,
  whole,
} from './policy-fields.ts';
import { type ResilienceSettings, resilienceDefaults, resolveResilience } from './settings.ts';
import { type SingleFlightSettings, singleFlightDefaults, singleFlightFields } from './single-flight.ts';

/** When a client stops asking a service, or one of its operations, that fails. */
export interface BreakerSettings {
  readonly enabled: boolean;
  /** What has a breaker of its own: each operation, or the service as a whole. */
  readonly per: 'operation' | 'service';
  /** What the rates are taken over: the last `windowCalls` calls, or those of the last `windowMs`. */
  readonly window: 'calls' | 'time';
  readonly windowCalls: number;
  readonly windowMs: number;
  /** With fewer outcomes than this nothing is decided. */
  readonly minCalls: number;
  /** Share of failed calls that opens it, above 0 to 1. */
  readonly failureFraction: number;
  /** Share of slow calls that opens it, above 0 to 1. */
  readonly slowFraction: number;
  /** A call that takes longer is slow. `Infinity`: none is. Of a stream only the failure counts. */
  readonly slowCallMs: number;
  /** How long it refuses before it tries; doubles each time that a trial fails. */
  readonly openMs: number;
  /** It never refuses for longer without a trial. */
  readonly maxOpenMs: number;
  /** Calls that are let through to try. */
  readonly trialCalls: number;
  /** A trial that is not decided by then counts as failed: its calls may never end. */
  readonly trialMs: number;
}

export const breakerDefaults: BreakerSettings = Object.freeze({
  enabled: true,
  per: 'operation', // one broken operation leaves the others alone
  window: 'time', // forgets a bad moment whatever the traffic
  windowCalls: 100,
  windowMs: 10_000, // the same span as the retry budget
  minCalls: 20, // below this a share is noise
  failureFraction: 0.5, // retries and ejection cure less than that
  slowFraction: 1, // every single call: a service that is slow is not yet broken
  slowCallMs: 60_000, // longer than timeoutMs: slowness alone opens nothing until somebody says what slow is
  openMs: 5_000, // long enough for a restart of one process
  maxOpenMs: 60_000, // a repaired service is back within a minute
  trialCalls: 3, // one may fail by chance
  trialMs: 30_000, // as long as a whole call may take
});

export const breakerFields: PolicyFields<BreakerSettings> = {
  enabled: flag('whether it is there at all'),
  per: choice(['operation', 'service'], 'what has a breaker of its own'),
  window: choice(['calls', 'time'], 'what the rates are taken over'),
  windowCalls: whole('how many calls count, with window "calls"', { min: 1, max: 10_000 }),
  windowMs: milliseconds('how long a call counts, with window "time"', { min: 100, max: 3_600_000 }),
  minCalls: whole('with fewer outcomes nothing is decided', { min: 1, max: 1_000_000 }),
  failureFraction: amount('share of failed calls that opens it', { min: 0.01, max: 1 }),
  slowFraction: amount('share of slow calls that opens it', { min: 0.01, max: 1 }),
  slowCallMs: amount('a call that takes longer is slow', { min: 0, max: 86_400_000, orInfinity: true }),
  openMs: milliseconds('how long it refuses before it tries; doubles with each trial that fails'),
  maxOpenMs: milliseconds('it never refuses for longer without a trial'),
  trialCalls: whole('calls that are let through to try', { min: 1, max: 1_000 }),
  trialMs: milliseconds('a trial that is not decided by then has failed'),
};

/** A cap on concurrent calls of one client, with a short queue before it. */
export interface BulkheadSettings {
  readonly enabled: boolean;
  /** What has a cap of its own: each operation, or the service as a whole. */
  readonly per: 'operation' | 'service';
  /** Calls in flight until their last byte or element. `Infinity`: no cap, and no filter. */
  readonly maxConcurrent: number;
  /** Calls that may wait for a place, the urgent and the soonest due first. 0: none waits. */
  readonly maxQueued: number;
  /** The longest wait; the call's own deadline may be sooner. */
  readonly maxWaitMs: number;
}

export const bulkheadDefaults: BulkheadSettings = Object.freeze({
  enabled: true,
  per: 'operation',
  maxConcurrent: Infinity, // off: the cap of each instance, the deadline and the callee's own limit come first
  maxQueued: 100, // a burst, not a backlog
  maxWaitMs: 1_000, // who waited longer has better things to do
});

export const bulkheadFields: PolicyFields<BulkheadSettings> = {
  enabled: flag('whether it is there at all'),
  per: choice(['operation', 'service'], 'what has a cap of its own'),
  maxConcurrent: whole('calls in flight until their last byte', { min: 1, max: 1_000_000, orInfinity: true }),
  maxQueued: whole('calls that may wait for a place', { min: 0, max: 10_000 }),
  maxWaitMs: milliseconds('the longest wait for a place', { min: 0 }),
};

/** How often something may be called. */
export interface RateLimitSettings {
  readonly enabled: boolean;
  /** What has a rate of its own: each operation, each tenant, or all together. */
  readonly per: 'operation' | 'service' | 'tenant';
  /** Calls per second in the long run. `Infinity`: no limit, and no filter. */
  readonly ratePerSecond: number;
  /** Calls that may come at once. 0: as many as one second allows, at least one. */
  readonly burst: number;
  /** A call that is early waits up to this long for its turn; 0: it is refused at once. */
  readonly maxWaitMs: number;
  /** Counts together with all instances of this service that have one store; then nobody waits. */
  readonly shared: boolean;
}

export const rateLimitDefaults: RateLimitSettings = Object.freeze({
  enabled: true,
  per: 'service',
  ratePerSecond: Infinity, // off: only who knows the agreed rate can name it
  burst: 0,
  maxWaitMs: 0, // a refusal at once says more than a silent delay
  shared: false, // a round trip to the store for each call
});

export const rateLimitFields: PolicyFields<RateLimitSettings> = {
  enabled: flag('whether it is there at all'),
  per: choice(['operation', 'service', 'tenant'], 'what has a rate of its own'),
  ratePerSecond: amount('calls per second in the long run', { min: 0.001, max: 1_000_000, orInfinity: true }),
  burst: whole('calls that may come at once; 0: as many as one second allows', { min: 0, max: 1_000_000 }),
  maxWaitMs: milliseconds('how long an early call may wait for its turn', { min: 0, max: 60_000 }),
  shared: flag('counts together with all instances of this service that have one store'),
};

/** Every policy of one client, for one operation. */
export interface ClientPolicies extends ResilienceSettings {
  readonly breaker: BreakerSettings;
  readonly bulkhead: BulkheadSettings;
  readonly rateLimit: RateLimitSettings;
  readonly hedge: HedgeSettings;
  readonly cache: CacheSettings;
  readonly singleFlight: SingleFlightSettings;
  readonly batch: BatchSettings;
}

/** The same as it is written: any part of it. */
export interface GivenClientPolicies extends Given<ResilienceSettings> {
  readonly breaker?: Given<BreakerSettings> | undefined;
  readonly bulkhead?: Given<BulkheadSettings> | undefined;
  readonly rateLimit?: Given<RateLimitSettings> | undefined;
  readonly hedge?: Given<HedgeSettings> | undefined;
  readonly cache?: Given<CacheSettings> | undefined;
  readonly singleFlight?: Given<SingleFlightSettings> | undefined;
  readonly batch?: Given<BatchSettings> | undefined;
}

/** Policies of a service, and what is different for some of its operations, by name. */
export interface GivenServicePolicies extends GivenClientPolicies {
  readonly operations?: Readonly<Record<string, GivenClientPolicies>> | undefined;
}

/** What holds when nothing is configured. */
export const clientPolicyDefaults: ClientPolicies = Object.freeze({
  ...resilienceDefaults,
  breaker: breakerDefaults,
  bulkhead: bulkheadDefaults,
  rateLimit: rateLimitDefaults,
  hedge: hedgeDefaults,
  cache: cacheDefaults,
  singleFlight: singleFlightDefaults,
  batch: batchDefaults,
});

/**
 * Fills in the defaults and checks every value.
 * @throws RangeError naming the first one that does not fit: `breaker.minCalls must be …`
 */
export function resolveClientPolicies(given: GivenClientPolicies = {}): ClientPolicies {
  return Object.freeze({
    ...resolveResilience(given),
    breaker: resolveFields(breakerFields, breakerDefaults, given.breaker, 'breaker.'),
    bulkhead: resolveFields(bulkheadFields, bulkheadDefaults, given.bulkhead, 'bulkhead.'),
    rateLimit: resolveFields(rateLimitFields, rateLimitDefaults, given.rateLimit, 'rateLimit.'),
    hedge: resolveFields(hedgeFields, hedgeDefaults, given.hedge, 'hedge.'),
    cache: resolveFields(cacheFields, cacheDefaults, given.cache, 'cache.'),
    singleFlight: resolveFields(singleFlightFields, singleFlightDefaults, given.singleFlight, 'singleFlight.'),
    batch: resolveFields(batchFields, batchDefaults, given.batch, 'batch.'),
  });
}

/**
 * What was said in several places, the later one winning value by value. Of a client these are, in order: its code, the
 * code for the operation, `clients.*`, its operation there, `clients.<service>`, its operation there. So whoever
 * runs the process has the last word, and what is said of one service counts more than what is said of all.
 */
export function layered(layers: readonly (object | undefined)[]): object {
  const merged: Record<string, unknown> = {};
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer ?? {})) {
      if (value === undefined || name === 'operations') continue;
      const below = merged[name];
      merged[name] = isGroup(value) && isGroup(below) ? layered([below, value]) : value;
    }
  }
  return merged;
}

/** The layers of one operation; `operation` undefined: of the service as a whole. */
export function policiesOf(
  places: readonly (GivenServicePolicies | undefined)[],
  operation: string | undefined,
): GivenClientPolicies {
  const layers = places.flatMap((place) => [
    place,
    operation === undefined ? undefined : ownEntry(place?.operations, operation),
  ]);
  return layered(layers) as GivenClientPolicies;
}

function ownEntry<T>(entries: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return entries && Object.hasOwn(entries, name) ? entries[name] : undefined;
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
