import { formatIdentity, type InstanceStatus } from '@flotilla/core';
import type { Lease } from './lease.ts';

/** A lease in a saved state. Instants are wall time: the monotonic clock starts anew with each process. */
export type SavedLease = Omit<Lease, 'expiresAt'>;

/** A tombstone in a saved state. */
export interface SavedTombstone {
  /** Text form of the identity. */
  readonly service: string;
  readonly id: string;
  readonly incarnation: number;
  /** What its owner gave, where that is another. */
  readonly declaredIncarnation?: number;
  readonly reason: 'deregistered' | 'evicted';
  readonly override?: InstanceStatus;
  /** Wall time. */
  readonly until: number;
}

/** All of a registry that outlives its process. */
export interface StoredState {
  /** Of the last change. */
  readonly revision: number;
  readonly leases: readonly SavedLease[];
  readonly tombstones: readonly SavedTombstone[];
  /** True: changes after `revision` are lost, so that instances may be missing, or listed that have left. */
  readonly incomplete?: boolean;
}

/**
 * A state that is read while it is written, so that nothing holds all of it twice. What changes meanwhile may be in it
 * or not; {@link StoredChange}s on top of it make it whole, for each says all of what it is about.
 */
export interface StateDraft {
  readonly revision: number;
  readonly leases: Iterable<SavedLease>;
  readonly tombstones: Iterable<SavedTombstone>;
}

/** One change of a state: a lease as it is from now on, or what is left of one that went. */
export type StoredChange =
  | { readonly revision: number; readonly lease: SavedLease }
  | { readonly revision: number; readonly gone: SavedTombstone };

/** A state with changes on top of it, in their order. */
export class StateReplay {
  #revision: number;
  readonly #leases = new Map<string, SavedLease>();
  readonly #tombstones = new Map<string, SavedTombstone>();

  constructor(state: StoredState = { revision: 0, leases: [], tombstones: [] }) {
    this.#revision = state.revision;
    for (const lease of state.leases) this.#leases.set(keyOfLease(lease), lease);
    for (const stone of state.tombstones) {
      // A draft may hold both: the instance went while it was read.
      if (!this.#leases.has(keyOfStone(stone))) this.#tombstones.set(keyOfStone(stone), stone);
    }
  }

  apply(change: StoredChange): void {
    this.#revision = Math.max(this.#revision, change.revision);
    if ('lease' in change) {
      const key = keyOfLease(change.lease);
      this.#leases.set(key, change.lease);
      this.#tombstones.delete(key);
      return;
    }
    const key = keyOfStone(change.gone);
    this.#leases.delete(key);
    this.#tombstones.delete(key); // the newest is the last to end
    this.#tombstones.set(key, change.gone);
  }

  result(): StoredState {
    return {
      revision: this.#revision,
      leases: [...this.#leases.values()],
      tombstones: [...this.#tombstones.values()],
    };
  }
}

/** A service's text holds no line feed. */
function keyOfLease({ instance: { identity, id } }: SavedLease): string {
  return `${formatIdentity(identity)}\n${id}`;
}

function keyOfStone({ service, id }: SavedTombstone): string {
  return `${service}\n${id}`;
}
