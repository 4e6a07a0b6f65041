import type { Instance } from '@flotilla/core';
import type { LaneSettings } from '../settings.ts';
import type { Ruled } from './rule.ts';

/** The instances of a service by their lane. */
export interface Lanes<M> {
  /** Those for calls without a lane of their own: who has no label, or everybody where all have one. */
  readonly base: readonly M[];
  readonly labelled: ReadonlyMap<string, readonly M[]>;
}

/** The lane of an instance; undefined: the base. */
export function laneOf({ metadata, identity }: Instance, { baggage, metadata: key }: LaneSettings): string | undefined {
  if (baggage === '') return undefined;
  return metadata[key] || (key === 'version' && identity.version) || undefined;
}

/** Sorts the instances into lanes. */
export function divideByLane<M extends Ruled>(members: readonly M[], settings: LaneSettings): Lanes<M> {
  const base: M[] = [];
  const labelled = new Map<string, M[]>();
  for (const member of members) {
    const lane = laneOf(member.instance, settings);
    if (lane === undefined) base.push(member);
    else {
      const others = labelled.get(lane);
      if (others) others.push(member);
      else labelled.set(lane, [member]);
    }
  }
  return { base: base.length > 0 ? base : members, labelled };
}

/** What a call's label means: the first of the lanes that it names, separated by `|`, that exists. */
export function chooseLane<L>(label: string, lanes: ReadonlyMap<string, L>): L | undefined {
  const exact = lanes.get(label);
  if (exact || !label.includes('|')) return exact;
  for (const name of label.split('|', mostNames)) {
    const lane = lanes.get(name.trim());
    if (lane) return lane;
  }
  return undefined;
}

/** A label comes from outside: no more names of it are tried. */
const mostNames = 8;
