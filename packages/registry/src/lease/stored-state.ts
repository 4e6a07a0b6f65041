import type { InstanceStatus } from '@flotilla/core';
import type { Lease } from './lease.ts';

/** A lease in a saved state. Instants are wall time: the monotonic clock starts anew with each process. */
export type SavedLease = Omit<Lease, 'expiresAt'>;

/** A tombstone in a saved state. */
export interface SavedTombstone {
  /** Text form of the identity. */
  readonly service: string;
  readonly id: string;
  readonly incarnation: number;
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
}
