import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { blockedChart, p99Chart } from './plot.ts';
import { tableOfResults } from './run.ts';
import type { SimulationResult } from './simulate.ts';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const begin = '<!-- simulation: written by npm run balance -- --publish -->';
const end = '<!-- end of the simulation -->';

/** Writes the table into docs/balancing.md and the pictures beside it. */
export function publishSimulation(
  results: readonly SimulationResult[],
  { seconds, seed }: { readonly seconds: number; readonly seed: number },
): void {
  writeFileSync(`${docs}balancing.svg`, p99Chart(results));
  writeFileSync(`${docs}balancing-blocked.svg`, blockedChart(results));
  const page = readFileSync(`${docs}balancing.md`, 'utf8');
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new TypeError('docs/balancing.md has lost the marks of its simulation');
  const run = `${seconds} s of virtual time for each line, seed ${seed}.`;
  const section = `${begin}\n\n${run}\n\n${tableOfResults(results)}\n\n`;
  writeFileSync(`${docs}balancing.md`, page.slice(0, from) + section + page.slice(to));
}
