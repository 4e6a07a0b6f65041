/** Pieces of pictures, readable on light and on dark pages. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export function svg(label: string, width: number, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .small { font-size: 11px; fill: #57606a; }
    .strong { font-weight: 600; }
    .box { fill: #f6f8fa; stroke: #8c959f; }
    .own { fill: #ddf4ff; stroke: #0969da; }
    .bad { fill: #ffebe9; stroke: #cf222e; }
    .line, .arrow { stroke: #57606a; fill: none; stroke-width: 1.5; }
    .head { fill: #57606a; }
    .grid { stroke: #d0d7de; }
    .a { stroke: #0969da; } .b { stroke: #cf222e; } .c { stroke: #bf8700; } .d { stroke: #8250df; }
    .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
    @media (prefers-color-scheme: dark) {
      text { fill: #d0d7de; } .small { fill: #8b949e; }
      .box { fill: #161b22; stroke: #6e7681; } .own { fill: #0c2d6b; stroke: #58a6ff; } .bad { fill: #67060c; stroke: #ff7b72; }
      .line, .arrow { stroke: #8b949e; } .head { fill: #8b949e; } .grid { stroke: #30363d; }
      .a { stroke: #58a6ff; } .b { stroke: #ff7b72; } .c { stroke: #d29922; } .d { stroke: #bc8cff; }
    }
  </style>
  <defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
${parts.join('\n')}
</svg>
`;
}

export function text(x: number, y: number, words: string, options: { kind?: string; anchor?: string } = {}): string {
  const { kind, anchor } = options;
  return `  <text x="${round(x)}" y="${round(y)}"${kind ? ` class="${kind}"` : ''}${anchor ? ` text-anchor="${anchor}"` : ''}>${escaped(words)}</text>`;
}

/** A box with lines of words in its middle. */
export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  lines: readonly string[],
  kind = 'box',
): string {
  const first = y + height / 2 - (lines.length - 1) * 8 + 4;
  return [
    `  <rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`,
    ...lines.map((line, index) =>
      text(x + width / 2, first + index * 16, line, { kind: index === 0 ? 'strong' : 'small', anchor: 'middle' }),
    ),
  ].join('\n');
}

export function arrow(path: string): string {
  return `  <path class="arrow" marker-end="url(#head)" d="${path}"/>`;
}

/** Axes with their marks, and how values become places. */
export class Chart {
  readonly parts: string[] = [];
  readonly #area: { x: number; y: number; width: number; height: number };
  readonly #most: Point;

  constructor(
    area: { x: number; y: number; width: number; height: number },
    most: Point,
    marks: { x: readonly (readonly [number, string])[]; y: readonly (readonly [number, string])[] },
  ) {
    this.#area = area;
    this.#most = most;
    for (const [value, words] of marks.y) {
      const { y } = this.place({ x: 0, y: value });
      this.parts.push(
        `  <line class="grid" x1="${area.x}" x2="${area.x + area.width}" y1="${round(y)}" y2="${round(y)}"/>`,
        text(area.x - 8, y + 4, words, { kind: 'small', anchor: 'end' }),
      );
    }
    for (const [value, words] of marks.x) {
      const { x } = this.place({ x: value, y: 0 });
      this.parts.push(text(x, area.y + area.height + 18, words, { kind: 'small', anchor: 'middle' }));
    }
  }

  place({ x, y }: Point): Point {
    const { x: left, y: top, width, height } = this.#area;
    return {
      x: left + (Math.min(x, this.#most.x) / this.#most.x) * width,
      y: top + height - (Math.min(y, this.#most.y) / this.#most.y) * height,
    };
  }

  curve(kind: string, points: readonly Point[], words?: string): void {
    const places = points.map((point) => this.place(point));
    this.parts.push(
      `  <polyline class="curve ${kind}" points="${places.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ')}"/>`,
    );
    const last = places.at(-1);
    if (words && last) this.parts.push(text(last.x + 8, last.y + 4, words));
  }
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(words: string): string {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}
