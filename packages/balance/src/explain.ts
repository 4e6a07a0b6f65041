import {
  type Address,
  type Call,
  effectiveStatus,
  formatHostPort,
  formatTarget,
  type Instance,
  type Target,
} from '@flotilla/core';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { PickPolicy } from './picks/pick.ts';
import type { Rotation } from './rotation.ts';
import { chooseLane, laneOf } from './rules/lane.ts';
import { type RuleName, ruleNames } from './rules/rule.ts';
import { warmth } from './rules/warm-up.ts';
import type { BalanceSettings } from './settings.ts';

/** One instance as a pick sees it. */
export interface ExplainedInstance {
  readonly id: string;
  /** `http://10.0.0.7:8080`; undefined where it speaks no protocol of this caller's. */
  readonly address: string | undefined;
  readonly zone: string | undefined;
  readonly lane: string | undefined;
  /** As the registry says. */
  readonly weight: number;
  /** What of its weight a young instance has, 0.1 to 1. */
  readonly warmth: number;
  /** Share of the draws that it gets among the candidates, 0 to 1; what a pick compares changes it from call to call. */
  readonly share: number;
  /** Calls of this process in flight. */
  readonly load: number;
  /** Milliseconds to the head of an answer, as they count now; undefined: not known. */
  readonly latencyMs: number | undefined;
  /** How busy its event loop is, 0 to 1, as it reported; undefined: it did not. */
  readonly utilisation: number | undefined;
  /** Calls that have ended, and how many of them counted as failures. */
  readonly calls: number;
  readonly failures: number;
  readonly ejectedForMs: number;
  /** Who left it out; undefined for a candidate. */
  readonly leftOut: { readonly rule: RuleName; readonly why: string } | undefined;
}

/** Why calls go where they go. */
export interface PickExplanation {
  readonly target: string;
  /** The services that its instances are of: of a contract there may be several. */
  readonly services: readonly string[];
  readonly pick: PickPolicy;
  /** The zone of this caller. */
  readonly zone: string | undefined;
  /** Share of the calls that stays there; undefined where zones play no part. */
  readonly ownZoneShare: number | undefined;
  /** The lane of the call that was asked about; undefined: the base. */
  readonly lane: string | undefined;
  /** Too few were left, so ejection is ignored. */
  readonly panic: boolean;
  /** How many each rule left out, in the order of the rules. */
  readonly rules: readonly { readonly rule: RuleName; readonly leftOut: number }[];
  /** Candidates first, then who was left out, by rule. */
  readonly instances: readonly ExplainedInstance[];
}

/** What an explanation is made from. */
export interface ExplainParts<Req, Res> {
  readonly target: Target;
  readonly settings: BalanceSettings;
  readonly zone: string | undefined;
  readonly members: Members<Req, Res>;
  readonly rotation: Rotation<Req, Res>;
  readonly protocols: readonly string[];
  readonly now: number;
  readonly wallNow: number;
}

/** @param call whose lane counts; without one, that of a call without a label. */
export function explainPick<Req, Res>(parts: ExplainParts<Req, Res>, call: Call | undefined): PickExplanation {
  const { members, rotation, settings, target, zone, protocols } = parts;
  const { division } = rotation;
  const label = call?.baggage.get(settings.lane.baggage);
  const chosen = label === undefined ? undefined : chooseLane(label, division.labelled);
  const lane = chosen ?? division.base;
  const shares = sharesOf(lane);
  const up = new Set(members.up());
  const seen = Array.from(members.all(), (member) =>
    explainMember(member, shares.get(member), ruleFor(member, up, shares, division.leftOut), parts),
  );
  const strangers = [
    ...members.unaccepted.map((instance) => stranger(instance, 'contract', servesNot(instance), parts)),
    ...members.unreachable.map((instance) =>
      stranger(instance, 'protocol', `it speaks none of ${protocols.join(', ')}`, parts),
    ),
  ];
  const instances = [...seen, ...strangers].toSorted((a, b) => placeOf(a) - placeOf(b) || (a.id < b.id ? -1 : 1));
  return {
    target: formatTarget(target),
    services: [...new Set(Array.from(members.all(), ({ instance }) => instance.identity.service))].toSorted(),
    pick: settings.pick,
    zone,
    ownZoneShare: lane.ownShare,
    lane: chosen === undefined ? undefined : label,
    panic: division.panic,
    rules: ruleNames.map((rule) => ({
      rule,
      leftOut: instances.filter(({ leftOut }) => leftOut?.rule === rule).length,
    })),
    instances,
  };
}

function sharesOf<M>({
  candidates,
  weights,
}: {
  readonly candidates: readonly M[];
  readonly weights: readonly number[];
}) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return new Map(candidates.map((member, index) => [member, (weights[index] as number) / total]));
}

function ruleFor<Req, Res>(
  member: Member<Req, Res>,
  up: ReadonlySet<Member<Req, Res>>,
  candidates: ReadonlyMap<Member<Req, Res>, number>,
  leftOut: ReadonlyMap<Member<Req, Res>, RuleName>,
): RuleName | undefined {
  if (candidates.has(member)) return undefined;
  if (effectiveStatus(member.instance) !== 'up') return 'status';
  if (!up.has(member)) return 'address';
  return leftOut.get(member) ?? 'lane';
}

function explainMember<Req, Res>(
  member: Member<Req, Res>,
  share: number | undefined,
  rule: RuleName | undefined,
  parts: ExplainParts<Req, Res>,
): ExplainedInstance {
  const { now, wallNow, settings } = parts;
  const { instance, address, weight, load, calls, failures } = member;
  return {
    id: instance.id,
    address: textOf(address),
    zone: instance.zone,
    lane: laneOf(instance, settings.lane),
    weight,
    warmth: warmth(member, settings.warmUpMs, now, wallNow),
    share: share ?? 0,
    load,
    latencyMs: member.latencyAt(now) || undefined,
    utilisation: member.utilisationAt(now) || undefined,
    calls,
    failures,
    ejectedForMs: ejectedForMs(member, now),
    leftOut: rule && { rule, why: whyOf(rule, member, parts) },
  };
}

function whyOf<Req, Res>(
  rule: RuleName,
  member: Member<Req, Res>,
  { now, settings, zone }: ExplainParts<Req, Res>,
): string {
  const { instance } = member;
  switch (rule) {
    case 'status':
      return `it is ${effectiveStatus(instance)}`;
    case 'address':
      return 'another instance came to its address after it';
    case 'lane':
      return `its lane is "${laneOf(instance, settings.lane) ?? 'the base'}", the call’s is another`;
    case 'subset':
      return `it is not among the ${settings.subset.size} that this caller goes to`;
    case 'outlier':
      return `it failed unlike its peers: ejected for another ${(ejectedForMs(member, now) / 1_000).toFixed(1)} s`;
    case 'zone':
      return instance.zone?.toLowerCase() === zone?.toLowerCase()
        ? 'all of this zone fail: calls go to the others'
        : `its zone is "${instance.zone ?? ''}", and "${zone}" can carry the calls`;
    case 'weight':
      return 'its weight is 0, and others have one';
    case 'contract':
    case 'protocol':
      return 'this caller cannot use it';
  }
}

function stranger<Req, Res>(
  instance: Instance,
  rule: RuleName,
  why: string,
  { settings }: ExplainParts<Req, Res>,
): ExplainedInstance {
  return {
    id: instance.id,
    address: undefined,
    zone: instance.zone,
    lane: laneOf(instance, settings.lane),
    weight: instance.weight,
    warmth: 1,
    share: 0,
    load: 0,
    latencyMs: undefined,
    utilisation: undefined,
    calls: 0,
    failures: 0,
    ejectedForMs: 0,
    leftOut: { rule, why },
  };
}

/** More contracts than these are not named. */
const mostNamed = 5;

function servesNot({ contracts }: Instance): string {
  const names = contracts.slice(0, mostNamed).map(({ name, version }) => `${name} v${version}`);
  return `it serves ${names.join(', ') || 'no contract'}, which is not what this caller needs`;
}

function placeOf({ leftOut }: ExplainedInstance): number {
  return leftOut === undefined ? -1 : ruleNames.indexOf(leftOut.rule);
}

function textOf(address: Address): string {
  return `${address.protocol}://${formatHostPort(address)}`;
}

/** For how long it still gets no calls; 0 when it is not ejected. */
export function ejectedForMs({ health }: Pick<Member<never, never>, 'health'>, now: number): number {
  return health.state === 'ejected' ? Math.max(0, health.until - now) : 0;
}
