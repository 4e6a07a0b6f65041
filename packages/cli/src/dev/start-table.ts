import { formatTable } from '../table.ts';
import type { Paint } from './log-line.ts';

/** What is shown when a fleet has started. */
export interface StartReport {
  readonly fleet: string;
  readonly rows: readonly { readonly name: string; readonly url: string; readonly state: string }[];
  readonly gateway: string;
  readonly seconds: number;
  readonly json: boolean;
  readonly paint: Paint;
}

/** The table of processes, and whether the fleet serves. */
export function startTable({ fleet, rows, gateway, seconds, json, paint }: StartReport): string {
  const serving = rows.every(({ state }) => state === 'serving');
  if (json) return JSON.stringify({ fleet, serving, gateway, seconds: Number(seconds.toFixed(2)), processes: rows });
  const table = formatTable([
    ['NAME', 'URL', 'STATE'].map((word) => paint('gray', word)),
    ...rows.map(({ name, url, state }) => [name, url, paint(state === 'serving' ? 'green' : 'red', state)]),
  ]);
  const verdict = serving
    ? `${paint('bold', `${fleet} is serving`)} at ${paint('cyan', gateway)} after ${seconds.toFixed(1)} s. Ctrl-C stops it.`
    : `${paint('yellow', `${fleet} is not complete`)} after ${seconds.toFixed(1)} s: see above. A changed file starts its service again.`;
  return `\n${table.replace(/^/gm, '  ')}\n\n  ${verdict}\n`;
}
