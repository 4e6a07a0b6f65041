import type { OutlierSettings } from './outlier.ts';

/** Every number of a cluster; see {@link balanceDefaults} for why each is what it is. */
export interface BalanceSettings {
  readonly outlier: OutlierSettings;
  /**
   * How long calls wait for the first word from the registry about a target, from when it is first followed: one span for
   * all of them. A registry that is warming up and names nobody has not said its word yet; any other one has.
   */
  readonly firstSetTimeoutMs: number;
  /** How many calls may wait for it at a time. */
  readonly maxWaiting: number;
}

/** What holds when nothing is configured. */
export const balanceDefaults: BalanceSettings = Object.freeze({
  outlier: Object.freeze({
    consecutiveFailures: 5, // fewer happen by chance
    maxFailureFraction: 0.5, // half its calls failing is no busy moment
    minOutcomes: 20, // below this a share is noise
    windowMs: 10_000, // forgets a bad moment soon
    baseEjectionMs: 30_000, // long enough for a restart
    maxEjectionMs: 300_000, // a repaired instance is back within five minutes
    maxEjectedFraction: 0.3, // the others can carry that much more
    panicFraction: 0.5, // when half fails it is not the instances' fault, and the rest would drown
  }),
  firstSetTimeoutMs: 10_000, // a registry that starts together with its callers is up by then
  maxWaiting: 1_000, // a bound on what piles up when nothing is known yet
});

/** Settings as a user gives them. */
export interface PartialBalanceSettings {
  readonly outlier?: { readonly [K in keyof OutlierSettings]?: number | undefined } | undefined;
  readonly firstSetTimeoutMs?: number | undefined;
  readonly maxWaiting?: number | undefined;
}

/**
 * Fills in the defaults and checks every number. An explicit `undefined` counts as absent.
 * @throws RangeError naming the first field that does not fit.
 */
export function resolveBalance(options: PartialBalanceSettings = {}): BalanceSettings {
  const outlier: Record<keyof OutlierSettings, number> = { ...balanceDefaults.outlier };
  for (const name of Object.keys(outlierRules) as (keyof OutlierSettings)[]) {
    const value = options.outlier?.[name] ?? balanceDefaults.outlier[name];
    check(`outlier.${name}`, value, outlierRules[name]);
    outlier[name] = value;
  }
  const { firstSetTimeoutMs = balanceDefaults.firstSetTimeoutMs, maxWaiting = balanceDefaults.maxWaiting } = options;
  check('firstSetTimeoutMs', firstSetTimeoutMs, finiteAboveZero);
  check('maxWaiting', maxWaiting, fromZero);
  return Object.freeze({ outlier: Object.freeze(outlier), firstSetTimeoutMs, maxWaiting });
}

interface Rule {
  readonly text: string;
  fits(value: number): boolean;
}

const aboveZero: Rule = { text: 'greater than 0', fits: (value) => value > 0 };
const finiteAboveZero: Rule = { text: 'finite and greater than 0', fits: (value) => value > 0 && value < Infinity };
const fromZero: Rule = { text: 'from 0 on', fits: (value) => value >= 0 };
const fraction: Rule = { text: 'from 0 to 1', fits: (value) => value >= 0 && value <= 1 };

const outlierRules: Readonly<Record<keyof OutlierSettings, Rule>> = {
  consecutiveFailures: { text: 'at least 1', fits: (value) => value >= 1 },
  maxFailureFraction: { text: 'greater than 0, up to 1', fits: (value) => value > 0 && value <= 1 },
  minOutcomes: { text: 'at least 1', fits: (value) => value >= 1 },
  windowMs: finiteAboveZero,
  baseEjectionMs: finiteAboveZero,
  maxEjectionMs: aboveZero,
  maxEjectedFraction: fraction,
  panicFraction: fraction,
};

function check(name: string, value: number, rule: Rule): void {
  if (!rule.fits(value)) throw new RangeError(`${name} must be ${rule.text}, got ${value}`);
}
