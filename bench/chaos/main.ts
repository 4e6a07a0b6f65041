/**
 * Plugs are pulled from registries, from what stands behind them, and from instances that are called, under load. Exits with 1 when something is that must not
 * be: a lost registration that was acknowledged, a caller without instances, nodes that do not agree at the end, a crash.
 *
 * `npm run chaos -- [--long] [--only=id,…] [--port=24600] [--out=file.md]`; see README.md.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { endWorkFleet } from './calls/fleet.ts';
import { callScenarios } from './calls/scenarios.ts';
import { Place } from './place.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import type { Outcome } from './stage.ts';

const { values: flags } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string' },
    port: { type: 'string', default: '24600' },
    out: { type: 'string' },
  },
});
const only = flags.only?.split(',');
const rows: { readonly scenario: Scenario; readonly seconds: number; readonly outcome: Outcome }[] = [];
let port = Number(flags.port);
const everything = [...scenarios, ...callScenarios];
for (const scenario of everything) {
  if (only ? !only.includes(scenario.id) : scenario.longOnly && !flags.long) continue;
  const lacking = scenario.lacks?.();
  if (lacking !== undefined) {
    if (process.env['CI'] === 'true') throw new Error(`${scenario.id} needs ${lacking}, and CI=true allows no gaps`);
    console.warn(`SKIPPED: ${scenario.id} needs ${lacking}`);
    continue;
  }
  const startedAt = performance.now();
  const outcome = await run(scenario, port);
  port += 200;
  const seconds = (performance.now() - startedAt) / 1_000;
  rows.push({ scenario, seconds, outcome });
  console.log(
    `\n${outcome.mistakes.length === 0 ? 'held' : 'FAILED'}  ${scenario.title} (${scenario.id}, ${seconds.toFixed(0)} s)`,
  );
  for (const fact of outcome.facts) console.log(`      ${fact}`);
  for (const mistake of outcome.mistakes) console.log(`    ! ${mistake}`);
}
if (rows.length === 0) throw new Error(`no such scenario; there are ${everything.map(({ id }) => id).join(', ')}`);
if (flags.out !== undefined) writeFileSync(flags.out, page());
console.log(callTable().join('\n'));
const failed = rows.filter(({ outcome }) => outcome.mistakes.length > 0);
await endWorkFleet(failed.some(({ outcome }) => outcome.row !== undefined));
console.log(`\n${rows.length - failed.length} of ${rows.length} scenarios held`);
process.exit(failed.length > 0 ? 1 : 0);

async function run(scenario: Scenario, from: number): Promise<Outcome> {
  const place = new Place();
  let outcome: Outcome = { facts: [], mistakes: [] };
  try {
    outcome = await scenario.run({ place, port: from, long: flags.long });
  } catch (error) {
    outcome = { facts: [], mistakes: [error instanceof Error ? (error.stack ?? error.message) : String(error)] };
  }
  const mistakes = [...outcome.mistakes, ...place.crashes];
  await place.end(mistakes.length > 0);
  return { ...outcome, mistakes: mistakes.length > 0 ? [...mistakes, `logs: ${place.folder}`] : [] };
}

function page(): string {
  const table = rows
    .filter(({ outcome }) => outcome.row === undefined)
    .map(
      ({ scenario, outcome }) =>
        `| ${scenario.title} | ${verdict(outcome)} | ${[...outcome.facts, ...outcome.mistakes].join('; ')} |`,
    );
  const date = new Date().toISOString().slice(0, 10);
  return [
    '# Chaos',
    '',
    'What came of registries and of calls while plugs were pulled, as `npm run chaos -- --long --out=docs/chaos.md` wrote it; what each',
    'scenario does, and what must hold, is in [bench/chaos](../bench/chaos/README.md). Times are those of the machine that is named,',
    'with whatever else it did.',
    '',
    `${date}, ${cpus().length} cores, Node.js ${process.versions.node}.`,
    ...(table.length > 0 ? ['', '| what happened | | what came of it |', '|---|---|---|', ...table] : []),
    ...callTable(),
    '',
  ].join('\n');
}

/** What callers had of it, a line for each scenario of calls. */
function callTable(): readonly string[] {
  const told = rows.filter(({ outcome }) => outcome.row !== undefined);
  const heads = Object.keys(told[0]?.outcome.row ?? {});
  if (heads.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '',
    line(['what happened to calls', '', ...heads]),
    `|---${'|---'.repeat(heads.length + 1)}|`,
    ...told.map(({ scenario, outcome }) =>
      line([scenario.title, verdict(outcome), ...heads.map((head) => outcome.row?.[head] ?? '-')]),
    ),
  ];
}

function verdict({ mistakes }: Outcome): string {
  return mistakes.length === 0 ? 'held' : 'failed';
}
