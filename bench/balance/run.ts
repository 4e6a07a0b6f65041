import { pickPolicies } from '@flotilla/balance';
import { scenarios } from './scenarios.ts';
import { type SimulationResult, simulate } from './simulate.ts';

/** Every scenario with every pick. @param only ids of scenarios; default: all of them */
export async function runSimulations({
  seconds,
  seed,
  only,
}: {
  readonly seconds: number;
  readonly seed: number;
  readonly only?: readonly string[] | undefined;
}): Promise<readonly SimulationResult[]> {
  const chosen = scenarios.filter(({ id }) => only === undefined || only.includes(id));
  if (chosen.length === 0)
    throw new TypeError(`no such scenario; there are ${scenarios.map(({ id }) => id).join(', ')}`);
  const results: SimulationResult[] = [];
  for (const scenario of chosen) {
    for (const pick of pickPolicies) results.push(await simulate(scenario, pick, { seconds, seed }));
  }
  return results;
}

/** A Markdown table for each scenario. */
export function tableOfResults(results: readonly SimulationResult[]): string {
  return scenarios
    .filter(({ id }) => results.some(({ scenario }) => scenario === id))
    .map(({ id, title }) =>
      tableOf(
        title,
        results.filter(({ scenario }) => scenario === id),
      ),
    )
    .join('\n\n');
}

function tableOf(title: string, rows: readonly SimulationResult[]): string {
  return [
    `**${title}**`,
    '',
    '| pick | answered | p50 | p99 | retries per 1,000 | odd ones’ share | left after |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(
      ({ pick, success, p50Ms, p99Ms, retriesPer1000, oddShare, leftAfterMs }) =>
        `| ${pick} | ${percent(success)} | ${ms(p50Ms)} | ${ms(p99Ms)} | ${retriesPer1000.toFixed(1)} | ${percent(oddShare)} | ${leftAfterMs === undefined ? '-' : ms(leftAfterMs)} |`,
    ),
  ].join('\n');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0.9995 ? 0 : share > 0.9 ? 2 : 1)} %`;
}

function ms(value: number): string {
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
}
