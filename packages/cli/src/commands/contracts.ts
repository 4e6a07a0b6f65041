import { FlotillaError } from '@flotilla/core';
import { objectOf, type RegistryApi } from '../engines/registry-api.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

interface Party {
  readonly service: string;
  readonly instances: number;
}

interface ContractRow {
  readonly name: string;
  readonly version: number;
  readonly providers: readonly Party[];
  readonly callers: readonly Party[];
}

interface Broken extends Pick<ContractRow, 'name' | 'version'> {
  readonly provider: Party;
  readonly caller: Party;
  readonly reasons: readonly { readonly detail: string }[];
}

/** Which contracts there are, who serves and who calls them. */
export async function contracts(api: RegistryApi, output: Output): Promise<void> {
  const answer = objectOf(await api.json('GET', 'contracts'));
  const [rows, broken] = [answer['contracts'] as readonly ContractRow[], answer['broken'] as readonly Broken[]];
  show(output, answer, () =>
    [
      rows.length === 0
        ? 'nobody serves or calls a contract'
        : formatTable([
            ['CONTRACT', 'SERVED BY', 'CALLED BY'],
            ...rows.map(({ name, version, providers, callers }) => [
              `${name} v${version}`,
              partiesText(providers),
              partiesText(callers),
            ]),
          ]),
      ...broken.map(
        ({ name, version, provider, caller, reasons }) =>
          `warning: ${provider.service} does not keep what ${caller.service} relies on in ${name} v${version}: ${reasons.map(({ detail }) => detail).join('; ')}`,
      ),
    ].join('\n'),
  );
}

/** Who calls `contract[@version].operation`, and who breaks if it, or one of its fields, goes. */
export async function impact(api: RegistryApi, what: string, field: string | undefined, output: Output): Promise<void> {
  const [, name, version = '1', operation] = /^([^@]+?)(?:@([0-9]{1,9}))?\.([^.@]+)$/.exec(what) ?? [];
  if (name === undefined || operation === undefined) {
    throw new FlotillaError(
      'INVALID_INPUT',
      `"${what}" is not <contract>[@version].<operation>, as in catalog@1.product`,
    );
  }
  const query = new URLSearchParams({ operation, ...(field === undefined ? undefined : { field }) });
  const answer = objectOf(
    await api.json('GET', `contracts/${encodeURIComponent(name)}/versions/${version}/impact?${query}`),
  );
  const callers = answer['callers'] as readonly (Party & { readonly impact: string; readonly hash: string })[];
  show(output, answer, () =>
    callers.length === 0
      ? `nobody says that it calls ${name} v${version}`
      : formatTable([
          ['CALLER', 'INSTANCES', `IF ${field ?? operation} GOES`],
          ...callers.map(({ service, instances, impact: verdict }) => [service, String(instances), verdict]),
        ]),
  );
}

/** `web (2), mobile`: an instance alone is not counted. Several forms of one service are one entry. */
function partiesText(parties: readonly Party[]): string {
  const counts = new Map<string, number>();
  for (const { service, instances } of parties) counts.set(service, (counts.get(service) ?? 0) + instances);
  return Array.from(counts, ([service, count]) => (count === 1 ? service : `${service} (${count})`)).join(', ');
}
