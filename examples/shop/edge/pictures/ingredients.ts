import { at, disc, form, ink, moved, oval, type Svg, shape, slab, strewn, stroke } from './pen.ts';

// Each is drawn about the origin unless it takes a place; light comes from the upper left.

export const egg: Svg =
  form('M-34 4c-6 -22 10 -40 34 -38s44 12 42 36 -20 36 -42 34 -30 -14 -34 -32z', '#fffef9', {
    stroke: '#e2d2ae',
    'stroke-width': 3,
  }) +
  disc(4, -2, 17, ink.saffron) +
  disc(-1, -8, 5, '#fbd27a');

export const cucumber: Svg =
  disc(0, 0, 17, ink.leaf) +
  disc(0, 0, 14, '#dcebb4') +
  at(
    [0, 60, 120, 180, 240, 300].map((turn) => [0, 0, turn] as const),
    oval(0, -6, 1.6, 3.4, '#b5cf83'),
  );

export const radish: Svg = disc(0, 0, 14, ink.berry) + disc(0, 0, 11.5, '#fff3f2');

export const carrotCoin: Svg = disc(0, 0, 14, '#d8742a') + disc(0, 0, 12, ink.carrot) + disc(0, 0, 5, '#f3a558');

export const cherryTomato: Svg =
  disc(0, 0, 17, '#b93324') +
  disc(0, 0, 15, ink.tomato) +
  oval(-5, -6, 5, 3, '#f3998a', -35) +
  at(
    [
      [0, 0, 0],
      [0, 0, 120],
      [0, 0, 240],
    ],
    oval(0, -7, 3.6, 5, '#f2b36b'),
  );

export const lemonSlice: Svg =
  disc(0, 0, 22, ink.lemon) +
  disc(0, 0, 19, '#fdf3c3') +
  at(
    [0, 45, 90, 135, 180, 225, 270, 315].map((turn) => [0, 0, turn] as const),
    form('M0 -2l-5 -13q5 -5 10 0z', '#f7da5e'),
  );

export const limeSlice: Svg = lemonSlice
  .replaceAll(ink.lemon, '#7fae45')
  .replaceAll('#fdf3c3', '#eff6cf')
  .replaceAll('#f7da5e', ink.lime);

export const orangeSlice: Svg = lemonSlice
  .replaceAll(ink.lemon, ink.carrot)
  .replaceAll('#fdf3c3', '#fde6c2')
  .replaceAll('#f7da5e', '#f2a548');

export const avocado: Svg =
  form('M-8 -44c18 6 26 28 22 48 -3 16 -14 30 -22 34 -2 -26 -2 -56 0 -82z', '#5f8f3f') +
  form('M-6 -38c14 6 20 26 16 43 -3 13 -11 24 -16 28z', '#cfdf8d');

export const mint: Svg =
  form('M0 0c-14 -4 -16 -22 0 -30 16 8 14 26 0 30z', ink.leaf) + stroke('M0 -2v-22', '#8fbf7f', 1.6);

export const mintSprig: Svg = at(
  [
    [0, 0, 0],
    [0, 0, 70],
    [0, 0, -70],
  ],
  mint,
);

export const parsley: Svg =
  at(
    [
      [0, 0, 0],
      [0, 0, 60],
      [0, 0, -60],
    ],
    oval(0, -8, 5, 7, ink.leaf),
  ) + disc(0, 0, 3.4, ink.herb);

export const dill: Svg = stroke(
  'M0 22V-20M0 12l-10 -9M0 12l10 -9M0 2l-9 -8M0 2l9 -8M0 -8l-7 -7M0 -8l7 -7',
  ink.herb,
  2.4,
);

export const rosemary: Svg = stroke(
  'M0 24V-24M0 16l-9 -7M0 16l9 -7M0 7l-9 -7M0 7l9 -7M0 -2l-8 -7M0 -2l8 -7M0 -11l-7 -6M0 -11l7 -6',
  '#3f6b4a',
  3,
);

export const chilli: Svg = disc(0, 0, 7, ink.tomato) + disc(0, 0, 4.4, '#ffe3c9') + disc(0, 0, 1.6, '#e8b25a');

export const springOnion: Svg = disc(0, 0, 8, ink.leaf) + disc(0, 0, 5.4, '#d9ecb8') + disc(0, 0, 2.6, '#8fbf6a');

export const mushroom: Svg =
  disc(0, 0, 22, '#8a5f3f') +
  disc(0, 0, 19, '#a5764f') +
  at(
    [
      [0, 0, 0],
      [0, 0, 60],
      [0, 0, 120],
    ],
    stroke('M0 -14V14', '#f1dcbc', 4),
  );

export const tofu: Svg = slab(0, 0, 28, 28, '#e9dcc0', 5) + slab(-2, -2, 26, 26, '#fffaf0', 4);

export const feta: Svg = form('M-11 -8l16 -4 8 13 -14 9 -12 -5z', '#fffdf4') + stroke('M-9 6l10 4 13 -9', ink.rim, 2);

export const mussel: Svg =
  form('M-30 6c0 -22 26 -30 48 -22 14 5 16 20 2 28 -18 9 -48 10 -50 -6z', '#26323d') +
  form('M-20 5c2 -14 20 -20 36 -14 9 4 9 12 0 16 -14 6 -34 6 -36 -2z', '#e9a45f') +
  stroke('M-24 0c6 -14 22 -20 40 -15', '#5b7283', 2);

export const prawn: Svg =
  stroke('M-22 12c-8 -26 16 -44 36 -30 10 8 10 22 0 30', '#f2906b', 17) +
  stroke('M-22 12c-8 -26 16 -44 36 -30 10 8 10 22 0 30', '#ffd3bd', 3, { 'stroke-dasharray': '2 9' }) +
  form('M12 8l14 12 -18 3z', '#d9623c');

export const salmon: Svg =
  form('M-38 -16q38 -16 76 0l-4 30q-34 12 -68 0z', ink.salmon) +
  stroke('M-30 -14q8 14 2 26M-12 -18q8 16 3 31M8 -19q7 16 2 32M26 -16q5 14 0 26', '#ffd2c0', 3);

export const spinach: Svg =
  form('M0 18c-20 -4 -22 -30 0 -40 22 10 20 36 0 40z', ink.herb) + stroke('M0 16v-30M0 4l-8 -7M0 4l8 -7', '#6fa56a', 2);

export const crouton: Svg = slab(0, 0, 20, 20, ink.crust, 5) + slab(-1, -1, 15, 15, ink.bread, 4);

export const almond: Svg =
  form('M0 -13c10 4 11 20 0 26 -11 -6 -10 -22 0 -26z', '#b06f3c') + stroke('M-2 -7v13M3 -6v11', '#d99b63', 1.6);

export const raspberry: Svg =
  disc(0, 0, 13, ink.berry) + strewn(9, 0, 0, 10, (x, y) => disc(x, y, 3.6, '#dd5570')) + disc(0, 0, 3, '#7d1a34');

export const iceCube: Svg =
  slab(0, 0, 40, 40, '#fff', 8).replace('/>', ' opacity=".55"/>') + stroke('M-12 -12h14', '#fff', 4, { opacity: '.9' });

export const steam: Svg = stroke(
  'M-26 0c-10 -12 10 -18 0 -32M0 -4c-10 -12 10 -20 0 -36M26 0c-10 -12 10 -18 0 -32',
  '#fff',
  6,
  { opacity: '.6' },
);

/** Grains, lentils, seeds: many small ones. */
export function grains(count: number, x: number, y: number, r: number, fill: string, long = 4.6, wide = 2.2): Svg {
  return strewn(count, x, y, r, (gx, gy, turn) => oval(gx, gy, long, wide, fill, turn));
}

export function beads(count: number, x: number, y: number, r: number, size: number, ...fills: readonly string[]): Svg {
  let index = 0;
  return strewn(count, x, y, r, (bx, by) => disc(bx, by, size, fills[index++ % fills.length] ?? ink.seed));
}

/** A swirl of cream or oil on a soup. */
export function swirl(colour: string, width: number): Svg {
  return stroke(
    'M138 162c6 -44 74 -66 108 -32 26 28 -6 72 -46 62 -30 -8 -32 -46 0 -52 20 -2 30 20 14 30',
    colour,
    width,
  );
}

/** A wedge of a round cake from the side: its layers from the bottom up, and what is on top. */
export function cakeSlice(
  layers: readonly (readonly [fill: string, height: number])[],
  top: string,
  ...garnish: readonly Svg[]
): Svg {
  let y = 226;
  const side = layers.map(([fill, height]) => {
    y -= height;
    return form(`M92 ${y}L292 ${y - 8}V${y - 8 + height}L92 ${y + height}z`, fill);
  });
  return [
    ...side,
    form(`M92 ${y}L254 ${y - 70}Q306 ${y - 54} 292 ${y - 8}z`, top),
    moved(0, y - 110, 0, ...garnish),
  ].join('');
}

export function clip(): Svg {
  return shape('defs', {}, shape('clipPath', { id: 'bowl' }, disc(200, 150, 99, '#fff')));
}
