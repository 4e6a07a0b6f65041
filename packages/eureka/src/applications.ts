import type { EurekaInstance, EurekaStatus } from './document.ts';

/** All instances of one application. */
export interface EurekaApplication {
  readonly name: string;
  readonly instance: readonly EurekaInstance[];
}

/** A whole registry, or what changed in it. */
export interface EurekaApplications {
  readonly applications: {
    readonly versions__delta: string;
    readonly apps__hashcode: string;
    readonly application: readonly EurekaApplication[];
  };
}

/** What a list of applications says of itself. */
export interface ApplicationsOptions {
  /** 1 for a full list; for a delta a number that counts them; -1 for an unknown VIP. Default 1. */
  readonly version?: number;
  /** Of the whole registry, for a delta. Default: of the given instances. */
  readonly hashCode?: string;
}

/**
 * `{"applications": …}`: instances grouped by application, both in the order in which they come. Always lists, also for
 * one and for none: Spring's clients fail a whole fetch otherwise.
 */
export function encodeApplications(
  instances: readonly EurekaInstance[],
  { version = 1, hashCode = appsHashCode(instances.map(({ status }) => status)) }: ApplicationsOptions = {},
): EurekaApplications {
  const grouped = Map.groupBy(instances, ({ app }) => app);
  const application = [...grouped].map(([name, instance]) => ({ name, instance }));
  return { applications: { versions__delta: String(version), apps__hashcode: hashCode, application } };
}

/** `{"application": …}`: one application by itself. */
export function encodeApplication(
  name: string,
  instance: readonly EurekaInstance[],
): { readonly application: EurekaApplication } {
  return { application: { name, instance } };
}

/**
 * What readers compare to find out whether they missed a change: `STATUS_count_` for each status that is there, in the
 * order of the alphabet (`Applications#getReconcileHashCode`). Empty for none.
 *
 * ```ts
 * appsHashCode(['UP', 'DOWN', 'UP']); // 'DOWN_1_UP_2_'
 * ```
 */
export function appsHashCode(statuses: Iterable<EurekaStatus>): string {
  const counts = new Map<EurekaStatus, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return hashCodeOfCounts(counts);
}

/** The same for statuses that are counted already. */
export function hashCodeOfCounts(counts: ReadonlyMap<EurekaStatus, number>): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, count]) => `${status}_${count}_`)
    .join('');
}
