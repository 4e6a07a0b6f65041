import { type RateLimitSettings, rateLimitDefaults, rateLimitFields } from './client-policies.ts';
import { type IdempotencySettings, idempotencyDefaults, idempotencyFields } from './idempotency.ts';
import {
  amount,
  flag,
  fraction,
  type Given,
  milliseconds,
  type PolicyFields,
  resolveFields,
  whole,
} from './policy-fields.ts';

/** How many calls a server works on at a time: a number that follows latency and the delay of the event loop. */
export interface ConcurrencySettings {
  readonly enabled: boolean;
  /** What it starts with, and what it falls back to while nobody needs more. */
  readonly initialLimit: number;
  /** It never falls below: so many calls are always taken. */
  readonly minLimit: number;
  /** It never rises above. */
  readonly maxLimit: number;
  /** It is moved once in this time at most. */
  readonly windowMs: number;
  /** Calls may take this many times as long as at rest before it falls. */
  readonly latencyTolerance: number;
  /** It falls while the event loop is later than this. */
  readonly maxLoopDelayMs: number;
}

export const concurrencyDefaults: ConcurrencySettings = Object.freeze({
  enabled: true,
  initialLimit: 20, // an idle process raises it at once, a busy one is spared
  minLimit: 4, // fewer would idle while one call waits for a disk
  maxLimit: 1_000, // as many as the cap of a caller's connection allows
  windowMs: 50, // follows a step of the load within a second
  latencyTolerance: 2, // at rest times vary by half; at twice that calls wait for each other
  maxLoopDelayMs: 20, // what a person does not notice and a deadline of 50 ms survives
});

export const concurrencyFields: PolicyFields<ConcurrencySettings> = {
  enabled: flag('whether there is a limit at all'),
  initialLimit: whole('what it starts with, and falls back to while nobody needs more', { min: 1, max: 100_000 }),
  minLimit: whole('it never falls below', { min: 1, max: 100_000 }),
  maxLimit: whole('it never rises above', { min: 1, max: 100_000 }),
  windowMs: milliseconds('it is moved once in this time at most', { min: 10, max: 60_000 }),
  latencyTolerance: amount('how many times as long as at rest calls may take before it falls', { min: 1, max: 100 }),
  maxLoopDelayMs: milliseconds('it falls while the event loop is later than this', { max: 10_000 }),
};

/** Who is refused first when there is too much to do. */
export interface SheddingSettings {
  readonly enabled: boolean;
  /** The share of the limit that calls of the class `bulk` may use. */
  readonly bulkFraction: number;
  /** The share of the limit that calls of the class `probe` may use. */
  readonly probeFraction: number;
  /** `critical` calls may go over the limit by this share of it. */
  readonly criticalExtraFraction: number;
  /** Beyond this delay of the event loop `bulk` and `probe` are refused. */
  readonly busyLoopDelayMs: number;
  /** Beyond this one everything but `critical` is. */
  readonly stalledLoopDelayMs: number;
  /** The same by the share of the heap that is in use. */
  readonly busyHeapFraction: number;
  readonly fullHeapFraction: number;
  /** What a refusal tells callers to wait, give or take a half. */
  readonly retryAfterMs: number;
}

export const sheddingDefaults: SheddingSettings = Object.freeze({
  enabled: true,
  bulkFraction: 0.7, // a third stays for people
  probeFraction: 0.5,
  criticalExtraFraction: 1, // critical calls are few; twice the limit bounds them if they are not
  busyLoopDelayMs: 100, // noticed by a person
  stalledLoopDelayMs: 250, // noticed by everybody
  busyHeapFraction: 0.85, // the collector begins to work harder than the handlers
  fullHeapFraction: 0.92, // the next burst would end the process
  retryAfterMs: 100, // one window of the limit: by then it has moved
});

export const sheddingFields: PolicyFields<SheddingSettings> = {
  enabled: flag('whether low priority is refused first'),
  bulkFraction: fraction('share of the limit that bulk calls may use'),
  probeFraction: fraction('share of the limit that probes may use'),
  criticalExtraFraction: amount('how far critical calls may go over the limit', { min: 0, max: 10 }),
  busyLoopDelayMs: milliseconds('beyond this delay of the event loop bulk calls and probes are refused'),
  stalledLoopDelayMs: milliseconds('beyond this one everything but critical calls'),
  busyHeapFraction: fraction('beyond this share of the heap bulk calls and probes are refused'),
  fullHeapFraction: fraction('beyond this one everything but critical calls'),
  retryAfterMs: milliseconds('what a refusal tells callers to wait, give or take a half', { max: 60_000 }),
};

/** A short queue before the limit, for bursts. It closes while it never gets empty. */
export interface QueueSettings {
  /** 0: none waits. */
  readonly maxQueued: number;
  readonly maxWaitMs: number;
  /** A queue that was not empty for this long is no burst: from then on it refuses as many as come, and serves the newest. */
  readonly standingMs: number;
}

export const queueDefaults: QueueSettings = Object.freeze({
  maxQueued: 1_000, // a thousand calls at once of one caller; how long it may stand is what bounds the wait
  maxWaitMs: 200, // as long as a restart beside it is felt; longer, and the caller's retry elsewhere would have been better
  standingMs: 50, // a burst is over by then; what still waits is overload
});

export const queueFields: PolicyFields<QueueSettings> = {
  maxQueued: whole('calls that may wait for a place', { min: 0, max: 10_000 }),
  maxWaitMs: milliseconds('the longest wait for a place', { min: 0, max: 60_000 }),
  standingMs: milliseconds(
    'a queue that is not empty for so long refuses as many as come, those first that wait for longest',
    { max: 60_000 },
  ),
};

/** Every policy of the serving side. */
export interface ServerPolicies {
  readonly concurrency: ConcurrencySettings;
  readonly shedding: SheddingSettings;
  readonly queue: QueueSettings;
  readonly rateLimit: RateLimitSettings;
  readonly idempotency: IdempotencySettings;
}

/** The same as it is written: any part of it. */
export type GivenServerPolicies = {
  readonly [Group in keyof ServerPolicies]?: Given<ServerPolicies[Group]> | undefined;
};

/** What holds when nothing is configured. */
export const serverPolicyDefaults: ServerPolicies = Object.freeze({
  concurrency: concurrencyDefaults,
  shedding: sheddingDefaults,
  queue: queueDefaults,
  rateLimit: rateLimitDefaults,
  idempotency: idempotencyDefaults,
});

/** What each may be. */
export const serverPolicyFields: { readonly [Group in keyof ServerPolicies]: PolicyFields<ServerPolicies[Group]> } = {
  concurrency: concurrencyFields,
  shedding: sheddingFields,
  queue: queueFields,
  rateLimit: rateLimitFields,
  idempotency: idempotencyFields,
};

/**
 * Fills in the defaults and checks every value.
 * @throws RangeError naming the first one that does not fit: `concurrency.minLimit must be …`
 */
export function resolveServerPolicies(given: GivenServerPolicies = {}): ServerPolicies {
  const concurrency = resolveFields(concurrencyFields, concurrencyDefaults, given.concurrency, 'concurrency.');
  const { minLimit, maxLimit } = concurrency;
  if (maxLimit < minLimit) {
    throw new RangeError(`concurrency.maxLimit must be at least concurrency.minLimit (${minLimit}), got ${maxLimit}`);
  }
  return Object.freeze({
    concurrency,
    shedding: resolveFields(sheddingFields, sheddingDefaults, given.shedding, 'shedding.'),
    queue: resolveFields(queueFields, queueDefaults, given.queue, 'queue.'),
    rateLimit: resolveFields(rateLimitFields, rateLimitDefaults, given.rateLimit, 'rateLimit.'),
    idempotency: resolveFields(idempotencyFields, idempotencyDefaults, given.idempotency, 'idempotency.'),
  });
}
