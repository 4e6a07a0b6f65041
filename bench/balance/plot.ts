import type { PickPolicy } from '@flotilla/balance';
import { scenarios, troubleAt } from './scenarios.ts';
import type { SimulationResult } from './simulate.ts';

/** Readable on light and on dark pages. */
const styles = `
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .title { font-weight: 600; font-size: 14px; } .panel { font-weight: 600; }
    .soft { fill: #57606a; } .grid { stroke: #d0d7de; } .own { fill: #0969da; } .other { fill: #afb8c1; }
    .line { fill: none; stroke-width: 2; stroke: #8c959f; } .line.own { stroke: #0969da; fill: none; stroke-width: 3; }
    .line.b { stroke: #bc4c00; } .line.c { stroke: #1a7f37; } .swatch.own { fill: #0969da; } .swatch.b { fill: #bc4c00; }
    .swatch.c { fill: #1a7f37; } .swatch { fill: #8c959f; }
    @media (prefers-color-scheme: dark) {
      text { fill: #d0d7de; } .soft { fill: #8b949e; } .grid { stroke: #30363d; } .own { fill: #58a6ff; }
      .other { fill: #484f58; } .line.own { stroke: #58a6ff; }
    }`;

const panel = { width: 370, row: 19, label: 112, head: 34, foot: 26 } as const;
const leastMs = 10;
const mostMs = 2_000;

/** The p99 of every pick in every scenario, on a logarithmic scale. */
export function p99Chart(results: readonly SimulationResult[]): string {
  const shown = scenarios.filter(({ id }) => results.some(({ scenario }) => scenario === id));
  const rows = Math.max(...shown.map(({ id }) => results.filter(({ scenario }) => scenario === id).length));
  const panelHeight = panel.head + rows * panel.row + panel.foot;
  const height = 48 + Math.ceil(shown.length / 2) * panelHeight;
  const panels = shown.map((scenario, index) => {
    const x = 12 + (index % 2) * (panel.width + 12);
    const y = 48 + Math.floor(index / 2) * panelHeight;
    const own = results.filter((result) => result.scenario === scenario.id);
    return `  <g transform="translate(${x} ${y})">\n${panelOf(scenario.title, own)}\n  </g>`;
  });
  return svg(
    panel.width * 2 + 36,
    height,
    'How long one call in a hundred takes, by pick',
    [
      '  <text class="title" x="12" y="20">How long one call in a hundred takes (p99, milliseconds, logarithmic), by pick</text>',
      '  <text class="soft" x="12" y="38">shorter is better; simulated: eight callers, 5 ms of work a call; of a trouble that begins, the three seconds after it</text>',
      ...panels,
    ].join('\n'),
  );
}

function panelOf(title: string, results: readonly SimulationResult[]): string {
  const bottom = panel.head + results.length * panel.row;
  const grid = [10, 100, 1_000].map(
    (ms) =>
      `    <line class="grid" x1="${x(ms)}" y1="${panel.head - 6}" x2="${x(ms)}" y2="${bottom}"/>` +
      `<text class="soft" x="${x(ms)}" y="${bottom + 14}" text-anchor="middle">${ms}</text>`,
  );
  const bars = results.map(({ pick, p99Ms }, row) => {
    const y = panel.head + row * panel.row;
    const end = Number(x(p99Ms));
    return (
      `    <text x="${panel.label - 6}" y="${y + 11}" text-anchor="end">${pick}</text>` +
      `<rect class="${pick === 'peak-ewma' ? 'own' : 'other'}" x="${panel.label}" y="${y}" width="${Math.max(1, end - panel.label).toFixed(1)}" height="14" rx="2"/>` +
      `<text x="${(end + 5).toFixed(1)}" y="${y + 11}">${p99Ms.toFixed(0)}</text>`
    );
  });
  return [`    <text class="panel" x="0" y="18">${escaped(title)}</text>`, ...grid, ...bars].join('\n');
}

function x(ms: number): string {
  const share = Math.log(Math.max(leastMs, ms) / leastMs) / Math.log(mostMs / leastMs);
  return (panel.label + share * (panel.width - panel.label - 40)).toFixed(1);
}

const lines: readonly [PickPolicy, string][] = [
  ['random', ''],
  ['round-robin', 'b'],
  ['least-loaded', 'c'],
  ['peak-ewma', 'own'],
];

const plot = {
  left: 52,
  top: 62,
  width: 690,
  height: 220,
  fromMs: 1_000,
  toMs: 7_000,
  highest: 0.16,
  sliceMs: 100,
} as const;

/** The share of the calls that an instance gets which blocks its event loop for two seconds, over time. */
export function blockedChart(results: readonly SimulationResult[]): string {
  const shown = lines.flatMap(([pick, kind]) => {
    const result = results.find((candidate) => candidate.scenario === 'blocked' && candidate.pick === pick);
    return result ? [{ pick, kind, result }] : [];
  });
  const { left, top, width, height } = plot;
  const body = [
    '  <text class="title" x="12" y="20">Share of the calls that go to one of ten whose event loop is blocked for 2 s</text>',
    '  <text class="soft" x="12" y="38">simulated; over 300 ms; its even share is 10 %</text>',
    `  <rect class="grid" x="${placeAt(troubleAt)}" y="${top}" width="${Number(placeAt(troubleAt + 2_000)) - Number(placeAt(troubleAt))}" height="${height}" fill="#8c959f" fill-opacity="0.12" stroke="none"/>`,
    `  <text class="soft" x="${Number(placeAt(troubleAt)) + 6}" y="${top - 4}">blocked</text>`,
    ...[0, 0.05, 0.1, 0.15].map(
      (share) =>
        `  <line class="grid" x1="${left}" y1="${heightAt(share)}" x2="${left + width}" y2="${heightAt(share)}"/>` +
        `<text class="soft" x="${left - 6}" y="${Number(heightAt(share)) + 4}" text-anchor="end">${share * 100} %</text>`,
    ),
    ...[1, 2, 3, 4, 5, 6, 7].map(
      (second) =>
        `  <text class="soft" x="${placeAt(second * 1_000)}" y="${top + height + 18}" text-anchor="middle">${second} s</text>`,
    ),
    ...shown.map(({ kind, result }) => `  <polyline class="line ${kind}" points="${pointsOf(result)}"/>`),
    ...shown.map(
      ({ pick, kind }, index) =>
        `  <rect class="swatch ${kind}" x="${left + index * 150}" y="${top + height + 34}" width="12" height="12" rx="2"/>` +
        `<text x="${left + index * 150 + 18}" y="${top + height + 44}">${pick}</text>`,
    ),
  ];
  return svg(
    left + width + 24,
    top + height + 60,
    'Share of the calls of a blocked instance over time',
    body.join('\n'),
  );
}

function pointsOf({ oddTries, tries }: SimulationResult): string {
  const points: string[] = [];
  for (let at = plot.fromMs; at < plot.toMs; at += plot.sliceMs) {
    const slice = at / plot.sliceMs;
    const all = sum(tries.slice(slice - 1, slice + 2));
    if (all > 0) points.push(`${placeAt(at + 50)},${heightAt(sum(oddTries.slice(slice - 1, slice + 2)) / all)}`);
  }
  return points.join(' ');
}

function placeAt(ms: number): string {
  return (plot.left + ((ms - plot.fromMs) / (plot.toMs - plot.fromMs)) * plot.width).toFixed(1);
}

function heightAt(share: number): string {
  return (plot.top + plot.height * (1 - Math.min(share, plot.highest) / plot.highest)).toFixed(1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function svg(width: number, height: number, label: string, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">
  <style>${styles}
  </style>
${body}
</svg>
`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}
