import { effectiveStatus, formatHostPort, type InstanceStatus, instanceStatuses } from '@flotilla/core';
import type { Lease } from '../lease/lease.ts';

/** What the reader of a status page wants to see. */
export interface StatusQuery {
  /** Words; each has to be in the service, the id, an address, a contract, the zone or the metadata. In any case. */
  readonly q: string;
  /** Text form of an identity; empty: all. */
  readonly service: string;
  readonly status: InstanceStatus | undefined;
  /** From 1. */
  readonly page: number;
}

const longestWords = 200;
const lastPage = 100_000;

/** Reads it from behind the question mark. What cannot be read is passed over: a page is shown whatever was typed. */
export function readStatusQuery(query: string): StatusQuery {
  const given = new URLSearchParams(query);
  const page = Number(given.get('page') ?? 1);
  return {
    q: (given.get('q') ?? '').trim().slice(0, longestWords),
    service: (given.get('service') ?? '').slice(0, 1_024),
    status: instanceStatuses.find((status) => status === given.get('status')),
    page: Number.isInteger(page) && page >= 1 ? Math.min(page, lastPage) : 1,
  };
}

/** The same in text, with changes; what is as usual is left out. */
export function writeStatusQuery(query: StatusQuery, changes: Partial<StatusQuery> = {}): string {
  const { q, service, status, page } = { ...query, ...changes };
  const parameters = new URLSearchParams();
  if (q !== '') parameters.set('q', q);
  if (service !== '') parameters.set('service', service);
  if (status) parameters.set('status', status);
  if (page > 1) parameters.set('page', String(page));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

export function fits({ q, service, status }: StatusQuery, leaseService: string, lease: Lease): boolean {
  if (service !== '' && service !== leaseService) return false;
  if (status && effectiveStatus(lease.instance) !== status) return false;
  if (q === '') return true;
  const text = textOf(lease, leaseService);
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const texts = new WeakMap<Lease['instance'], string>();

/** Everything that is looked through, in lower case; made once for each thing that an instance says of itself. */
function textOf({ instance }: Lease, service: string): string {
  const known = texts.get(instance);
  if (known !== undefined) return known;
  const text = [
    service,
    instance.id,
    ...instance.addresses.map((address) => `${address.protocol}://${formatHostPort(address)}`),
    ...instance.contracts.map(({ name, version }) => `${name} v${version}`),
    instance.zone ?? '',
    ...Object.entries(instance.metadata).map(([key, value]) => `${key}=${value}`),
  ]
    .join('\n')
    .toLowerCase();
  texts.set(instance, text);
  return text;
}
