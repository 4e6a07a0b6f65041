import { type PartialBalanceSettings, pickPolicies } from '@flotilla/balance';
import { flag, group, integer, number, oneOf, type Setting, text } from '@flotilla/config';

const anyMs = 3_600_000;
const fraction = { optional: true, min: 0, max: 1 } as const;

/**
 * The group `balance` of one service: how its instances are chosen. What nobody wrote is not there, so that it does not win
 * over the code; `docs/balancing.md` has the defaults.
 */
export const balanceSetting: Setting<PartialBalanceSettings> = group(
  {
    pick: oneOf(pickPolicies, { optional: true, describe: 'how one of the candidates is chosen' }),
    decayMs: integer({ optional: true, min: 1, max: anyMs, describe: 'in which a measurement fades to a third' }),
    failureMs: integer({ optional: true, min: 0, max: anyMs, describe: 'a failed call counts as that slow at least' }),
    warmUpMs: integer({ optional: true, min: 0, max: anyMs, describe: 'until a young instance has its full share' }),
    maxLoad: number({ optional: true, min: 1.01, max: 1_000, describe: 'bound of `hash`, times the even load' }),
    maxKeys: integer({ optional: true, min: 1, max: 1_000_000, describe: 'keys that `sticky` remembers' }),
    sameInstance: flag({ optional: true, describe: 'stay with the instance that was called last' }),
    subset: group({
      size: integer({ optional: true, min: 0, max: 1_000_000, describe: 'instances that this caller goes to; 0: all' }),
      seat: integer({ optional: true, min: -1, max: 1_000_000, describe: 'number of this caller, -1: it has none' }),
    }),
    zone: group({
      prefer: flag({ optional: true, describe: 'calls stay in the own zone as far as it can carry them' }),
      overprovision: number({ optional: true, min: 1, max: 100, describe: 'what a zone may carry, times its due' }),
    }),
    lane: group({
      baggage: text({
        optional: true,
        maxLength: 128,
        describe: 'member of the baggage that names the lane of a call',
      }),
      metadata: text({ optional: true, maxLength: 128, describe: 'key of the metadata that names an instance’s lane' }),
    }),
    outlier: group({
      consecutiveFailures: integer({
        optional: true,
        min: 1,
        max: 1_000_000,
        describe: 'failures in a row that eject',
      }),
      maxFailureFraction: number({ optional: true, min: 0.001, max: 1, describe: 'share of failures that ejects' }),
      minOutcomes: integer({
        optional: true,
        min: 1,
        max: 1_000_000,
        describe: 'outcomes below which no share counts',
      }),
      windowMs: integer({ optional: true, min: 1, max: anyMs, describe: 'over which the share is taken' }),
      baseEjectionMs: integer({ optional: true, min: 1, max: anyMs, describe: 'length of the first ejection' }),
      maxEjectionMs: integer({ optional: true, min: 1, max: anyMs * 24, describe: 'no ejection is longer' }),
      maxEjectedFraction: number({ ...fraction, describe: 'share that may be ejected at a time; 0: nobody ever' }),
      panicFraction: number({ ...fraction, describe: 'below this share of healthy instances all are used' }),
    }),
  },
  { describe: 'how instances are chosen' },
) as Setting<PartialBalanceSettings>;
