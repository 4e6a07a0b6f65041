import type { OutlierSettings } from './outlier.ts';
import { type PickPolicy, pickPolicies } from './picks/pick.ts';

/** Which part of a large service one caller goes to. */
export interface SubsetSettings {
  /** How many instances; of a service in zones, as many of the own one and as many of all others. 0: everybody. */
  readonly size: number;
  /**
   * The number of this caller among its siblings, from 0 on, if they are numbered without a gap: then each instance has
   * equally many callers, give or take one. -1: they are not; then it is so on average.
   */
  readonly seat: number;
}

/** How the own zone is preferred. */
export interface ZoneSettings {
  /** Whether calls stay in the caller's own zone, as far as that one can carry them. */
  readonly prefer: boolean;
  /** How much more than its even share of the calls a zone may be given: 1 or more. Beyond it, calls spill over. */
  readonly overprovision: number;
}

/** By which label calls are told apart, and instances. */
export interface LaneSettings {
  /** Member of the baggage that names the lane of a call. Empty: there are no lanes. */
  readonly baggage: string;
  /** Key of an instance's metadata that names its lane. `version` also means the version of its identity. */
  readonly metadata: string;
}

/** Every number of a cluster; see {@link balanceDefaults} for why each is what it is. */
export interface BalanceSettings {
  readonly pick: PickPolicy;
  /** In which a measured latency, or a reported utilisation, has faded to a third. */
  readonly decayMs: number;
  /** A failed call counts as an answer that took at least this long: who refuses at once is not quick. */
  readonly failureMs: number;
  /** How long a young instance takes to its full share of the calls; 0: it has it at once. */
  readonly warmUpMs: number;
  /** For `hash`: how many times its share of the calls in flight an instance may have. Above 1; `Infinity`: no bound. */
  readonly maxLoad: number;
  /** For `sticky`: keys that are remembered. */
  readonly maxKeys: number;
  /** A caller stays with the instance that it had last, while that one can be picked. */
  readonly sameInstance: boolean;
  readonly subset: SubsetSettings;
  readonly zone: ZoneSettings;
  readonly lane: LaneSettings;
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
  pick: 'peak-ewma', // sees slow, blocked and failing instances without being told
  decayMs: 5_000, // who was 100 times as slow is tried again after 25 s
  failureMs: 1_000, // slower than any healthy answer, and forgotten within the time of an ejection
  warmUpMs: 30_000, // compiled code, full pools and warm caches take that long
  maxLoad: 1.25, // a quarter over the mean is what a node has in reserve
  maxKeys: 10_000, // sessions of one caller; a megabyte
  sameInstance: false, // spreading is what balancing is for
  subset: Object.freeze({
    size: 0, // connections are made when they are needed; above some hundred instances set it
    seat: -1, // nobody has a number until somebody gives it one
  }),
  zone: Object.freeze({
    prefer: true, // another zone costs a millisecond and money; without zones it changes nothing
    overprovision: 1.4, // a zone carries two fifths more than its even share before calls leave it
  }),
  lane: Object.freeze({
    baggage: 'flotilla.lane', // set where a request comes in, carried by every hop
    metadata: 'lane',
  }),
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

/** Settings as a user gives them: any of them, and `undefined` for the default. */
export type PartialBalanceSettings = {
  readonly [Key in keyof BalanceSettings]?:
    | (BalanceSettings[Key] extends object
        ? { readonly [Inner in keyof BalanceSettings[Key]]?: BalanceSettings[Key][Inner] | undefined }
        : BalanceSettings[Key])
    | undefined;
};

/**
 * Fills in the defaults and checks every value. An explicit `undefined` counts as absent.
 * @throws RangeError naming the first field that does not fit.
 */
export function resolveBalance(options: PartialBalanceSettings = {}): BalanceSettings {
  const resolved = Object.fromEntries(
    Object.entries(balanceDefaults).map(([name, fallback]) => [
      name,
      resolve(name, options[name as keyof BalanceSettings], fallback),
    ]),
  );
  return Object.freeze(resolved) as unknown as BalanceSettings;
}

/** What is said of the balance in several places, the later one winning value by value. */
export function layeredBalance(layers: readonly (PartialBalanceSettings | undefined)[]): PartialBalanceSettings {
  const merged: Record<string, unknown> = {};
  for (const layer of layers) {
    for (const name of Object.keys(balanceDefaults)) {
      const value = layer?.[name as keyof PartialBalanceSettings];
      if (value === undefined) continue;
      merged[name] = typeof value === 'object' ? { ...(merged[name] as object), ...written(value) } : value;
    }
  }
  return merged;
}

function written(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function resolve(name: string, value: unknown, fallback: unknown): unknown {
  if (typeof fallback === 'object' && fallback !== null) {
    const group = (value ?? {}) as Readonly<Record<string, unknown>>;
    return Object.freeze(
      Object.fromEntries(
        Object.entries(fallback).map(([inner, each]) => [inner, resolve(`${name}.${inner}`, group[inner], each)]),
      ),
    );
  }
  const given = value ?? fallback;
  const rule = rules[name];
  if (rule && !rule.fits(given as never)) throw new RangeError(`${name} must be ${rule.text}, got ${String(given)}`);
  return given;
}

interface Rule {
  readonly text: string;
  fits(value: never): boolean;
}

function numbers(text: string, fits: (value: number) => boolean): Rule {
  return { text, fits: (value: unknown) => typeof value === 'number' && fits(value) };
}

const aboveZero = numbers('greater than 0', (value) => value > 0);
const finiteAboveZero = numbers('finite and greater than 0', (value) => value > 0 && value < Infinity);
const fromZero = numbers('from 0 on', (value) => value >= 0);
const fraction = numbers('from 0 to 1', (value) => value >= 0 && value <= 1);
const atLeastOne = numbers('at least 1', (value) => value >= 1);
const yesOrNo: Rule = { text: 'true or false', fits: (value: unknown) => typeof value === 'boolean' };
const shortText: Rule = {
  text: 'text of at most 128 characters',
  fits: (value: unknown) => typeof value === 'string' && value.length <= 128,
};

const rules: Readonly<Record<string, Rule>> = {
  pick: {
    text: `one of ${pickPolicies.join(', ')}`,
    fits: (value: unknown) => pickPolicies.includes(value as PickPolicy),
  },
  decayMs: finiteAboveZero,
  failureMs: fromZero,
  warmUpMs: numbers('from 0 to 3600000', (value) => value >= 0 && value <= 3_600_000),
  maxLoad: numbers('greater than 1', (value) => value > 1),
  maxKeys: numbers(
    'a whole number from 1 to 1000000',
    (value) => Number.isInteger(value) && value >= 1 && value <= 1e6,
  ),
  sameInstance: yesOrNo,
  'subset.size': numbers('a whole number from 0 on', (value) => Number.isInteger(value) && value >= 0),
  'subset.seat': numbers('a whole number from -1 on', (value) => Number.isInteger(value) && value >= -1),
  'zone.prefer': yesOrNo,
  'zone.overprovision': atLeastOne,
  'lane.baggage': shortText,
  'lane.metadata': shortText,
  'outlier.consecutiveFailures': atLeastOne,
  'outlier.maxFailureFraction': numbers('greater than 0, up to 1', (value) => value > 0 && value <= 1),
  'outlier.minOutcomes': atLeastOne,
  'outlier.windowMs': finiteAboveZero,
  'outlier.baseEjectionMs': finiteAboveZero,
  'outlier.maxEjectionMs': aboveZero,
  'outlier.maxEjectedFraction': fraction,
  'outlier.panicFraction': fraction,
  firstSetTimeoutMs: finiteAboveZero,
  maxWaiting: fromZero,
};
