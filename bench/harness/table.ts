import type { Row } from './measurement.ts';
import { leastBusy, type Summary } from './statistics.ts';

/** The figures of a row as Markdown: one line for each subject, then every round. */
export function tableOf(row: Row, summaries: readonly Summary[]): string {
  const [header, line] = row.kind === 'figures' ? figureColumns(summaries) : columns[row.kind];
  const table = [
    header,
    header.replace(/[^|]+/g, '---'),
    ...summaries.map((one) => line(one, one.id === row.reference)),
  ];
  return [
    `**${row.title}.** Budget: ${row.budget}.`,
    '',
    ...table,
    '',
    ...(row.kind === 'figures'
      ? []
      : [`Every round: ${summaries.map((one) => `${one.title}: ${roundsOf(row, one)}`).join('; ')}.`]),
    ...(summaries.some(({ valid }) => !valid) ? ['', voidNote] : []),
  ].join('\n');
}

type Columns = readonly [header: string, line: (one: Summary, isReference: boolean) => string];

/** One column for each figure of the first subject. */
function figureColumns([first]: readonly Summary[]): Columns {
  const names = Object.keys(first?.figures ?? {});
  const line = ({ title, figures }: Summary): string =>
    `| ${cells([title, ...names.map((name) => figure(figures[name] ?? Number.NaN))])} |`;
  return [`| subject | ${names.join(' | ')} |`, line];
}

function figure(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value >= 100 ? count(value) : value.toPrecision(2);
}

const columns: Readonly<Record<Exclude<Row['kind'], 'figures'>, Columns>> = {
  throughput: [
    '| subject | per second | ratio | CPU µs each | ratio by CPU | busy |',
    (one, isReference) =>
      `| ${cells([
        one.title,
        one.valid ? count(one.perSecond) : `void (${count(one.perSecond)})`,
        isReference ? '1' : one.valid ? ratio(one.ratio) : 'void',
        one.costs.map(({ role, cpuUs }) => `${role} ${cpuUs.toFixed(1)}`).join(', '),
        isReference ? '1' : ratio(one.cpuRatio),
        one.costs.map(({ role, busy }) => `${role} ${percent(busy)}`).join(', '),
      ])} |`,
  ],
  cost: [
    '| subject | CPU µs each | time µs each | busy |',
    (one) =>
      `| ${cells([one.title, digits(one.cpuUs), digits(one.wallUsPerOperation), one.costs.map(({ busy }) => percent(busy)).join(', ')])} |`,
  ],
  duration: [
    '| subject | milliseconds |',
    (one) => `| ${cells([one.title, `${Math.round(one.wallUsPerOperation / 1_000)}`])} |`,
  ],
};

const voidNote = `A throughput is void when no measured process was busy for ${leastBusy * 100} % of the time: something else was the limit. CPU time still counts.`;

function roundsOf({ kind }: Row, { rounds }: Summary): string {
  return rounds
    .map(({ perSecond, cpuUs, busy }) => {
      if (kind === 'throughput') return `${count(perSecond)}/s at ${percent(busy)}`;
      return kind === 'cost' ? `${digits(cpuUs)} µs` : `${Math.round(1_000 / perSecond)} ms`;
    })
    .join(', ');
}

function cells(texts: readonly string[]): string {
  return texts.join(' | ');
}

/** Four digits say more than the noise lets them. */
export function count(value: number): string {
  const rounded = value >= 1_000 ? Math.round(value / 100) * 100 : Math.round(value);
  return rounded.toLocaleString('en-US');
}

export function ratio(value: number): string {
  return value < 0.095 ? value.toFixed(3) : value.toFixed(2);
}

function digits(value: number): string {
  return value < 1 ? value.toFixed(3) : value.toFixed(2);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
