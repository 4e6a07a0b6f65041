import { type Filter, type Gate, gateFilter } from '@flotilla/core';
import { rateLimitGate } from './rate-limit.ts';
import { adaptiveConcurrency, type GuardedOptions, shedding } from './server-guard.ts';

/** A gate, what it is called, and why it stands where it stands. */
export interface GateEntry {
  readonly name: string;
  readonly reason: string;
  readonly gate: Gate;
}

/**
 * What stands between a transport and the handler of one operation, outermost first. Everything here refuses before the body
 * is read. What is switched off is not in the list.
 */
export function serverGates(options: GuardedOptions): readonly GateEntry[] {
  const { guard, operation } = options;
  const { policies, events } = guard;
  const limits = policies.rateLimit;
  const limiter = limits.shared ? guard.sharedLimiter : guard.limiter;
  return [
    ...when(policies.shedding.enabled, {
      name: 'shedding',
      reason: 'outermost: when the process itself is in trouble the cheapest answer is the right one',
      gate: () => shedding(options),
    }),
    ...when(limits.enabled && limits.ratePerSecond < Infinity, {
      name: 'rateLimit',
      reason: 'above concurrency: who comes too often takes no place from others',
      gate: () => rateLimitGate({ settings: limits, target: 'server', operation, limiter, events, side: 'server' }),
    }),
    ...when(policies.concurrency.enabled, {
      name: 'concurrency',
      reason: 'innermost: counts and times exactly the work, from here to its last byte',
      gate: () => adaptiveConcurrency(options),
    }),
  ];
}

/**
 * The same as one filter, which follows the configuration.
 *
 * ```ts
 * const handler = serverFilter({ guard, operation: 'catalog.product' })(serve);
 * ```
 */
export function serverFilter<Req, Res>(options: GuardedOptions): Filter<Req, Res> {
  const make = (): Gate[] => serverGates(options).map(({ gate }) => gate);
  return gateFilter(options.guard.chains.gate(make, options.until === 'head'));
}

/** One line of the list, if it is switched on. */
function when(
  on: boolean,
  { name, reason, gate }: Omit<GateEntry, 'gate'> & { readonly gate: () => Gate },
): readonly GateEntry[] {
  return on ? [{ name, reason, gate: gate() }] : [];
}
