import type { ScenarioResult, WrkScenarioResult } from './scenario.ts';

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

/** What `wrk` counted. */
export function formatWrk(results: readonly WrkScenarioResult[]): string {
  const head = ['under wrk', 'requests', 'connect', 'read', 'write', 'time-out', 'bad status', '/s'];
  const rows = results.map(({ scenario, wrk: { requests, socketErrors, badStatus, requestsPerSecond } }) => {
    const { connect, read, write, timeout } = socketErrors;
    return [
      scenario.id,
      ...[requests, connect, read, write, timeout, badStatus].map(String),
      requestsPerSecond.toFixed(0),
    ];
  });
  return formatTable([head, ...rows]);
}

/** A result that is not about a rate: its facts, and whether it holds. */
export function formatFacts(title: string, result: { readonly mistakes: readonly string[] }): string {
  const { mistakes, ...facts } = result;
  const head = [title, ...Object.keys(facts), 'holds'];
  return formatTable([head, ['', ...Object.values(facts).map(String), mistakes.length === 0 ? 'yes' : 'NO']]);
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
