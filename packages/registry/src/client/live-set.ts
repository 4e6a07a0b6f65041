import { isDeepStrictEqual } from 'node:util';
import { formatIdentity, type Instance, type InstanceSet } from '@flotilla/core';
import type { SeenChange } from '../lease/change.ts';

/** A whole list, as a registry gives it. */
export interface SnapshotAnswer {
  readonly warming: boolean;
  readonly instances: readonly Instance[];
}

/**
 * What a client knows of one target. Steps over it are pure: what was known and what came in, what is known now out.
 *
 * | state | exits |
 * |---|---|
 * | nothing known (undefined) | any answer, also an empty one → known |
 * | known | a snapshot replaces it; one that is `warming` only adds; a change puts or removes one |
 * | known, doubted | a first empty answer: what was known stays; a second one → known and empty |
 */
export interface LiveSet {
  readonly instances: ReadonlyMap<string, Instance>;
  readonly warming: boolean;
  /** True after one empty answer to which the known instances were preferred. */
  readonly doubted: boolean;
}

/**
 * A whole list arrived. One that is empty replaces one that is not only when it comes twice in a row: a registry that
 * lost its memory, or another one behind the same name, must not take a fleet down.
 */
export function applySnapshot(known: LiveSet | undefined, { warming, instances }: SnapshotAnswer): LiveSet {
  const listed = new Map(instances.map((instance) => [keyOf(instance), instance]));
  if (!known) return { instances: listed, warming, doubted: false };
  if (warming) return { instances: new Map([...known.instances, ...listed]), warming, doubted: false };
  if (listed.size === 0 && known.instances.size > 0 && !known.doubted) return { ...known, doubted: true };
  return { instances: listed, warming, doubted: false };
}

/** One change was pushed. Each is believed, the one that removes the last instance too: somebody said that it is gone. */
export function applyChange(known: LiveSet, change: SeenChange): LiveSet {
  const instances = new Map(known.instances);
  if (change.kind === 'put') instances.set(keyOf(change.instance), change.instance);
  else instances.delete(`${change.service}\n${change.id}`);
  return { ...known, instances, doubted: false };
}

/** What callers get. */
export function instanceSet({ instances, warming }: LiveSet): InstanceSet {
  return Object.freeze({ instances: Object.freeze([...instances.values()]), warming });
}

/** Whether callers would see a difference. */
export function differs(before: LiveSet | undefined, after: LiveSet): boolean {
  if (!before) return true;
  if (before === after) return false;
  if (before.warming !== after.warming || before.instances.size !== after.instances.size) return true;
  for (const [key, instance] of after.instances) {
    // Revisions of two starts of a registry may coincide: only equal content is no difference.
    if (!isDeepStrictEqual(before.instances.get(key), instance)) return true;
  }
  return false;
}

function keyOf(instance: Instance): string {
  return `${formatIdentity(instance.identity)}\n${instance.id}`;
}
