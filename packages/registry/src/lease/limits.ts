import { leaseDefaults } from '@flotilla/core';

/** What a registry bounds, and the numbers by which it judges leases. Every one can be set; these are the defaults. */
export interface RegistryLimits {
  /** Instances in all; further ones are refused with UNAVAILABLE. */
  readonly maxInstances: number;
  /** Changes kept for watchers that resume; a cursor older than the oldest one gets a snapshot. */
  readonly maxChanges: number;
  /** Tombstones kept; above it the oldest goes. */
  readonly maxTombstones: number;
  /** Watchers at a time; further ones are refused with UNAVAILABLE. */
  readonly maxWatchers: number;
  /** Changes waiting for one slow watcher; above it they are dropped and it gets a snapshot instead. */
  readonly maxQueuedChanges: number;
  /** Leases are clamped to renewals between these. */
  readonly shortestRenewalMs: number;
  readonly longestRenewalMs: number;
  /** Leases are clamped to durations between these. */
  readonly shortestLeaseMs: number;
  readonly longestLeaseMs: number;
  /** An incarnation further in the future than this is taken for now: it would pin its entry. */
  readonly futureIncarnationMs: number;
  /** Instances of a service from which on self-preservation works. */
  readonly preserveFrom: number;
  /** Share of a service (0–1) that may lapse within {@link evictionWindowMs} before eviction stops; rounded up. */
  readonly maxEvictedFraction: number;
  readonly evictionWindowMs: number;
  /** A sweep this much later than planned means that the registry itself stood still: leases are extended once. */
  readonly pauseMs: number;
}

export const registryLimits: RegistryLimits = Object.freeze({
  maxInstances: 200_000, // twice the largest fleet that one process is measured for
  maxChanges: 16_384, // a rolling restart of some thousand instances
  maxTombstones: 200_000,
  maxWatchers: 10_000,
  maxQueuedChanges: 256, // above this a snapshot of one service is shorter than its changes
  shortestRenewalMs: 1_000,
  longestRenewalMs: 300_000,
  shortestLeaseMs: 5_000,
  longestLeaseMs: 3_600_000,
  futureIncarnationMs: 60_000,
  preserveFrom: 5, // below it one lapsed lease is already a fifth
  maxEvictedFraction: 0.15, // the complement of Eureka's renewal threshold of 85 %
  evictionWindowMs: 60_000, // Eureka's eviction interval
  pauseMs: 5_000,
});

/** A tombstone outlasts any lease by this factor: whoever still repeats an old registration has stopped by then. */
export const tombstoneLeases = 3;

/** The longest lease that is assumed before any was granted. */
export const assumedLeaseMs: number = leaseDefaults.lastsMs;
