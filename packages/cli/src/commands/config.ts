import type { Origin } from '@flotilla/config';
import { fetchJson } from '../engines/http-get.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

/** The effective configuration of a running process: each value, where it came from, and what waits for the next start. */
export async function config(managementUrl: string, output: Output): Promise<void> {
  const origins = (await fetchJson(`${managementUrl}/config`)) as readonly Origin[];
  show(output, origins, () =>
    formatTable([
      ['KEY', 'VALUE', 'FROM'],
      ...origins.map(({ key, value, source, where, pending }) => [
        key,
        textOf(value),
        pending
          ? `${placeOf({ source, where })}; ${textOf(pending.value)} from the next start`
          : placeOf({ source, where }),
      ]),
    ]),
  );
}

function placeOf({ source, where }: Pick<Origin, 'source' | 'where'>): string {
  return where === '' ? source : where;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
