import { effectiveStatus, type InstanceStatus, instanceStatuses } from '@flotilla/core';
import type { BrokenPromise } from '../catalogue/catalogue.ts';
import type { ContractConflict } from '../contract-census.ts';
import { formatCursor } from '../cursor.ts';
import { nextTurn } from '../engines/next-turn.ts';
import type { Change } from '../lease/change.ts';
import { hasLapsed, type Lease } from '../lease/lease.ts';
import type { InstanceKey } from '../lease/lease-table.ts';
import type { Moment } from '../lease/moment.ts';
import type { PreservedService } from '../lease/service-leases.ts';
import type { AddressProblem } from '../server/dial-back.ts';
import type { PeerState } from '../server/peer-state.ts';
import type { Registry, ServiceSummary } from '../server/registry.ts';
import type { Saving } from '../server/saver.ts';
import type { EngineState } from '../shared/shared-leases.ts';
import { fits, type StatusQuery } from './query.ts';

/** One service, in numbers. */
export interface ServiceOverview {
  /** Text form of the identity. */
  readonly service: string;
  readonly instances: number;
  /** By the status that counts; those of nobody are left out. */
  readonly byStatus: Readonly<Partial<Record<InstanceStatus, number>>>;
  /** Instances whose lease lapsed and that are still listed. */
  readonly lapsed: number;
  /** Why eviction is paused, where it is. */
  readonly preservation?: PreservedService;
}

/** One instance and its lease. */
export interface InstanceOverview {
  readonly lease: Lease;
  readonly service: string;
  readonly status: InstanceStatus;
  /** Since its last sign of life. */
  readonly silentMs: number;
  /** Until the lease lapses; less than 0: it has. Absent: it has none. */
  readonly lapsesInMs?: number;
}

/** What the status page shows, and `GET /v1/status` says. Lists are bounded. */
/** An instance that the registry could not connect to, and what to do. */
export type Unreachable = AddressProblem & InstanceKey;

/** What a registry shows that others know: who it replicates with, who could not be reached. */
export type Beside = Partial<Pick<Overview, 'peers' | 'unreachable'>>;

export interface Overview {
  readonly cursor: string;
  readonly startedAt: number;
  readonly warming: boolean;
  readonly instances: number;
  readonly watchers: number;
  readonly byStatus: Readonly<Partial<Record<InstanceStatus, number>>>;
  readonly saving: Saving;
  /** Absent: the registry shares its leases with no other node. */
  readonly engine?: EngineState;
  /** The registries that this one replicates with. */
  readonly peers: readonly PeerState[];
  /** Who is not listed as up yet because this registry could not connect: the first of them. */
  readonly unreachable: readonly Unreachable[];
  readonly conflicts: readonly ContractConflict[];
  /** Providers that do not keep what callers rely on. */
  readonly broken: readonly BrokenPromise[];
  readonly preserved: readonly ServiceOverview[];
  /** Services in all. */
  readonly services: number;
  /** Those that fit the query, by name: the first of them. */
  readonly serviceList: readonly ServiceOverview[];
  readonly matchingServices: number;
  /** One page of the instances that fit. */
  readonly instanceList: readonly InstanceOverview[];
  readonly matchingInstances: number;
  readonly page: number;
  readonly pages: number;
  /** The newest first. */
  readonly changes: readonly Change[];
}

/** How much of anything is shown at a time. */
export const shownAtMost: Readonly<
  Record<'services' | 'instances' | 'changes' | 'conflicts' | 'preserved' | 'unreachable', number>
> = Object.freeze({ services: 60, instances: 50, changes: 30, conflicts: 20, preserved: 20, unreachable: 20 });

const recentMs = 86_400_000;

/** Leases that are looked at between two turns of the event loop: some milliseconds. */
const leasesPerTurn = 5_000;

/**
 * Looks at everything once, and sorts only what is shown: the cost is that of the whole registry, what comes out is bounded.
 * A large registry goes on meanwhile; what changes on the way may be seen as before or as after.
 */
export async function overviewOf(
  registry: Registry,
  query: StatusQuery,
  moment: Moment,
  { peers = [], unreachable = [] }: Beside = {},
): Promise<Overview> {
  const everybody = await servicesOf(registry, moment);
  const asksForAll = query.q === '' && query.service === '' && query.status === undefined;
  const matching = asksForAll
    ? everybody
    : everybody
        .map(({ service, leases, overview }) => ({
          service,
          overview,
          leases: leases.filter((lease) => fits(query, service, lease)),
        }))
        .filter(({ leases }) => leases.length > 0);
  const matchingInstances = matching.reduce((sum, { leases }) => sum + leases.length, 0);
  const pages = Math.max(1, Math.ceil(matchingInstances / shownAtMost.instances));
  const page = Math.min(query.page, pages);
  return {
    cursor: formatCursor(registry.cursor),
    startedAt: registry.startedAt,
    warming: registry.warming,
    instances: registry.size,
    watchers: registry.watchers,
    byStatus: total(everybody.map(({ overview }) => overview.byStatus)),
    saving: registry.saving,
    ...(registry.engine ? { engine: registry.engine } : undefined),
    peers,
    unreachable: unreachable.slice(0, shownAtMost.unreachable),
    conflicts: registry.conflicts.slice(0, shownAtMost.conflicts),
    broken: registry.catalogue.broken().slice(0, shownAtMost.conflicts),
    preserved: everybody
      .map(({ overview }) => overview)
      .filter(({ preservation }) => preservation)
      .slice(0, shownAtMost.preserved),
    services: everybody.length,
    serviceList: matching.slice(0, shownAtMost.services).map(({ overview }) => overview),
    matchingServices: matching.length,
    instanceList: shownOf(matching, (page - 1) * shownAtMost.instances).map(({ service, lease }) =>
      instanceOverview(service, lease, moment),
    ),
    matchingInstances,
    page,
    pages,
    changes: registry.recentChanges(recentMs, shownAtMost.changes).changes.toReversed(),
  };
}

/** A service, as it was looked at. */
interface Seen extends ServiceSummary {
  readonly overview: ServiceOverview;
}

/** By name. */
async function servicesOf(registry: Registry, moment: Moment): Promise<Seen[]> {
  const seen: Seen[] = [];
  let looked = 0;
  for (const summary of registry.services()) {
    const { service, leases, preservation } = summary;
    seen.push({ ...summary, overview: serviceOverview(service, leases, preservation, moment) });
    looked += leases.length;
    if (looked < leasesPerTurn) continue;
    looked = 0;
    await nextTurn();
  }
  return seen.sort((a, b) => compare(a.service, b.service));
}

/** The instances from that place on, by service and id, that one page shows. */
function shownOf(
  services: readonly { readonly service: string; readonly leases: readonly Lease[] }[],
  from: number,
): { readonly service: string; readonly lease: Lease }[] {
  const shown: { service: string; lease: Lease }[] = [];
  let before = 0;
  for (const { service, leases } of services) {
    const first = Math.max(0, from - before);
    before += leases.length;
    if (first >= leases.length) continue;
    const sorted = leases.toSorted((a, b) => compare(a.instance.id, b.instance.id));
    const wanted = shownAtMost.instances - shown.length;
    shown.push(...sorted.slice(first, first + wanted).map((lease) => ({ service, lease })));
    if (shown.length === shownAtMost.instances) break;
  }
  return shown;
}

function serviceOverview(
  service: string,
  leases: readonly Lease[],
  preservation: PreservedService | undefined,
  moment: Moment,
): ServiceOverview {
  const byStatus: Partial<Record<InstanceStatus, number>> = {};
  let lapsed = 0;
  for (const lease of leases) {
    const status = effectiveStatus(lease.instance);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    if (hasLapsed(lease, moment)) lapsed++;
  }
  return { service, instances: leases.length, byStatus, lapsed, ...(preservation ? { preservation } : undefined) };
}

function instanceOverview(service: string, lease: Lease, moment: Moment): InstanceOverview {
  return {
    lease,
    service,
    status: effectiveStatus(lease.instance),
    silentMs: Math.max(0, moment.wallAt - lease.renewedAt),
    ...(lease.expiresAt === Infinity ? undefined : { lapsesInMs: Math.round(lease.expiresAt - moment.at) }),
  };
}

function total(counts: readonly ServiceOverview['byStatus'][]): ServiceOverview['byStatus'] {
  const sum = (status: InstanceStatus): number => counts.reduce((found, count) => found + (count[status] ?? 0), 0);
  return Object.fromEntries(instanceStatuses.map((status) => [status, sum(status)] as const).filter(([, n]) => n > 0));
}

/** By code units: the same order on every machine. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
