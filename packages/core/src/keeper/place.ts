import type { Call } from '../call.ts';
import type { FlotillaError } from '../errors.ts';
import type { ContractDocument, Instance } from '../instance.ts';
import type { BackoffBounds } from './backoff.ts';

/** What a place says to a {@link Place.put}. */
export type PutAnswer =
  | {
      readonly kind: 'kept';
      /** The place wants to be told this often. Absent: as before. */
      readonly renewEveryMs?: number;
      /** Who of several took it, for the log. */
      readonly by?: string;
    }
  | {
      /** The place knows a later life of the instance: ours is put again as a later one still. */
      readonly kind: 'stale';
      /** The incarnation to exceed. */
      readonly above: number;
      /** What it is when that does not help either. */
      readonly refusal: FlotillaError;
    };

/** What a place says to a {@link Place.renew}. */
export type RenewAnswer =
  | { readonly kind: 'kept' }
  | {
      /** The place does not know the instance (any more): it is put again at once. */
      readonly kind: 'unknown';
      /** The incarnation to exceed then. Absent: the same will do. */
      readonly above?: number;
    };

/**
 * Port: where a registry keeps one instance. A keeper asks one thing at a time, and each ends with its call; what a place
 * throws is a failure that is tried again after a backoff.
 */
export interface Place {
  /**
   * Writes what the instance says of itself, over what is there.
   * @param before what the place has by our knowledge.
   * @throws FlotillaError
   */
  put(instance: Instance, call: Call, before: Instance | undefined): Promise<PutAnswer>;
  /** A sign of life. @throws FlotillaError */
  renew(instance: Instance, call: Call): Promise<RenewAnswer>;
  /** Takes it out; one that is not there is no error. @throws FlotillaError */
  remove(instance: Instance, call: Call): Promise<void>;
  /** Of {@link Registration.noticed}. Never rejects. Absent: callers of this place cannot say so. */
  noticed?(instance: Instance, limitMs: number): Promise<boolean>;
  /** How long a change that the owner makes now has to wait until it is put, in milliseconds. Absent: never. */
  changeWaitMs?(changed: Instance, now: number): number;
  /** After failures. Default: {@link backoffDefaults}. */
  readonly backoff?: BackoffBounds;
}

/** The place of an instance. */
export type PlaceOf = (instance: Instance, documents: readonly ContractDocument[]) => Place;
