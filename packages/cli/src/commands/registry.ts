import { formatHostPort, type Instance } from '@flotilla/core';
import { contractConflicts } from '@flotilla/registry';
import { fetchJson } from '../engines/http-get.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

/** What the registry lists. */
export async function registry(url: string, output: Output): Promise<void> {
  const snapshot = (await fetchJson(`${url}/v1/instances`)) as { readonly instances: readonly Instance[] };
  const instances = snapshot.instances.toSorted(
    (a, b) => a.identity.service.localeCompare(b.identity.service) || a.id.localeCompare(b.id),
  );
  const conflicts = contractConflicts(instances);
  show(output, { ...snapshot, conflicts }, () =>
    [listing(instances), ...conflicts.map(({ detail }) => `warning: ${detail}`)].join('\n'),
  );
}

function listing(instances: readonly Instance[]): string {
  return formatTable([
    ['SERVICE', 'INSTANCE', 'STATUS', 'ADDRESSES', 'CONTRACTS'],
    ...instances.map(({ identity, id, status, override, addresses, contracts }) => [
      identity.service,
      id,
      override === undefined ? status : `${override} (operator; itself ${status})`,
      addresses.map((address) => `${address.protocol}://${formatHostPort(address)}`).join(' '),
      contracts.map(({ name, version }) => `${name} v${version}`).join(', '),
    ]),
  ]);
}
