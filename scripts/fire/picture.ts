import type { ScenarioResult } from './scenario.ts';

const left = 60;
const width = 720;
const panelHeight = 132;
const plotTop = 44;
const plotHeight = 64;

/**
 * The results as one SVG: a panel for each scenario, one point a second. Grey: the slowest hundredth; black: the middle;
 * red, from above: failed requests; dashed lines: what was done to the fleet.
 */
export function drawResults(results: readonly ScenarioResult[], caption: string): string {
  const height = panelHeight * results.length + 30;
  const panels = results.map(
    (result, index) => `<g transform="translate(0 ${index * panelHeight})">${panel(result)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 20} ${height}" font-family="sans-serif" font-size="10">
<title>Latency and failed requests per second, scenario by scenario</title>
<rect width="100%" height="100%" fill="#fff"/>
${panels.join('\n')}
<text x="${left}" y="${height - 10}" fill="#666">${xml(caption)}</text>
</svg>
`;
}

function panel({ scenario, load, marks }: ScenarioResult): string {
  const { seconds } = load;
  const topMs = Math.max(10, ...seconds.map(({ latency }) => latency.quantileMs(0.99)));
  const mostFailed = Math.max(...seconds.map(({ failed }) => failed));
  const x = (second: number): number => left + (second * width) / Math.max(1, seconds.length);
  // A quarter of the height is a tenth of the top: both the usual and the worst can be seen.
  const y = (ms: number): number => plotTop + plotHeight * (1 - Math.sqrt(ms / topMs));
  const line = (fraction: number, colour: string): string => {
    const points = seconds.map(({ latency }, at) => `${n(x(at + 0.5))},${n(y(latency.quantileMs(fraction)))}`);
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.2"/>`;
  };
  const bars = seconds.map(({ failed }, at) => {
    if (failed === 0) return '';
    const high = Math.max(3, (plotHeight * failed) / mostFailed);
    return `<rect x="${n(x(at))}" y="${plotTop}" width="${n(width / seconds.length - 0.5)}" height="${n(high)}" fill="#d33" opacity="0.7"><title>${failed} failed</title></rect>`;
  });
  const signs = marks.map(({ atMs, what }, index) => {
    const at = n(x(atMs / 1_000));
    const labelY = plotTop - 4 - (index % 2) * 11;
    return `<line x1="${at}" x2="${at}" y1="${labelY + 2}" y2="${plotTop + plotHeight}" stroke="#36c" stroke-dasharray="2 2"/><text x="${at}" y="${labelY}" fill="#36c" font-size="8">${xml(what)}</text>`;
  });
  const failed = seconds.reduce((sum, second) => sum + second.failed, 0);
  return `<text x="4" y="14" font-size="12" font-weight="bold">${xml(scenario.title)}: ${load.sent} requests, ${failed} failed</text>
<rect x="${left}" y="${plotTop}" width="${width}" height="${plotHeight}" fill="none" stroke="#ccc"/>
<text x="${left - 4}" y="${plotTop + 8}" text-anchor="end" fill="#666">${topMs.toFixed(0)} ms</text>
<text x="${left - 4}" y="${plotTop + plotHeight}" text-anchor="end" fill="#666">0</text>
<text x="${left + width}" y="${plotTop + plotHeight + 12}" text-anchor="end" fill="#666">${seconds.length} s</text>
${bars.join('')}${line(0.99, '#999')}${line(0.5, '#000')}${signs.join('')}`;
}

function n(value: number): string {
  return value.toFixed(1);
}

function xml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
