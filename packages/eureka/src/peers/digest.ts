import { type Clock, FlotillaError, formatIdentity, type InstanceStatus, instanceStatuses } from '@flotilla/core';
import type { InstanceKey, Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import { Breather } from './breather.ts';
import {
  buckets,
  compareOperatorsWords,
  compareOwnersWords,
  fingerprintOf,
  type OperatorsWord,
  type OwnersWord,
  type Stamps,
} from './versions.ts';

/** What is compared of one instance. */
export interface DigestEntry extends OwnersWord, OperatorsWord {
  readonly key: InstanceKey;
  /** What the owner gave, where that lay too far in the future. */
  readonly declaredIncarnation: number;
}

/** Which instances the other side has to be asked for, and which it has to be told. */
export interface Differences {
  readonly pull: readonly InstanceKey[];
  readonly push: readonly InstanceKey[];
}

/**
 * One text for each bucket of instances whose lease has not lapsed: what lapsed is each registry's own affair. Equal texts
 * mean equal instances.
 */
export async function digestOf(registry: Registry, clock: Clock): Promise<string[]> {
  const sums = new Uint32Array(2 * buckets);
  await eachLive(registry, clock, ({ instance }) => {
    const { bucket, high, low } = fingerprintOf(instance);
    sums[2 * bucket] = (sums[2 * bucket] ?? 0) ^ high;
    sums[2 * bucket + 1] = (sums[2 * bucket + 1] ?? 0) ^ low;
  });
  return Array.from({ length: buckets }, (_, bucket) => `${hex(sums[2 * bucket])}${hex(sums[2 * bucket + 1])}`);
}

/** The entries of some buckets. */
export async function entriesOf(
  registry: Registry,
  stamps: Stamps,
  wanted: ReadonlySet<number>,
  clock: Clock,
): Promise<DigestEntry[]> {
  const entries: DigestEntry[] = [];
  await eachLive(registry, clock, (lease) => {
    const { instance } = lease;
    const { bucket, content } = fingerprintOf(instance);
    if (!wanted.has(bucket)) return;
    const key = { service: formatIdentity(instance.identity), id: instance.id };
    entries.push({
      key,
      incarnation: instance.incarnation,
      declaredIncarnation: lease.declaredIncarnation,
      saidAt: stamps.saidAt(key),
      content,
      override: instance.override,
      overriddenAt: stamps.overriddenAt(key),
    });
  });
  return entries;
}

/** Who has the newer word on each instance. Pure; both sides come to opposite results. */
export function compareEntries(mine: readonly DigestEntry[], theirs: readonly DigestEntry[]): Differences {
  const left = new Map(mine.map((entry) => [textOf(entry.key), entry]));
  const pull: InstanceKey[] = [];
  const push: InstanceKey[] = [];
  for (const other of theirs) {
    const own = left.get(textOf(other.key));
    left.delete(textOf(other.key));
    if (!own) {
      pull.push(other.key);
      continue;
    }
    const owners = compareOwnersWords(sameIncarnation(own, other), own);
    const operators = compareOperatorsWords(other, own);
    if (owners > 0 || operators > 0) pull.push(own.key);
    if (owners < 0 || operators < 0) push.push(own.key);
  }
  for (const { key } of left.values()) push.push(key);
  return { pull, push };
}

/** Numbers of the buckets in which two digests differ. @throws FlotillaError BAD_RESPONSE */
export function differingBuckets(mine: readonly string[], theirs: unknown): number[] {
  if (!Array.isArray(theirs) || theirs.length !== buckets) {
    throw new FlotillaError('BAD_RESPONSE', `the peer answered no list of ${buckets} fingerprints`);
  }
  return mine.flatMap((text, bucket) => (text === theirs[bucket] ? [] : [bucket]));
}

/** A row of an answer: service, id, incarnation, saidAt, content, override, overriddenAt, declared incarnation. */
export function writeEntry(entry: DigestEntry): readonly (string | number)[] {
  const { key, incarnation, saidAt, content, override = '', overriddenAt, declaredIncarnation } = entry;
  return [key.service, key.id, incarnation, saidAt, content, override, overriddenAt, declaredIncarnation];
}

/** @throws FlotillaError BAD_RESPONSE */
export function readEntry(row: unknown): DigestEntry {
  const [service, id, incarnation, saidAt, content, override, overriddenAt, declared] = Array.isArray(row)
    ? (row as unknown[])
    : [];
  const numbers = [incarnation, saidAt, overriddenAt, declared];
  if (![service, id, content].every((text) => typeof text === 'string') || !numbers.every(Number.isSafeInteger)) {
    throw new FlotillaError('BAD_RESPONSE', 'the peer answered a fingerprint that cannot be read');
  }
  return {
    key: { service: service as string, id: id as string },
    incarnation: incarnation as number,
    saidAt: saidAt as number,
    content: content as string,
    override: instanceStatuses.find((status): status is InstanceStatus => status === override),
    overriddenAt: overriddenAt as number,
    declaredIncarnation: declared as number,
  };
}

/** What one side took for now, because it lay in the future there, is the same incarnation still. */
function sameIncarnation(own: DigestEntry, other: DigestEntry): DigestEntry {
  const same = tookForNow(own, other) || tookForNow(other, own);
  return same ? { ...other, incarnation: own.incarnation } : other;
}

function tookForNow({ incarnation, declaredIncarnation }: DigestEntry, other: DigestEntry): boolean {
  return declaredIncarnation > incarnation && declaredIncarnation === other.incarnation;
}

/** Calls `look` for every lease that has not lapsed, a few in one turn of the loop. */
async function eachLive(registry: Registry, clock: Clock, look: (lease: Lease) => void): Promise<void> {
  const breather = new Breather(clock);
  for (const lease of registry.list()) {
    if (lease.expiresAt > clock.now()) look(lease);
    await breather.next();
  }
}

function hex(number = 0): string {
  return number.toString(16).padStart(8, '0');
}

function textOf({ service, id }: InstanceKey): string {
  return `${service}\n${id}`;
}
