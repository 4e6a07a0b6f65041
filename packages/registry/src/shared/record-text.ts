import { isDeepStrictEqual } from 'node:util';
import { FlotillaError, formatIdentity } from '@flotilla/core';
import { readLease, readTombstone } from '../engines/state-file.ts';
import { record } from '../field-checks.ts';
import { clampTerms } from '../lease/lease.ts';
import type { InstanceKey } from '../lease/lease-table.ts';
import type { RegistryLimits } from '../lease/limits.ts';
import type { SavedLease, SavedTombstone } from '../lease/stored-state.ts';

/** What is kept of one instance: its lease, or what is left of one that went. */
export type Kept = { readonly lease: SavedLease } | { readonly gone: SavedTombstone };

/** What a record says. */
export interface RecordContent {
  readonly kept: Kept;
  /** Whether its owner gave a sign of life with it. */
  readonly alive: boolean;
}

/** Of this form of records. A node reads no newer one; it leaves such records alone until it is upgraded too. */
const version = 1;

/**
 * A record's text: `{"v":1,"alive":true,"lease":{…},"instance":{…}}` or `{"v":1,"alive":false,"gone":{…}}`. The registry
 * revision of an instance is each node's own and is not kept.
 */
export function recordText({ kept, alive }: RecordContent): string {
  const head = `{"v":${version},"alive":${alive}`;
  if ('gone' in kept) return `${head},"gone":${JSON.stringify(kept.gone)}}`;
  const { instance, ...lease } = kept.lease;
  return `${head},"lease":${JSON.stringify(lease)},"instance":${JSON.stringify({ ...instance, revision: 0 })}}`;
}

/** @throws FlotillaError INVALID_INPUT for what no node of this version wrote under this key */
export function readRecord(key: string, text: string, limits: RegistryLimits): RecordContent {
  const fields = record(parse(text), 'record');
  if (fields['v'] !== version) {
    const detail = `the record's version is ${JSON.stringify(fields['v'])}, this program reads ${version}`;
    throw new FlotillaError('INVALID_INPUT', detail);
  }
  const kept =
    fields['gone'] === undefined ? { lease: readBounded(fields, limits) } : { gone: readTombstone(fields['gone']) };
  if (keyText(keyOfKept(kept)) !== key)
    throw new FlotillaError('INVALID_INPUT', 'the record is of another instance than its key');
  return { kept, alive: fields['alive'] === true };
}

export function keyOfKept(kept: Kept): InstanceKey {
  if ('gone' in kept) return { service: kept.gone.service, id: kept.gone.id };
  const { identity, id } = kept.lease.instance;
  return { service: formatIdentity(identity), id };
}

/** Whether two records list the same, whenever they were written. */
export function listsSame(one: Kept | undefined, other: Kept | undefined): boolean {
  if (!one || !other) return one === other;
  if ('gone' in one) {
    const { reason, incarnation } = one.gone;
    return 'gone' in other && reason === other.gone.reason && incarnation === other.gone.incarnation;
  }
  if ('gone' in other || one.lease.declaredIncarnation !== other.lease.declaredIncarnation) return false;
  return isDeepStrictEqual({ ...one.lease.instance, revision: 0 }, { ...other.lease.instance, revision: 0 });
}

/** A key as one text: neither part holds a line feed. */
export function keyText({ service, id }: InstanceKey): string {
  return `${service}\n${id}`;
}

export function keyOfText(text: string): InstanceKey {
  const end = text.indexOf('\n');
  return { service: text.slice(0, end), id: text.slice(end + 1) };
}

function readBounded(fields: Readonly<Record<string, unknown>>, limits: RegistryLimits): SavedLease {
  const lease = readLease(fields);
  const { lease: terms, ...instance } = lease.instance;
  return { ...lease, instance: { ...instance, ...(terms ? { lease: clampTerms(terms, limits) } : undefined) } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FlotillaError('INVALID_INPUT', 'the record is no JSON', { cause });
  }
}
