export * from './answer-filters.ts';
export { type AttemptTimeoutOptions, attemptTimeout } from './attempt-timeout.ts';
export * from './batch.ts';
export { Breaker, type BreakerFilterOptions, type BreakerOptions, breaker } from './breaker.ts';
export type { BreakerState } from './breaker-state.ts';
export { Bulkhead, type BulkheadOptions, bulkhead } from './bulkhead.ts';
export * from './cache.ts';
export { ClientGuard, type ClientGuardOptions, type GuardedCalls, type GuardedOperation } from './client-guard.ts';
export {
  type BreakerSettings,
  type BulkheadSettings,
  breakerDefaults,
  breakerFields,
  bulkheadDefaults,
  bulkheadFields,
  type ClientPolicies,
  clientPolicyDefaults,
  type GivenClientPolicies,
  type GivenServicePolicies,
  layered,
  type RateLimitSettings,
  rateLimitDefaults,
  rateLimitFields,
  resolveClientPolicies,
} from './client-policies.ts';
export {
  type ClientFilterOptions,
  clientFilters,
  type FilterEntry,
  type InstanceFilterOptions,
  instanceFilters,
} from './composition.ts';
export { type ConcurrencyLimitOptions, concurrencyLimit } from './concurrency-limit.ts';
export {
  EventHub,
  type EventHubOptions,
  type EventSubscription,
  nullEvents,
  type PolicyEvent,
  type PolicyEvents,
  type PolicyKinds,
  type PolicyName,
  tell,
} from './events.ts';
export { type FallbackOptions, fallback, isOutage } from './fallback.ts';
export type { Pace, RateVerdict } from './gcra.ts';
export * from './hedge.ts';
export * from './idempotency.ts';
export { innerCall } from './inner-call.ts';
export { type CallJudgement, judgeCall } from './judge-call.ts';
export { LiveChains } from './live-chain.ts';
export { idleLoad, type LoadSource, type ProcessLoad } from './load-source.ts';
export {
  type BreakerView,
  checkPolicies,
  Policies,
  type PoliciesConfig,
  type PoliciesOptions,
  type PoliciesView,
} from './policies.ts';
export {
  amount,
  choice,
  flag,
  fraction,
  type Given,
  milliseconds,
  type PolicyField,
  type PolicyFields,
  resolveFields,
  whole,
} from './policy-fields.ts';
export { LocalRateLimiter, type RateLimiter, type RateLimitOptions, rateLimit, rateLimitGate } from './rate-limit.ts';
export { budgetOf, type RetryOptions, retry } from './retry.ts';
export {
  createRetryBudget,
  jointBudget,
  processBudgetDefaults,
  type RetryBudget,
  type RetryBudgetOptions,
} from './retry-budget.ts';
export { type Backoff, backoffMs, isRepeatable } from './retry-rules.ts';
export { type GateEntry, serverFilter, serverGates } from './server-composition.ts';
export {
  adaptiveConcurrency,
  type GuardedOptions,
  ServerGuard,
  type ServerGuardOptions,
  shedding,
} from './server-guard.ts';
export {
  type ConcurrencySettings,
  concurrencyDefaults,
  type GivenServerPolicies,
  type QueueSettings,
  queueDefaults,
  resolveServerPolicies,
  type ServerPolicies,
  type SheddingSettings,
  serverPolicyDefaults,
  serverPolicyFields,
  sheddingDefaults,
} from './server-policies.ts';
export {
  type PartialSettings,
  type ResilienceSettings,
  resilienceDefaults,
  resilienceFields,
  resolveResilience,
} from './settings.ts';
export { SharedLimits } from './shared-limits.ts';
export { createSharedRateLimiter, type SharedRateLimiterOptions } from './shared-rate-limiter.ts';
export {
  type SingleFlightOptions,
  type SingleFlightSettings,
  singleFlight,
  singleFlightDefaults,
  singleFlightFields,
} from './single-flight.ts';
export { type TimeoutOptions, timeout } from './timeout.ts';
