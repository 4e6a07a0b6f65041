import type { Instance, InstanceSet } from '@flotilla/core';

/**
 * The instances that hold after an update. A source that is still warming up only adds and renews: whom it does not name
 * it may not have heard of yet, unless it has named it before. When an id is named twice, the higher incarnation counts,
 * the later one if even.
 * @param before what the source said last: whom it named there and no longer names it was told the farewell of.
 */
export function mergeSet(
  known: readonly Instance[],
  update: InstanceSet,
  before?: InstanceSet | undefined,
): readonly Instance[] {
  const merged = new Map<string, Instance>();
  const put = (instance: Instance): void => {
    const before = merged.get(instance.id);
    if (!before || instance.incarnation >= before.incarnation) merged.set(instance.id, instance);
  };
  const named = new Set(before?.instances.map(({ id }) => id));
  if (update.warming) for (const instance of known) if (!named.has(instance.id)) put(instance);
  for (const instance of update.instances) put(instance);
  return [...merged.values()];
}

/** What a call must wait for: an empty answer of a source that is still warming up says nothing. */
export function saysSomething({ instances, warming }: InstanceSet): boolean {
  return !warming || instances.length > 0;
}
