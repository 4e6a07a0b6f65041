/** A piece of an SVG document. */
export type Svg = string;

/** Colours of the kitchen: one palette for all pictures, so that they hang together. */
export const ink = Object.freeze({
  night: '#12343b',
  cream: '#f7efe2',
  white: '#fffaf1',
  china: '#fbf4e6',
  rim: '#e6d7bd',
  wood: '#c98f5a',
  darkWood: '#a56c3d',
  iron: '#3a3f44',
  crust: '#b9753a',
  bread: '#e9bf83',
  butter: '#f6dd8f',
  leaf: '#4f8a4c',
  herb: '#2f6b3d',
  lime: '#a8c957',
  tomato: '#d9432f',
  carrot: '#ea8a34',
  saffron: '#eda52c',
  lemon: '#f4cf45',
  beet: '#a3305a',
  berry: '#c2304f',
  plum: '#6a2f55',
  cocoa: '#4a2a1d',
  coffee: '#8a5a37',
  milk: '#fff6e4',
  salmon: '#f08a68',
  sea: '#4f8fa0',
  steel: '#7f97a3',
  seed: '#2b2622',
});

type Attributes = Readonly<Record<string, string | number>>;

export function shape(name: string, attributes: Attributes, ...children: readonly Svg[]): Svg {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? short(value) : value}"`,
  );
  return children.length === 0
    ? `<${name}${written.join('')}/>`
    : `<${name}${written.join('')}>${children.join('')}</${name}>`;
}

export function disc(x: number, y: number, r: number, fill: string, more: Attributes = {}): Svg {
  return shape('circle', { cx: x, cy: y, r, fill, ...more });
}

export function oval(x: number, y: number, rx: number, ry: number, fill: string, turn = 0, more: Attributes = {}): Svg {
  return shape('ellipse', { cx: x, cy: y, rx, ry, fill, ...turned(turn, x, y), ...more });
}

/** A rectangle about its middle. */
export function slab(x: number, y: number, width: number, height: number, fill: string, round = 0, turn = 0): Svg {
  const place = { x: x - width / 2, y: y - height / 2, width, height, rx: round };
  return shape('rect', { ...place, fill, ...turned(turn, x, y) });
}

/** A filled outline. */
export function form(d: string, fill: string, more: Attributes = {}): Svg {
  return shape('path', { d, fill, ...more });
}

/** A line. */
export function stroke(d: string, colour: string, width: number, more: Attributes = {}): Svg {
  return shape('path', { d, fill: 'none', stroke: colour, 'stroke-width': width, 'stroke-linecap': 'round', ...more });
}

export function moved(x: number, y: number, turn: number, ...children: readonly Svg[]): Svg {
  return shape('g', { transform: `translate(${short(x)} ${short(y)}) rotate(${short(turn)})` }, ...children);
}

/** Drawn again at these places, each turned by its own angle. */
export function at(places: readonly (readonly [x: number, y: number, turn?: number])[], one: Svg): Svg {
  return places.map(([x, y, turn = 0]) => moved(x, y, turn, one)).join('');
}

/** `count` things strewn within a circle, the same way each time. */
export function strewn(
  count: number,
  x: number,
  y: number,
  r: number,
  one: (x: number, y: number, turn: number) => Svg,
): Svg {
  const drawn: Svg[] = [];
  for (let index = 0; index < count; index++) {
    // Vogel's spiral: evenly over the disc, without rows, and without chance.
    const distance = r * Math.sqrt((index + 0.5) / count);
    const angle = index * 2.399963 + x;
    drawn.push(one(x + distance * Math.cos(angle), y + distance * Math.sin(angle), ((index * 137) % 360) - 180));
  }
  return drawn.join('');
}

/** A soft shadow under what stands on the table. */
export function shadow(x: number, y: number, rx: number, ry: number = rx): Svg {
  return oval(x + 7, y + 11, rx, ry, ink.night, 0, { opacity: '.16' });
}

function turned(turn: number, x: number, y: number): Attributes {
  return turn === 0 ? {} : { transform: `rotate(${short(turn)} ${short(x)} ${short(y)})` };
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}
