import {
  type Call,
  type Filter,
  FlotillaError,
  type Gate,
  gateFilter,
  LatestMap,
  sleep,
  toFlotillaError,
} from '@flotilla/core';
import type { RateLimitSettings } from './client-policies.ts';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { type Pace, paceOf, type RateVerdict, takeToken } from './gcra.ts';

/**
 * Port: counts calls. The limiter of this package counts in this process; one that shares its counters with other
 * processes answers later, and falls back by itself when it cannot reach them: `take` never rejects.
 */
export interface RateLimiter {
  /** @param maxWaitMs how early a call may be: then it is allowed with the time that it has to wait. */
  take(key: string, now: number, pace: Pace, maxWaitMs: number): RateVerdict | Promise<RateVerdict>;
}

/** Keys that are counted at a time; beyond it the one that was asked longest ago is forgotten. */
const maxKeys = 10_000;

/** Counts in this process, each key by itself. */
export class LocalRateLimiter implements RateLimiter {
  /** When each key's bucket is full again; the latest asked last. */
  readonly #fullAt = new LatestMap<string, number>(maxKeys);

  take(key: string, now: number, pace: Pace, maxWaitMs: number): RateVerdict {
    const verdict = takeToken(this.#fullAt.get(key) ?? 0, now, pace, maxWaitMs);
    this.#fullAt.set(key, verdict.fullAt);
    return verdict;
  }

  /** Tokens that a key has at `now`, for a console. */
  tokens(key: string, now: number, { intervalMs, burst }: Pace): number {
    return burst - Math.max(0, (this.#fullAt.get(key) ?? 0) - now) / intervalMs;
  }
}

/** How calls are limited, and who hears of it. */
export interface RateLimitOptions {
  readonly settings: RateLimitSettings;
  /** The service that is called, or `server`. */
  readonly target: string;
  /** The operation, in the key where each has its own rate. */
  readonly operation: string;
  readonly limiter: RateLimiter;
  readonly events?: PolicyEvents | undefined;
  /** On a server whoever answers ends the call; on the caller's side who refuses does. Default `client`. */
  readonly side?: 'client' | 'server' | undefined;
}

/**
 * Limits how often something is called: in the long run `ratePerSecond`, at once `burst`. A call that is early waits if its
 * wait is at most `maxWaitMs`, else it is refused.
 *
 * Errors: RATE_LIMITED with `executed: 'no'` and `retryAfterMs`.
 */
export function rateLimit<Req, Res>(options: RateLimitOptions): Filter<Req, Res> {
  return gateFilter(rateLimitGate(options));
}

/** The same as a gate. */
export function rateLimitGate(options: RateLimitOptions): Gate {
  const { settings, target, operation, limiter, events = nullEvents, side = 'client' } = options;
  const pace = paceOf(settings);
  const keyOf = keyBy(settings.per, operation);
  const obey = (call: Call, { allowed, waitMs }: RateVerdict): Promise<void> | undefined => {
    if (!allowed) throw refuse(call, waitMs);
    if (waitMs === 0) return undefined;
    tell(events, call.clock, 'rateLimit', 'delayed', target, operation, { waitMs });
    return wait(call, waitMs);
  };
  const refuse = (call: Call, waitMs: number): FlotillaError => {
    tell(events, call.clock, 'rateLimit', 'refused', target, operation);
    const error = refusal(settings, target, waitMs);
    if (side === 'client') call.end(error);
    return error;
  };
  const wait = async (call: Call, waitMs: number): Promise<void> => {
    try {
      await sleep(waitMs, call);
    } catch (thrown) {
      if (side === 'client') call.end(toFlotillaError(thrown));
      throw thrown;
    }
  };
  return {
    enter(call, now) {
      const patienceMs = Math.min(settings.maxWaitMs, call.deadline - now);
      const verdict = limiter.take(keyOf(call), now, pace, patienceMs);
      return verdict instanceof Promise ? verdict.then((later) => obey(call, later)) : obey(call, verdict);
    },
  };
}

/** Structured: no text that a caller chooses can name another key. */
function keyBy(per: RateLimitSettings['per'], operation: string): (call: Call) => string {
  if (per === 'tenant') return (call) => `tenant:${call.tenant ?? ''}`;
  const key = per === 'operation' ? `operation:${operation}` : 'all';
  return () => key;
}

function refusal({ ratePerSecond, per }: RateLimitSettings, target: string, waitMs: number): FlotillaError {
  const whom = per === 'service' ? '' : ` per ${per}`;
  return new FlotillaError(
    'RATE_LIMITED',
    `"${target}" takes ${ratePerSecond} calls a second${whom}; the next one is allowed in ${Math.ceil(waitMs)} ms, see rateLimit.ratePerSecond`,
    { executed: 'no', retryAfterMs: Math.ceil(waitMs) },
  );
}
