import type { ScenarioResult } from './scenario.ts';

/** One row a scenario: what became of the requests, and how long it took to know. */
export function formatResults(results: readonly ScenarioResult[]): string {
  const head = [
    'scenario',
    'sent',
    'ok',
    'failed',
    'truncated',
    'which',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'max ms',
    '/s',
    'late p99',
  ];
  return formatTable([head, ...results.map(row)]);
}

function row({ scenario, load }: ScenarioResult): string[] {
  const { sent, outcomes, latency, late, reachedPerSecond } = load;
  const count = (outcome: string): number => [...outcomes].find(([name]) => name === outcome)?.[1] ?? 0;
  const failures = [...outcomes].filter(([outcome]) => outcome !== 'ok' && outcome !== 'truncated');
  const failed = failures.reduce((sum, [, many]) => sum + many, 0);
  return [
    scenario.id,
    `${sent}`,
    `${count('ok')}`,
    `${failed}`,
    `${count('truncated')}`,
    failures.map(([outcome, many]) => `${many} ${outcome}`).join(', ') || '-',
    ...[0.5, 0.9, 0.99, 0.999].map((fraction) => ms(latency.quantileMs(fraction))),
    ms(latency.maxMs),
    reachedPerSecond.toFixed(0),
    ms(late.quantileMs(0.99)),
  ];
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
