import type { Overview } from './overview.ts';

/** What `GET /v1/status` answers: what the page shows, as data. Instants are wall time in epoch milliseconds. */
export function statusJson(overview: Overview): unknown {
  const { instanceList, serviceList, changes, ...rest } = overview;
  return {
    ...rest,
    serviceList,
    instanceList: instanceList.map(({ lease, lapsesInMs, ...shown }) => ({
      ...shown,
      ...(lapsesInMs === undefined ? undefined : { lapsesInMs }),
      registeredAt: lease.registeredAt,
      renewedAt: lease.renewedAt,
      changedAt: lease.changedAt,
      instance: lease.instance,
    })),
    changes: changes.map(({ revision, changedAt, service, id, reason, after }) => ({
      revision,
      changedAt,
      service,
      id,
      reason,
      ...(after ? { status: after.override ?? after.status } : undefined),
    })),
  };
}
