import type { Run } from './run.ts';
import { type Slice, sliceMs } from './slice.ts';
import { latencies, percentile, sum } from './summary.ts';

const width = 780;
const panel = { left: 64, right: 140, height: 180 };
const room = width - panel.left - panel.right;

/** Two panels over the time of the run: good answers as a share of capacity, and how long they took. */
export function curvesOf(runs: readonly Run[]): string {
  const [first] = runs;
  const lengthMs = first ? 2 * first.plan.restMs + first.plan.overloadMs : 1;
  const x = (ms: number): number => panel.left + (ms / lengthMs) * room;
  const top = { goodput: 56, latency: 56 + panel.height + 56 };
  const share = (value: number): number => top.goodput + panel.height * (1 - Math.min(3.2, value) / 3.2);
  // 1 ms to 1 s, a tenfold step is a third of the panel.
  const latency = (ms: number): number =>
    top.latency + panel.height * (1 - Math.log10(Math.min(1_000, Math.max(1, ms))) / 3);
  const curve = (kind: string, run: Run, of: (slices: readonly Slice[]) => number, y: (value: number) => number) =>
    unbroken(seconds(run).map((slices) => ({ at: slices[0]?.atMs ?? 0, value: of(slices) }))).map((points) => {
      const places = points.map(({ at, value }) => `${x(at + 500).toFixed(1)},${y(value).toFixed(1)}`);
      return `  <polyline class="${kind}" points="${places.join(' ')}"/>`;
    });
  const curves = runs.map((run) => {
    const perSecond = (what: 'good' | 'sent') => (slices: readonly Slice[]) =>
      sum(slices, what) / ((slices.length * sliceMs) / 1_000) / run.capacity;
    const { id } = run.subject;
    return [
      ...(run === first ? curve('offered', run, perSecond('sent'), share) : []),
      ...curve(id, run, perSecond('good'), share),
      ...curve(id, run, (slices) => percentile(latencies(slices), 0.99), latency),
    ].join('\n');
  });
  const names = [['offered', 'offered'], ...runs.map(({ subject }) => [subject.id, subject.title])];
  const legend = names.map(
    ([kind, name], index) =>
      `  <line class="${kind}" x1="${width - 130}" x2="${width - 106}" y1="${70 + index * 22}" y2="${70 + index * 22}"/><text x="${width - 100}" y="${74 + index * 22}">${name}</text>`,
  );
  const marks = [
    ...[0, 1, 2, 3].map((value) => grid(share(value), `${value * 100} %`)),
    ...[1, 10, 100, 1_000].map((ms) => grid(latency(ms), ms < 1_000 ? `${ms} ms` : '1 s')),
  ];
  const height = top.latency + panel.height + 36;
  const ticks = Array.from({ length: Math.floor(lengthMs / 10_000) + 1 }, (_, index) => index * 10_000).map(
    (ms) => `  <text x="${x(ms)}" y="${height - 14}" text-anchor="middle">${ms / 1_000} s</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Goodput and latency under three times the load that a server can bear">
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .title { font-weight: 600; }
    .grid { stroke: #d0d7de; stroke-width: 1; }
    polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
    line { stroke-width: 2; }
    .offered { stroke: #57606a; stroke-dasharray: 4 4; } .flotilla { stroke: #0969da; } .flotilla-http { stroke: #1a7f37; } .node { stroke: #cf222e; } .fastify { stroke: #bf8700; }
    @media (prefers-color-scheme: dark) {
      text { fill: #d0d7de; } .grid { stroke: #30363d; }
      .offered { stroke: #8b949e; } .flotilla { stroke: #58a6ff; } .flotilla-http { stroke: #3fb950; } .node { stroke: #ff7b72; } .fastify { stroke: #d29922; }
    }
  </style>
  <text class="title" x="8" y="20">One core under three times the load that it can bear</text>
  <text x="8" y="42">Good answers within a second, as a share of what the server can do</text>
  <text x="8" y="${top.latency - 14}">99th percentile of good answers, logarithmic</text>
${[...marks, ...curves, ...legend, ...ticks].join('\n')}
</svg>
`;
}

function grid(y: number, label: string): string {
  return `  <line class="grid" x1="${panel.left}" x2="${width - panel.right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/><text x="${panel.left - 8}" y="${(y + 4).toFixed(1)}" text-anchor="end">${label}</text>`;
}

interface Point {
  readonly at: number;
  readonly value: number;
}

/** Parts of a curve between those seconds of which nothing can be said: nobody was answered. */
function unbroken(points: readonly Point[]): readonly (readonly Point[])[] {
  const parts: Point[][] = [[]];
  for (const point of points) {
    if (Number.isFinite(point.value)) parts.at(-1)?.push(point);
    else parts.push([]);
  }
  return parts.filter(({ length }) => length > 0);
}

/** Slices of a second each, so that a curve can be read. */
function seconds({ slices }: Run): readonly (readonly Slice[])[] {
  const groups: Slice[][] = [];
  const count = 1_000 / sliceMs;
  for (let index = 0; index + count <= slices.length; index += count) groups.push(slices.slice(index, index + count));
  return groups;
}
