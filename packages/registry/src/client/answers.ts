import { FlotillaError, type Instance, type LeaseTerms } from '@flotilla/core';
import { checkInstance } from '../check-instance.ts';
import type { SeenChange } from '../lease/change.ts';
import type { SnapshotAnswer } from './live-set.ts';

/** What a registry says of a registration. */
export interface RegisteredAnswer {
  /** The incarnation that is listed. */
  readonly incarnation: number;
  /** As the registry clamped it. */
  readonly lease?: LeaseTerms;
  /** From where the registry saw us come. */
  readonly seenAddress?: string;
}

/** A snapshot with the cursor to go on from. */
export interface ReadSnapshot extends SnapshotAnswer {
  readonly cursor: string;
}

const utf8 = new TextDecoder();

/**
 * Reads a snapshot.
 * @param leftOut told of each instance that cannot be read; the others count.
 * @throws FlotillaError BAD_RESPONSE
 */
export function readSnapshot(text: string | Uint8Array, leftOut: (cause: unknown) => void): ReadSnapshot {
  const { cursor, warming, instances } = fieldsOf(text);
  if (typeof cursor !== 'string' || !Array.isArray(instances)) throw notOurs('a snapshot has a cursor and instances');
  const readable: Instance[] = [];
  for (const item of instances) {
    try {
      readable.push(checkInstance(item));
    } catch (cause) {
      leftOut(cause);
    }
  }
  return { cursor, warming: warming === true, instances: readable };
}

/** @throws FlotillaError BAD_RESPONSE; INVALID_INPUT for an instance that cannot be read */
export function readChange(text: string): SeenChange {
  const { kind, instance, service, id, reason } = fieldsOf(text);
  if (kind === 'put') return { kind, instance: checkInstance(instance) };
  if (kind !== 'gone' || typeof service !== 'string' || typeof id !== 'string') {
    throw notOurs('a change is a put with an instance or a gone with service and id');
  }
  return { kind, service, id, reason: reason === 'evicted' || reason === 'changed' ? reason : 'deregistered' };
}

/** @throws FlotillaError BAD_RESPONSE */
export function readRegistered(body: Uint8Array): RegisteredAnswer {
  const { incarnation, lease, seenAddress } = fieldsOf(body);
  if (typeof incarnation !== 'number') throw notOurs('a registration is answered with its incarnation');
  const terms = readTerms(lease);
  return {
    incarnation,
    ...(terms ? { lease: terms } : undefined),
    ...(typeof seenAddress === 'string' ? { seenAddress } : undefined),
  };
}

/** The incarnation to exceed, out of a problem with status 409. */
export function readLastIncarnation(data: unknown): number | undefined {
  const { incarnation } = (data ?? {}) as { incarnation?: unknown };
  return typeof incarnation === 'number' && Number.isSafeInteger(incarnation) ? incarnation : undefined;
}

function readTerms(value: unknown): LeaseTerms | undefined {
  const { renewEveryMs, lastsMs } = (value ?? {}) as Partial<Record<keyof LeaseTerms, unknown>>;
  if (typeof renewEveryMs !== 'number' || typeof lastsMs !== 'number' || !(renewEveryMs > 0)) return undefined;
  return { renewEveryMs, lastsMs };
}

/** Not `parseJson`: a list of a large fleet has more members than a request from a stranger may have. */
function fieldsOf(text: string | Uint8Array): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(typeof text === 'string' ? text : utf8.decode(text));
  } catch (cause) {
    throw notOurs('it is not JSON', cause);
  }
  if (typeof json !== 'object' || json === null) throw notOurs('it is not an object');
  return json as Record<string, unknown>;
}

function notOurs(detail: string, cause?: unknown): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `the answer is not that of a registry: ${detail}`, { cause });
}
