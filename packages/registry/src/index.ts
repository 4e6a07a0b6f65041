export { checkInstance, checkStatus, instanceBounds } from './check-instance.ts';
export { type ConflictSide, type ContractConflict, contractConflicts } from './contract-census.ts';
export { type Cursor, createEpoch, formatCursor, parseCursor, resumeFrom } from './cursor.ts';
export { type Change, type GoneReason, matches, type SeenChange, seenBy } from './lease/change.ts';
export type { Lease } from './lease/lease.ts';
export {
  type Found,
  type InstanceKey,
  LeaseTable,
  type Registered,
  type Sweep,
} from './lease/lease-table.ts';
export { type RegistryLimits, registryLimits } from './lease/limits.ts';
export { type Moment, momentOf } from './lease/moment.ts';
export { judgeLapsed, type LapseCount, type Preservation } from './lease/self-preservation.ts';
export type {
  SavedLease,
  SavedTombstone,
  StateDraft,
  StoredChange,
  StoredState,
} from './lease/stored-state.ts';
