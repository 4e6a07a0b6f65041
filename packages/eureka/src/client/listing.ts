import { formatIdentity, type Instance, type InstanceSet, type Target } from '@flotilla/core';
import { appsHashCode } from '../applications.ts';
import type { EurekaStatus } from '../document.ts';
import type { ListedInstance, ReadApplications } from './read-applications.ts';

/** Lists that lost more than this share at once are those of a server that has just come up, more often than not. */
const suspiciousShare = 0.5;
/** Below this a crash is a crash, as with self-preservation. */
const suspiciousFrom = 5;
/** How long whom such a list, or an empty one, does not name is kept: a lease. By then everybody alive has registered anew. */
export const keptForMs = 90_000;

/**
 * What a client knows of a Eureka registry. Steps over it are pure: what was known and what came in, what is known now
 * out.
 *
 * | state | exits |
 * |---|---|
 * | nothing known (undefined) | any whole list, also an empty one → known |
 * | known | a whole list replaces it; a delta changes it |
 * | known, warming | a list that lost more than half, or all: the lost ones stay for a lease, then go unless they were named again |
 */
export interface Listing {
  readonly listed: ReadonlyMap<string, ListedInstance>;
  /** Whom a list that shrank does not name, and until when (monotonic) they are kept. */
  readonly kept: ReadonlyMap<string, ListedInstance>;
  readonly keptUntil: number;
}

/** A whole list arrived. */
export function applyAll(known: Listing | undefined, { instances }: ReadApplications, now: number): Listing {
  const listed = new Map(instances.filter(({ action }) => action !== 'DELETED').map((item) => [item.key, item]));
  if (!known) return { listed, kept: new Map(), keptUntil: 0 };
  const shrank = isSuspicious(known.listed, listed);
  const before = shrank ? [...known.kept, ...known.listed] : known.kept;
  const keptUntil = shrank ? now + keptForMs : known.keptUntil;
  return forgetKept({ listed, kept: without(before, listed), keptUntil }, now);
}

function isSuspicious(before: Listing['listed'], after: Listing['listed']): boolean {
  if (after.size === 0) return before.size > 0;
  return before.size >= suspiciousFrom && without(before, after).size > before.size * suspiciousShare;
}

function without(
  entries: Iterable<readonly [string, ListedInstance]>,
  named: Listing['listed'],
): ReadonlyMap<string, ListedInstance> {
  return new Map(Array.from(entries).filter(([key]) => !named.has(key)));
}

/** What changed arrived: who is ADDED or MODIFIED is put, who is DELETED goes. */
export function applyDelta(known: Listing, { instances }: ReadApplications): Listing {
  const listed = new Map(known.listed);
  const kept = new Map(known.kept);
  for (const item of instances) {
    kept.delete(item.key);
    if (item.action === 'DELETED') listed.delete(item.key);
    else listed.set(item.key, item);
  }
  return { listed, kept, keptUntil: known.keptUntil };
}

/** The time for whom a list that shrank does not name is over. */
export function forgetKept(known: Listing, now: number): Listing {
  if (known.kept.size === 0 || now < known.keptUntil) return known;
  return { ...known, kept: new Map(), keptUntil: 0 };
}

/** What a server that knows the same would call it. */
export function hashOf({ listed }: Listing): string {
  return appsHashCode(statusesOf(listed.values()));
}

function* statusesOf(listed: Iterable<ListedInstance>): Generator<EurekaStatus, undefined> {
  for (const { status } of listed) yield status;
}

/** Who of a listing is meant by a target. */
export function setFor({ listed, kept }: Listing, target: Target): InstanceSet {
  const instances: Instance[] = [];
  for (const item of [...listed.values(), ...kept.values()]) {
    if (item.instance && isMeant(target, item, item.instance)) instances.push(item.instance);
  }
  return { instances, warming: kept.size > 0 };
}

/**
 * A service is meant by the whole of its identity. Java's services have but a name, and it may also be their application's
 * or one of their VIP addresses, in any case.
 */
function isMeant(target: Target, { names }: ListedInstance, { identity, contracts }: Instance): boolean {
  if ('contract' in target) return contracts.some(({ name }) => name === target.contract);
  if (formatIdentity(identity) === target.service) return true;
  const plain = formatIdentity(identity) === identity.service;
  return plain && names.has(target.service.toLowerCase());
}
