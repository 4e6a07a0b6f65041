import type { Origin } from '@flotilla/config';
import { fetchJson } from '../engines/http-get.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

/** The effective configuration of a running process: each value, and where it came from. */
export async function config(managementUrl: string, output: Output): Promise<void> {
  const origins = (await fetchJson(`${managementUrl}/config`)) as readonly Origin[];
  show(output, origins, () =>
    formatTable([
      ['KEY', 'VALUE', 'FROM'],
      ...origins.map(({ key, value, source, where }) => [key, textOf(value), where === '' ? source : where]),
    ]),
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
