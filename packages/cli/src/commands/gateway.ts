import { fetchJson } from '../engines/http-get.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

/** A route as the gateway's `/info` shows it. */
interface RouteRow {
  readonly id: string;
  readonly paths: readonly string[];
  readonly methods?: readonly string[];
  readonly to: string;
  readonly auth: string;
  readonly filters: readonly string[];
}

/** The routes that are in force. */
export async function gateway(managementUrl: string, output: Output): Promise<void> {
  const info = (await fetchJson(`${managementUrl}/info`)) as { readonly routes?: readonly RouteRow[] };
  const routes = info.routes ?? [];
  show(output, routes, () =>
    formatTable([
      ['ROUTE', 'PATH', 'METHODS', 'TO', 'AUTH', 'FILTERS'],
      ...routes.map(({ id, paths, methods, to, auth, filters }) => [
        id,
        paths.join(' '),
        methods?.join(',') ?? 'any',
        to,
        auth,
        filters.join(', '),
      ]),
    ]),
  );
}
