/** When an instance counts as an outlier, and for how long it is left alone. */
export interface OutlierSettings {
  /** Failures in a row that eject. `Infinity`: never for this reason. */
  readonly consecutiveFailures: number;
  /** Share of failures in a window that ejects, above 0 to 1. */
  readonly maxFailureFraction: number;
  /** Below this many outcomes in a window the share is noise. */
  readonly minOutcomes: number;
  /** Length of a window in milliseconds. */
  readonly windowMs: number;
  /** First ejection; the n-th one lasts n times as long. */
  readonly baseEjectionMs: number;
  /** No ejection lasts longer. */
  readonly maxEjectionMs: number;
  /** Share of the instances that may be ejected at a time, 0 to 1; at least one, never the last. 0: none ever. */
  readonly maxEjectedFraction: number;
  /** When a smaller share than this is left, ejection is ignored: then the failure is everybody's. 0 to 1. */
  readonly panicFraction: number;
}

/** What one call said of an instance. */
export type Judgement = 'success' | 'failure';

/**
 * What is known of an instance's health.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | `healthy` | calls | `ejected`, when it fails unlike its peers and there is room to eject it |
 * | `ejected` | no calls, except in a panic | `healthy`, at `until` |
 */
export type Health =
  | {
      readonly state: 'healthy';
      readonly failuresInRow: number;
      readonly windowStartedAt: number;
      readonly successes: number;
      readonly failures: number;
      /** How often it was ejected; each `baseEjectionMs` in health since `since` takes one off. */
      readonly timesEjected: number;
      readonly since: number;
    }
  | { readonly state: 'ejected'; readonly until: number; readonly timesEjected: number };

/** The health of an instance of which nothing is known. */
export function newHealth(now: number): Health {
  return healthySince(now, 0);
}

/**
 * One outcome. The same health, judgement, time and room give the same answer.
 * @param room whether the cluster lets another instance be ejected: see {@link hasRoom}.
 */
export function afterOutcome(
  before: Health,
  judgement: Judgement,
  now: number,
  settings: OutlierSettings,
  room: boolean,
): Health {
  const health = afterTime(before, now);
  if (health.state === 'ejected') return health; // late answers, or a panic: its time is not over
  const fresh = now - health.windowStartedAt >= settings.windowMs;
  const failed = judgement === 'failure';
  const counted: Healthy = {
    state: 'healthy',
    failuresInRow: failed ? health.failuresInRow + 1 : 0,
    windowStartedAt: fresh ? now : health.windowStartedAt,
    successes: (fresh ? 0 : health.successes) + (failed ? 0 : 1),
    failures: (fresh ? 0 : health.failures) + (failed ? 1 : 0),
    timesEjected: health.timesEjected,
    since: health.since,
  };
  return failed && room && isOutlier(counted, settings) ? ejected(counted, now, settings) : counted;
}

/** What has become of it by now: an ejection that is over leaves a healthy instance with a clean sheet. */
export function afterTime(health: Health, now: number): Health {
  return health.state === 'ejected' && now >= health.until ? healthySince(health.until, health.timesEjected) : health;
}

/** May another of `known` instances be ejected when `ejected` of them are? Fractions of small sets round up to one. */
export function hasRoom(known: number, ejected: number, { maxEjectedFraction }: OutlierSettings): boolean {
  if (maxEjectedFraction === 0) return false;
  const most = Math.min(known - 1, Math.max(1, Math.floor(known * maxEjectedFraction)));
  return ejected < most;
}

/** Does it fail as one that would be ejected, if there were room? */
export function isFailing(health: Health, { consecutiveFailures }: OutlierSettings): boolean {
  return health.state === 'healthy' && health.failuresInRow >= consecutiveFailures;
}

/** Are so few left that all must serve? */
export function isPanic(known: number, ejected: number, { panicFraction }: OutlierSettings): boolean {
  return known - ejected < known * panicFraction;
}

type Healthy = Extract<Health, { state: 'healthy' }>;

function isOutlier({ failuresInRow, successes, failures }: Healthy, settings: OutlierSettings): boolean {
  if (failuresInRow >= settings.consecutiveFailures) return true;
  const outcomes = successes + failures;
  return outcomes >= settings.minOutcomes && failures >= outcomes * settings.maxFailureFraction;
}

function ejected({ timesEjected, since }: Healthy, now: number, settings: OutlierSettings): Health {
  const forgiven = Math.floor((now - since) / settings.baseEjectionMs);
  const times = Math.max(0, timesEjected - forgiven) + 1;
  return {
    state: 'ejected',
    until: now + Math.min(settings.maxEjectionMs, settings.baseEjectionMs * times),
    timesEjected: times,
  };
}

function healthySince(now: number, timesEjected: number): Health {
  return {
    state: 'healthy',
    failuresInRow: 0,
    windowStartedAt: now,
    successes: 0,
    failures: 0,
    timesEjected,
    since: now,
  };
}
