export { type AttemptTimeoutOptions, attemptTimeout } from './attempt-timeout.ts';
export * from './client-policies.ts';
export { clientFilters, type FilterEntry, type InstanceFilterOptions, instanceFilters } from './composition.ts';
export { type ConcurrencyLimitOptions, concurrencyLimit } from './concurrency-limit.ts';
export * from './events.ts';
export { innerCall } from './inner-call.ts';
export * from './policy-fields.ts';
export { budgetOf, type RetryOptions, retry } from './retry.ts';
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
export { type Backoff, backoffMs, isRepeatable } from './retry-rules.ts';
export * from './server-policies.ts';
export {
  type PartialSettings,
  type ResilienceSettings,
  resilienceDefaults,
  resilienceFields,
  resolveResilience,
} from './settings.ts';
export { type TimeoutOptions, timeout } from './timeout.ts';
