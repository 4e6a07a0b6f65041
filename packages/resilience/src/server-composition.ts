import type { Filter } from '@flotilla/core';
import type { FilterEntry } from './composition.ts';
import { rateLimit } from './rate-limit.ts';
import { adaptiveConcurrency, type GuardedOptions, shedding } from './server-guard.ts';

/**
 * What stands between a transport and the handler of one operation, outermost first. Everything here refuses before the body
 * is read. What is switched off is not in the list.
 *
 * ```ts
 * const handler = compose(serverFilters({ guard, operation: 'catalog.product' }).map(({ filter }) => filter), serve);
 * ```
 */
export function serverFilters<Req, Res>(options: GuardedOptions): readonly FilterEntry<Req, Res>[] {
  const { guard, operation } = options;
  const { policies, events } = guard;
  const limits = policies.rateLimit;
  const limiter = limits.shared ? guard.sharedLimiter : guard.limiter;
  return [
    ...when(policies.shedding.enabled, {
      name: 'shedding',
      reason: 'outermost: when the process itself is in trouble the cheapest answer is the right one',
      filter: () => shedding<Req, Res>(options),
    }),
    ...when(limits.enabled && limits.ratePerSecond < Infinity, {
      name: 'rateLimit',
      reason: 'above concurrency: who comes too often takes no place from others',
      filter: () =>
        rateLimit<Req, Res>({ settings: limits, target: 'server', operation, limiter, events, side: 'server' }),
    }),
    ...when(policies.concurrency.enabled, {
      name: 'concurrency',
      reason: 'innermost: counts and times exactly the work, from here to its last byte',
      filter: () => adaptiveConcurrency<Req, Res>(options),
    }),
  ];
}

/** The same as one filter, which follows the configuration. */
export function serverFilter<Req, Res>(options: GuardedOptions): Filter<Req, Res> {
  const make = (): Filter<Req, Res>[] => serverFilters<Req, Res>(options).map(({ filter }) => filter);
  return options.guard.chains.filter<Req, Res, GuardedOptions>(() => options, make);
}

/** One line of the list, if it is switched on. */
function when<Req, Res>(
  on: boolean,
  { name, reason, filter }: Omit<FilterEntry<Req, Res>, 'filter'> & { readonly filter: () => Filter<Req, Res> },
): readonly FilterEntry<Req, Res>[] {
  return on ? [{ name, reason, filter: filter() }] : [];
}
