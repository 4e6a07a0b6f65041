import { formatIdentity, type Instance, type InstanceSet } from '@flotilla/core';

/** An instance that was seen leaving, and in which incarnation. */
type Leaving = ReadonlyMap<string, number>;

/**
 * What several registries know of one target together. Steps are pure.
 *
 * - The same instance (identity and id) seen in two is one: the higher incarnation counts, that of the registry named
 *   first when they are equal.
 * - A registry that has said nothing yet, or is warming up, makes the whole set `warming`: whoever keeps instances from
 *   elsewhere keeps them.
 * - A registry that cannot be reached says nothing, so its last word stays. Only somebody who was seen `draining` does not
 *   come back by an older word of it.
 */
export interface MergedSet {
  /** What each registry said last; undefined: nothing yet. */
  readonly words: readonly (InstanceSet | undefined)[];
  readonly leaving: Leaving;
}

/** Nobody has said anything. */
export function nothingSaid(registries: number): MergedSet {
  return { words: Array.from({ length: registries }, () => undefined), leaving: new Map() };
}

/** One registry spoke. */
export function said(before: MergedSet, registry: number, word: InstanceSet): MergedSet {
  const words = before.words.with(registry, word);
  return { words, leaving: leavingIn(words, before.leaving) };
}

/** What callers get. */
export function mergedSet({ words, leaving }: MergedSet): InstanceSet {
  const instances = new Map<string, Instance>();
  for (const [key, instance] of everybody(words)) {
    if (instance.incarnation < (leaving.get(key) ?? 0)) continue;
    const known = instances.get(key);
    if (!known || instance.incarnation > known.incarnation) instances.set(key, instance);
  }
  return { instances: [...instances.values()], warming: words.some((word) => word === undefined || word.warming) };
}

/** Kept for as long as any registry names the instance: forgotten with its last trace, so it cannot grow. */
function leavingIn(words: MergedSet['words'], before: Leaving): Leaving {
  const leaving = new Map<string, number>();
  for (const [key, { status, incarnation }] of everybody(words)) {
    const known = Math.max(leaving.get(key) ?? 0, before.get(key) ?? 0);
    const seen = status === 'draining' ? Math.max(known, incarnation) : known;
    if (seen > 0) leaving.set(key, seen);
  }
  return leaving;
}

function* everybody(words: MergedSet['words']): Generator<[key: string, instance: Instance], undefined> {
  for (const word of words) {
    for (const instance of word?.instances ?? [])
      yield [`${formatIdentity(instance.identity)}\n${instance.id}`, instance];
  }
}
