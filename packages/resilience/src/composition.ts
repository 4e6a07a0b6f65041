import type { Filter } from '@flotilla/core';
import { attemptTimeout } from './attempt-timeout.ts';
import { concurrencyLimit } from './concurrency-limit.ts';
import { type RetryOptions, retry } from './retry.ts';
import { type PartialSettings, resolveResilience } from './settings.ts';
import { timeout } from './timeout.ts';

/** A filter, what it is called, and why it stands where it stands. */
export interface FilterEntry<Req, Res> {
  readonly name: string;
  readonly reason: string;
  readonly filter: Filter<Req, Res>;
}

/** What the filters around one instance need to know. */
export interface InstanceFilterOptions extends PartialSettings {
  /** Names the instance in messages: `orders at 10.0.0.7:8080`. */
  readonly name: string;
}

/**
 * What stands between a caller and a cluster, outermost first. Whoever measures calls stands outside of it.
 * `compose(clientFilters().map(({ filter }) => filter), cluster.handle)`
 * @throws RangeError naming the setting that does not fit.
 */
export function clientFilters<Req, Res>(options: RetryOptions<Req, Res> = {}): readonly FilterEntry<Req, Res>[] {
  const settings = resolveResilience(options);
  return [
    { name: 'timeout', reason: "above retry: bounds the caller's wait, not each attempt", filter: timeout(settings) },
    { name: 'retry', reason: 'above balance: another attempt may reach another instance', filter: retry(options) },
  ];
}

/**
 * What stands between a cluster and one of its instances, outermost first. Outlier ejection stands above, in the
 * cluster: it sees what comes out of here.
 * @throws RangeError naming the setting that does not fit.
 */
export function instanceFilters<Req, Res>(options: InstanceFilterOptions): readonly FilterEntry<Req, Res>[] {
  const settings = resolveResilience(options);
  return [
    {
      name: 'concurrencyLimit',
      reason: 'outermost: a refusal of our own starts no timer and reaches no connection',
      filter: concurrencyLimit({ name: options.name, maxConcurrent: settings.maxConcurrent }),
    },
    {
      name: 'attemptTimeout',
      reason: 'innermost: times the instance alone; below ejection, so that slow answers count as failures',
      filter: attemptTimeout(settings),
    },
  ];
}
