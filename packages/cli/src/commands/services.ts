import { objectOf, type RegistryApi } from '../engines/registry-api.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

/** A service as `GET /v1/services` lists it. */
interface ServiceRow {
  readonly service: string;
  readonly instances: number;
  readonly up: number;
  readonly preservation?: { readonly reason: string };
}

/** The services that have instances. */
export async function services(api: RegistryApi, output: Output): Promise<void> {
  const answer = objectOf(await api.json('GET', 'services'));
  const rows = (answer['services'] as readonly ServiceRow[]).toSorted((a, b) => a.service.localeCompare(b.service));
  show(output, { ...answer, services: rows }, () =>
    rows.length === 0
      ? 'no service is registered'
      : formatTable([
          ['SERVICE', 'UP', 'INSTANCES', 'NOTE'],
          ...rows.map(({ service, instances, up, preservation }) => [
            service,
            String(up),
            String(instances),
            preservation ? `eviction paused: ${preservation.reason}; "flotilla evict ${service}" ends it` : '',
          ]),
        ]),
  );
}
