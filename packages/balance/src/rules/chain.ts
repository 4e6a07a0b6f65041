import { isPanic } from '../outlier.ts';
import type { BalanceSettings } from '../settings.ts';
import { divideByLane } from './lane.ts';
import type { Ruled, RuleName } from './rule.ts';
import { subset } from './subset.ts';
import { warmth } from './warm-up.ts';
import { ownZoneShare, zoneFactors } from './zone.ts';

/** What the rules know besides the instances. */
export interface Terms {
  readonly settings: BalanceSettings;
  /** Where the caller runs; undefined: it does not know, and prefers no zone. */
  readonly zone: string | undefined;
  /** Tells this caller from its siblings. */
  readonly caller: string;
  readonly now: number;
  readonly wallNow: number;
}

/** Whom the calls of one lane may go to. */
export interface Lane<M> {
  readonly candidates: readonly M[];
  /** In the order of the candidates; they mean something relative to each other only. */
  readonly weights: readonly number[];
  /** Of other zones: only when nobody of the candidates takes anything. */
  readonly spare: readonly M[];
  /** Share of the calls that stay in the caller's zone; undefined where zones play no part. */
  readonly ownShare: number | undefined;
}

/** Whom calls may go to, until the instances change or `againAt` has come. */
export interface Division<M> {
  readonly base: Lane<M>;
  readonly labelled: ReadonlyMap<string, Lane<M>>;
  /** Who is left out of its own lane, and by which rule. */
  readonly leftOut: ReadonlyMap<M, RuleName>;
  /** How many there are without and with the ejected ones, of those that this caller would go to. */
  readonly known: number;
  readonly ejected: number;
  /** Too few would be left: ejection is ignored. */
  readonly panic: boolean;
  /** When time alone changes the answer: somebody's ejection is over, or the young are a little older. */
  readonly againAt: number;
}

/** Steps in which a young instance gets its weight. */
const warmUpSteps = 20;

/**
 * All rules that don't depend on a single call, in their order: lane, subset, outlier, zone, weight with warm-up. Whoever
 * does not speak our language or is not up has been left out before.
 */
export function divide<M extends Ruled>(up: readonly M[], terms: Terms): Division<M> {
  const leftOut = new Map<M, RuleName>();
  const lanes = divideByLane(up, terms.settings.lane);
  const chosen = [lanes.base, ...lanes.labelled.values()].map((members) => chooseSubset(members, terms, leftOut));
  const known = new Set(chosen.flatMap(({ own, others }) => [...own, ...others]));
  for (const member of known) leftOut.delete(member); // who is in one lane's part and not in another's
  let ejected = 0;
  for (const { health } of known) if (health.state === 'ejected') ejected += 1;
  const panic = isPanic(known.size, ejected, terms.settings.outlier);
  const composed = chosen.map((part) => compose(part, panic, terms, leftOut));
  const names = [...lanes.labelled.keys()];
  const labelled = new Map<string, Lane<M>>();
  for (const [index, name] of names.entries()) {
    const lane = composed[index + 1] as Lane<M>;
    if (lane.candidates.length > 0) labelled.set(name, lane); // else its calls go to the base
  }
  return {
    base: composed[0] as Lane<M>,
    labelled,
    leftOut,
    known: known.size,
    ejected,
    panic,
    againAt: nextChange(known, terms),
  };
}

/** One lane's instances by zone, before and after the subset. */
interface Part<M> {
  readonly own: readonly M[];
  readonly others: readonly M[];
  /** Weights before the subset: what the zones can carry does not depend on whom one caller goes to. */
  readonly ownWeight: number;
  readonly othersWeight: number;
  readonly zones: number;
}

function chooseSubset<M extends Ruled>(
  members: readonly M[],
  { settings, zone, caller }: Terms,
  leftOut: Map<M, RuleName>,
): Part<M> {
  const zoned = zone !== undefined && settings.zone.prefer;
  const isOwn = (member: M): boolean => !zoned || sameZone(member.instance.zone, zone);
  const allOwn = members.filter(isOwn);
  const allOthers = zoned ? members.filter((member) => !isOwn(member)) : [];
  const own = subset(allOwn, settings.subset, caller);
  const others = subset(allOthers, settings.subset, caller);
  for (const member of [...own.leftOut, ...others.leftOut]) leftOut.set(member, 'subset');
  return {
    own: own.kept,
    others: others.kept,
    ownWeight: weightOf(allOwn),
    othersWeight: weightOf(allOthers),
    zones: zoned ? new Set(members.map(({ instance }) => instance.zone?.toLowerCase() ?? '')).size : 1,
  };
}

/** Spring compares zones without regard to case. */
function sameZone(zone: string | undefined, own: string): boolean {
  return zone !== undefined && zone.toLowerCase() === own.toLowerCase();
}

function compose<M extends Ruled>(part: Part<M>, panic: boolean, terms: Terms, leftOut: Map<M, RuleName>): Lane<M> {
  const usable = (members: readonly M[]): readonly M[] =>
    panic ? members : members.filter((member) => member.health.state !== 'ejected');
  const own = usable(part.own);
  const others = usable(part.others);
  if (!panic) {
    for (const member of [...part.own, ...part.others]) {
      if (member.health.state === 'ejected') leftOut.set(member, 'outlier');
    }
  }
  if (part.others.length === 0) return weigh(own, () => 1, [], undefined, terms, leftOut);
  const share = ownZoneShare(
    {
      own: part.ownWeight * servingShare(part.own, terms.now),
      others: part.othersWeight * servingShare(part.others, terms.now),
      total: part.ownWeight + part.othersWeight,
      zones: part.zones,
    },
    terms.settings.zone.overprovision,
  );
  // Who is left out stays at hand for the case that nobody else takes anything.
  const [stays, spare] = share === 1 ? [own, others] : share === 0 ? [others, own] : [[...own, ...others], []];
  if (stays.length === 0) return weigh(spare, () => 1, [], share, terms, leftOut);
  for (const member of spare) leftOut.set(member, 'zone');
  const isOwn = new Set(own);
  const factors = zoneFactors(share, weightOf(own), weightOf(others));
  const factorOf = (member: M): number =>
    share === 0 || share === 1 ? 1 : isOwn.has(member) ? factors.own : factors.others;
  return weigh(stays, factorOf, spare, share, terms, leftOut);
}

/** The weight that can serve, as a share of all: who is ejected or fails without having been ejected cannot. */
function servingShare<M extends Ruled>(members: readonly M[], now: number): number {
  const serving = members.filter(({ health, suspectUntil }) => health.state !== 'ejected' && suspectUntil <= now);
  const all = weightOf(members);
  return all === 0 ? 0 : weightOf(serving) / all;
}

/** What they weigh together; where none has any weight they count alike. */
function weightOf(members: readonly Ruled[]): number {
  let sum = 0;
  for (const { weight } of members) sum += weight;
  return sum > 0 ? sum : members.length;
}

function weigh<M extends Ruled>(
  members: readonly M[],
  factorOf: (member: M) => number,
  spare: readonly M[],
  ownShare: number | undefined,
  { settings, now, wallNow }: Terms,
  leftOut: Map<M, RuleName>,
): Lane<M> {
  const anyWeight = members.some(({ weight }) => weight > 0);
  const candidates = anyWeight ? members.filter(({ weight }) => weight > 0) : members;
  if (anyWeight) for (const member of members) if (member.weight === 0) leftOut.set(member, 'weight');
  const weights = candidates.map(
    (member) => (anyWeight ? member.weight : 1) * factorOf(member) * warmth(member, settings.warmUpMs, now, wallNow),
  );
  return { candidates, weights, spare, ownShare };
}

function nextChange<M extends Ruled>(members: Iterable<M>, { settings, now, wallNow }: Terms): number {
  let at = Infinity;
  for (const member of members) {
    if (member.health.state === 'ejected') at = Math.min(at, member.health.until);
    if (member.suspectUntil > now) at = Math.min(at, member.suspectUntil);
    if (warmth(member, settings.warmUpMs, now, wallNow) < 1) at = Math.min(at, now + settings.warmUpMs / warmUpSteps);
  }
  return at;
}
