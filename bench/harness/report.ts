import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chartOf } from './chart.ts';
import type { Machine } from './machine.ts';
import type { Plan } from './plan.ts';
import { benchFolder } from './processes.ts';
import type { MeasuredRow } from './rounds.ts';
import { summarise } from './statistics.ts';
import { tableOf } from './table.ts';

/** Everything that one run of the command found. */
export interface Report {
  readonly machine: Machine;
  readonly plan: Plan;
  readonly rows: readonly MeasuredRow[];
}

const page = join(benchFolder, '../docs/performance.md');

/** Writes all figures as JSON. */
export function writeResults({ machine, plan, rows }: Report, name: string): string {
  const file = join(benchFolder, 'results', name);
  mkdirSync(dirname(file), { recursive: true });
  const figures = rows.map((measured) => {
    const { id, title, kind, reference, operation } = measured.row;
    const rounds = measured.subjects.map(({ subject, measurements }) => ({ id: subject.id, measurements }));
    return { id, title, kind, reference, operation, summaries: summarise(measured), rounds };
  });
  writeFileSync(file, `${JSON.stringify({ machine, plan, rows: figures }, undefined, 2)}\n`);
  return file;
}

/** Puts tables into the page, each between its marks, and draws the charts beside it. Of single rows each says when it was taken. */
export function publish({ machine, plan, rows }: Report, what: 'all' | 'named'): void {
  let text = readFileSync(page, 'utf8');
  const taken = machineText(machine, plan);
  if (what === 'all') text = replacePart(text, 'machine', taken);
  for (const measured of rows) {
    const { row } = measured;
    const summaries = summarise(measured);
    const table = tableOf(row, summaries);
    text = replacePart(text, row.id, what === 'all' ? table : `${table}\n\n${taken}`);
    if (row.kind !== 'throughput') continue;
    const chart = join(dirname(page), 'performance', `${row.id}.svg`);
    mkdirSync(dirname(chart), { recursive: true });
    writeFileSync(chart, chartOf(row, summaries));
  }
  writeFileSync(page, text);
}

/** @throws Error when the page has no such part: a figure would be lost without a word */
export function replacePart(text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- bench: ${name} -->`, '<!-- /bench -->'];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/performance.md has no part "${begin}" … "${end}"`);
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
}

function machineText({ cpu, cores, memoryGiB, kernel, node, takenAt }: Machine, plan: Plan): string {
  const how = `${plan.rounds} rounds of ${plan.measureMs / 1_000} s after ${plan.warmMs / 1_000} s of CPU time to warm up`;
  return `Taken ${takenAt.slice(0, 10)} on ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}, Node.js ${node}; ${how}.`;
}
