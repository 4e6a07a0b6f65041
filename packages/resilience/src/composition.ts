import type { Filter } from '@flotilla/core';
import { type AttemptTimeoutOptions, attemptTimeout } from './attempt-timeout.ts';
import { type Breaker, breaker } from './breaker.ts';
import { type Bulkhead, bulkhead } from './bulkhead.ts';
import { type ConcurrencyLimitOptions, concurrencyLimit } from './concurrency-limit.ts';
import { type HedgeOptions, hedge } from './hedge.ts';
import { type RateLimitOptions, rateLimit } from './rate-limit.ts';
import { type RetryOptions, retry } from './retry.ts';
import { type PartialSettings, resolveResilience } from './settings.ts';
import { timeout } from './timeout.ts';

/** A filter, what it is called, and why it stands where it stands. */
export interface FilterEntry<Req, Res> {
  readonly name: string;
  readonly reason: string;
  readonly filter: Filter<Req, Res>;
}

/** What the filters around a cluster need to know. What is absent is not in the list. */
export interface ClientFilterOptions<Req, Res> extends RetryOptions<Req, Res> {
  readonly rateLimit?: RateLimitOptions | undefined;
  readonly bulkhead?: Bulkhead | undefined;
  readonly breaker?: Breaker | undefined;
  readonly hedge?: HedgeOptions<Req, Res> | undefined;
  /** The answers are streams: `timeoutMs` is not for them, and their length is no slowness. */
  readonly streamed?: boolean | undefined;
  /** What is inside is a cluster whose instances stand behind {@link instanceFilters}. As {@link timeout} says. */
  readonly prompt?: boolean | undefined;
}

/** What the filters around one instance need to know. */
export interface InstanceFilterOptions<Req = never>
  extends Omit<PartialSettings, 'attemptTimeoutMs' | 'maxConcurrent'>,
    Pick<ConcurrencyLimitOptions<Req>, 'maxConcurrent' | 'callsEnd' | 'operationOf' | 'events'> {
  /** As {@link AttemptTimeoutOptions} says; default 10,000. */
  readonly attemptTimeoutMs?: AttemptTimeoutOptions<Req>['attemptTimeoutMs'] | undefined;
  /** Names the instance in messages: `orders at 10.0.0.7:8080`. */
  readonly name: string;
}

/**
 * What stands between a caller and a cluster, outermost first. Whoever measures calls stands outside of it, and a fallback
 * outside of that.
 * `compose(clientFilters().map(({ filter }) => filter), cluster.handle)`
 * @throws RangeError naming the setting that does not fit.
 */
export function clientFilters<Req, Res>(options: ClientFilterOptions<Req, Res> = {}): readonly FilterEntry<Req, Res>[] {
  const settings = resolveResilience(options);
  const { streamed = false, failure, hedge: hedging, target, operation, events } = options;
  const prompt = options.prompt && hedging === undefined; // a hedge may wait for the other one
  return [
    ...ifPresent(options.rateLimit, (limit) => ({
      name: 'rateLimit',
      reason: 'outermost: a call that comes too soon costs nothing further in, and counts nowhere',
      filter: rateLimit<Req, Res>(limit),
    })),
    {
      name: 'timeout',
      reason: "above everything that waits: bounds the caller's wait, not each attempt",
      filter: timeout({
        ...settings,
        timeoutMs: streamed ? Infinity : settings.timeoutMs,
        prompt,
        target,
        operation,
        events,
      }),
    },
    ...ifPresent(options.bulkhead, (state) => ({
      name: 'bulkhead',
      reason: 'above the breaker: a wait for a place of ours is no slowness of the service',
      filter: bulkhead<Req, Res>({ bulkhead: state }),
    })),
    ...ifPresent(options.breaker, (state) => ({
      name: 'breaker',
      reason: 'above retry: judges what callers get in the end, and nobody retries against an open one',
      filter: breaker<Req, Res>({ breaker: state, streamed, failure }),
    })),
    { name: 'retry', reason: 'above balance: another attempt may reach another instance', filter: retry(options) },
    ...ifPresent(hedging, (given) => ({
      name: 'hedge',
      reason: 'below retry: the second of two attempts side by side is no retry, and a retry may be hedged again',
      filter: hedge<Req, Res>(given),
    })),
  ];
}

/**
 * What stands between a cluster and one of its instances, outermost first. Outlier ejection stands above, in the
 * cluster: it sees what comes out of here.
 * @throws RangeError naming the setting that does not fit.
 */
export function instanceFilters<Req, Res>(options: InstanceFilterOptions<Req>): readonly FilterEntry<Req, Res>[] {
  const { name, maxConcurrent, callsEnd, operationOf, events } = options;
  const { attemptTimeoutMs = resolveResilience().attemptTimeoutMs } = options;
  return [
    {
      name: 'concurrencyLimit',
      reason: 'outermost: a refusal of our own starts no timer and reaches no connection',
      filter: concurrencyLimit<Req, Res>({ name, maxConcurrent, callsEnd, operationOf, events }),
    },
    {
      name: 'attemptTimeout',
      reason: 'innermost: times the instance alone; below ejection, so that slow answers count as failures',
      filter: attemptTimeout<Req, Res>({ attemptTimeoutMs, target: name, operationOf, events }),
    },
  ];
}

function ifPresent<T, Entry>(value: T | undefined, entry: (value: T) => Entry): readonly Entry[] {
  return value === undefined ? [] : [entry(value)];
}
