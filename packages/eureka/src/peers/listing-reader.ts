import { type Clock, FlotillaError, type Instance } from '@flotilla/core';
import { type Fields, member, optionalInteger } from '../fields.ts';
import { decodeInstance } from '../instance.ts';
import { Breather } from './breather.ts';

/** What a registry lists. */
export interface ReadListing {
  readonly instances: readonly Instance[];
  /** Documents that do not fit our bounds. */
  readonly skipped: number;
}

/**
 * The instances in `{"applications": …}`, lists or single objects; one that does not fit is passed over, so that it does
 * not hide the others.
 * @throws FlotillaError BAD_RESPONSE for anything else
 */
export async function readListing(document: unknown, clock: Clock): Promise<ReadListing> {
  const applications = isObject(document) ? member(document, 'applications') : undefined;
  if (!isObject(applications)) {
    throw new FlotillaError('BAD_RESPONSE', 'the peer answered no list of applications');
  }
  const instances: Instance[] = [];
  let skipped = 0;
  const breather = new Breather(clock);
  const now = Math.floor(clock.wallNow());
  for (const application of several(member(applications, 'application'))) {
    for (const entry of isObject(application) ? several(member(application, 'instance')) : []) {
      const instance = readOne(entry, now);
      if (instance) instances.push(instance);
      else skipped++;
      await breather.next();
    }
  }
  return { instances, skipped };
}

/** One document of a peer; undefined: it does not fit our bounds. */
export function readOne(document: unknown, now: number): Instance | undefined {
  try {
    return decodeInstance(document, now);
  } catch (error) {
    if (error instanceof FlotillaError) return undefined;
    throw error;
  }
}

/** When a peer heard an instance last, by its own clock; 0: it does not say. */
export function renewedAt(document: unknown): number {
  const lease = isObject(document) ? member(document, 'leaseInfo') : undefined;
  return (isObject(lease) ? optionalInteger(lease, 'lastRenewalTimestamp', Number.MAX_SAFE_INTEGER) : undefined) ?? 0;
}

function several(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
