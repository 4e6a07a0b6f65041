import type { Instance, Json, LeaseTerms } from '@flotilla/core';
import { countOf } from './bag.ts';

type Entry = readonly [name: string, text: string];
type Texts = ReadonlyMap<string, string>;

const intervalName = 'preserved.heart.beat.interval';
const timeoutName = 'preserved.heart.beat.timeout';
const deleteName = 'preserved.ip.delete.timeout';

/** What Nacos assumes without these entries (`Constants`), in milliseconds. */
const usual = Object.freeze({ interval: 5_000, timeout: 15_000, delete: 30_000 });

const numberPattern = /^[1-9]\d{0,14}$/;

/**
 * Whether an entry of an ephemeral instance's metadata says how long its lease is. What says the usual stays the
 * owner's.
 */
export function isLeaseEntry(name: string, text: string): boolean {
  if (!numberPattern.test(text)) return false;
  if (name === intervalName) return Number(text) !== usual.interval;
  if (name === timeoutName) return Number(text) !== usual.timeout;
  return name === deleteName;
}

/** Beats come at the interval; after the time-out without one, nobody is given the instance any more. */
export function readLease(metadata: Texts): LeaseTerms {
  return {
    renewEveryMs: numberOf(metadata.get(intervalName), usual.interval),
    lastsMs: numberOf(metadata.get(timeoutName), usual.timeout),
  };
}

/**
 * What the bag keeps: the time after which Nacos deletes the instance, if {@link writeLease} would say something else.
 * Null: the document says none.
 */
export function deleteTimeoutOf(instance: Instance, metadata: Texts): Json | undefined {
  if (!instance.lease) return undefined;
  const text = metadata.get(deleteName);
  const found = text !== undefined && numberPattern.test(text) ? text : undefined;
  const written = new Map(writeLease(instance, undefined)).get(deleteName);
  if (found === written) return undefined;
  return found === undefined ? null : Number(found);
}

/** The entries for an instance's lease. It is deleted no earlier than it lapses. */
export function writeLease({ lease }: Instance, deleteTimeout: Json | undefined): Entry[] {
  if (!lease) return [];
  const kept = deleteTimeout === null ? null : countOf(deleteTimeout);
  const deleted = kept === undefined ? Math.max(lease.lastsMs, usual.delete) : kept;
  const entries: Entry[] = [];
  if (lease.renewEveryMs !== usual.interval) entries.push([intervalName, String(lease.renewEveryMs)]);
  if (lease.lastsMs !== usual.timeout) entries.push([timeoutName, String(lease.lastsMs)]);
  if (kept !== undefined ? kept !== null : deleted !== usual.delete) entries.push([deleteName, String(deleted)]);
  return entries.filter(([name, text]) => isLeaseEntry(name, text));
}

/** The members that Nacos derives from metadata (`Instance#getInstanceHeartBeatInterval` and its siblings). */
export function derivedTimes(metadata: Texts): Readonly<Record<string, number>> {
  return {
    instanceHeartBeatInterval: numberOf(metadata.get(intervalName), usual.interval),
    instanceHeartBeatTimeOut: numberOf(metadata.get(timeoutName), usual.timeout),
    ipDeleteTimeout: numberOf(metadata.get(deleteName), usual.delete),
  };
}

function numberOf(text: string | undefined, otherwise: number): number {
  return text !== undefined && numberPattern.test(text) ? Number(text) : otherwise;
}
