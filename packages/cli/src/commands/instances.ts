import { effectiveStatus, FlotillaError, formatHostPort, formatIdentity, type Instance } from '@flotilla/core';
import { contractConflicts } from '@flotilla/registry';
import { objectOf, type RegistryApi } from '../engines/registry-api.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

/** What a list may be narrowed to. */
export interface InstanceFilter {
  /** Text form of a service's identity. */
  readonly service?: string | undefined;
  readonly status?: string | undefined;
}

/** The instances that the registry lists, and on what they do not agree. */
export async function instances(api: RegistryApi, filter: InstanceFilter, output: Output): Promise<void> {
  const snapshot = objectOf(await api.json('GET', listPath(filter.service)));
  const listed = snapshot['instances'] as readonly Instance[];
  const found = listed
    .filter((instance) => filter.status === undefined || effectiveStatus(instance) === filter.status)
    .toSorted(
      (a, b) => formatIdentity(a.identity).localeCompare(formatIdentity(b.identity)) || a.id.localeCompare(b.id),
    );
  const conflicts = contractConflicts(listed);
  show(output, { ...snapshot, instances: found, conflicts }, () =>
    [
      ...(snapshot['warming'] === true ? ['the registry warms up: it may not have heard of everybody yet'] : []),
      found.length === 0 ? 'no instance is registered that fits' : table(found),
      ...conflicts.map(({ detail }) => `warning: ${detail}`),
    ].join('\n'),
  );
}

/** The instances of one service that are listed. @throws FlotillaError NO_ROUTE when there are none. */
export async function instancesOf(api: RegistryApi, service: string): Promise<readonly Instance[]> {
  const { instances: listed } = objectOf(await api.json('GET', listPath(service)));
  const found = listed as readonly Instance[];
  if (found.length > 0) return found;
  throw new FlotillaError('NO_ROUTE', `no instance of "${service}" is registered; "flotilla services" lists what is`);
}

/** A person reads it, who calls nobody: whoever leaves need not wait. */
function listPath(service: string | undefined): string {
  return `instances?${new URLSearchParams({ as: 'observer', ...(service === undefined ? undefined : { service }) })}`;
}

/** `down (operator; itself up)` where an operator said something. */
export function statusText({ status, override }: Pick<Instance, 'status' | 'override'>): string {
  return override === undefined ? status : `${override} (operator; itself ${status})`;
}

function table(found: readonly Instance[]): string {
  return formatTable([
    ['SERVICE', 'INSTANCE', 'STATUS', 'ADDRESSES', 'CONTRACTS'],
    ...found.map((instance) => [
      formatIdentity(instance.identity),
      instance.id,
      statusText(instance),
      instance.addresses.map((address) => `${address.protocol}://${formatHostPort(address)}`).join(' '),
      instance.contracts.map(({ name, version }) => `${name} v${version}`).join(', '),
    ]),
  ]);
}
