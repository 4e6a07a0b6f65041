import type { Row } from './measurement.ts';
import type { Summary } from './statistics.ts';
import { count, ratio } from './table.ts';

const width = 760;
const labelWidth = 300;
const barHeight = 22;
const lineHeight = 34;
const top = 58;

/**
 * One bar for each subject, the longest first. By CPU time, so that it says the same on a busy machine: on a quiet one it
 * is the throughput. Readable on light and on dark pages.
 */
export function chartOf(row: Row, summaries: readonly Summary[]): string {
  const most = Math.max(...summaries.map(perCpuSecond));
  const room = width - labelWidth - 130;
  const bars = [...summaries]
    .sort((a, b) => perCpuSecond(b) - perCpuSecond(a))
    .map((one, position) => {
      const y = top + position * lineHeight;
      const length = Math.max(1, (perCpuSecond(one) / most) * room);
      const isReference = one.id === row.reference;
      const kind = one.id === 'flotilla' ? 'own' : isReference ? 'reference' : 'other';
      const figure = `${count(perCpuSecond(one))}${isReference ? '' : `  ·  ${ratio(one.cpuRatio)}`}`;
      return [
        `  <text x="${labelWidth - 8}" y="${y + 16}" text-anchor="end">${escaped(one.title)}</text>`,
        `  <rect class="${kind}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
        `  <text x="${(labelWidth + length + 8).toFixed(1)}" y="${y + 16}">${figure}</text>`,
      ].join('\n');
    });
  const height = top + summaries.length * lineHeight + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(row.title)}">
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .title { font-weight: 600; }
    .own { fill: #0969da; } .reference { fill: #57606a; } .other { fill: #afb8c1; }
    @media (prefers-color-scheme: dark) {
      text { fill: #d0d7de; } .own { fill: #58a6ff; } .reference { fill: #8b949e; } .other { fill: #484f58; }
    }
  </style>
  <text class="title" x="8" y="20">${escaped(row.title)}</text>
  <text x="8" y="40">${row.operation}s in one second of CPU time of the busier measured process · ratio to the reference</text>
${bars.join('\n')}
</svg>
`;
}

function perCpuSecond({ cpuUs }: Summary): number {
  return 1e6 / cpuUs;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}
