import type { Dishes } from '../detail.ts';
import * as i from '../ingredients.ts';
import { at, disc, form, ink, moved, oval, slab, strewn, stroke } from '../pen.ts';
import { cup, glass } from '../vessels.ts';

export const drinks: Dishes = {
  'ginger-tea': ({ fine }) =>
    cup(
      '#3f7d7a',
      '#d99a35',
      disc(194, 144, 58, '#e6b04d'),
      at(
        [
          [178, 130, 20],
          [224, 168, -30],
        ],
        form('M-24 4c-4 -16 10 -26 24 -22s28 8 24 22 -16 16 -26 14 -20 -4 -22 -14z', '#f6e3ad') +
          stroke('M-14 2q14 -12 28 0M-10 8q10 -7 20 0', '#d9b975', 2),
      ),
      moved(222, 122, 0, i.lemonSlice),
      fine(moved(168, 176, 20, i.mint), moved(200, 84, 0, i.steam)),
    ),

  'apple-juice': ({ count, fine }) =>
    glass(
      '#e0aa45',
      96,
      oval(200, 97, 60, 8, '#efc46f'),
      i.beads(count(22), 200, 178, 52, 3, '#edc577', '#d59b33'),
      moved(
        272,
        232,
        0,
        disc(0, 0, 36, '#b8322c') +
          disc(-4, -4, 31, '#d2493b') +
          oval(-12, -14, 9, 6, '#f0a090', -30) +
          stroke('M0 -30q2 -14 10 -18', '#6b4423', 5),
      ),
      moved(286, 188, 60, fine(i.mint)),
    ),

  'sea-salt-soda': ({ count, fine }) =>
    glass(
      '#cfe6df',
      88,
      at(
        [
          [176, 118, -10],
          [222, 134, 18],
          [190, 168, 30],
        ],
        i.iceCube,
      ),
      moved(216, 190, 0, i.limeSlice),
      moved(172, 222, 0, i.limeSlice),
      i.beads(count(22), 200, 172, 54, 3.4, '#fff'),
      at(
        Array.from({ length: count(17) }, (_, n) => [140 + n * 7.5, 45 + (n % 2) * 3, n * 30] as const),
        slab(0, 0, 8, 8, '#fffdf7', 2),
      ),
      moved(262, 52, 20, i.limeSlice),
      fine(stroke('M214 20l-16 200', '#2f5d62', 7)),
    ),

  'flat-white': ({ fine }) =>
    cup(
      '#fffaf0',
      ink.coffee,
      disc(200, 150, 70, '#a86f43'),
      form('M200 208c-60 -36 -54 -92 -26 -92 14 0 22 10 26 22 4 -12 12 -22 26 -22 28 0 34 56 -26 92z', ink.milk),
      form('M200 188c-34 -24 -30 -54 -16 -54 8 0 12 6 16 16 4 -10 8 -16 16 -16 14 0 18 30 -16 54z', '#b98156'),
      form('M200 172c-14 -12 -12 -24 -6 -24 3 0 5 3 6 7 1 -4 3 -7 6 -7 6 0 8 12 -6 24z', ink.milk),
      fine(
        moved(92, 222, 30, oval(0, 0, 13, 9, '#5a3420') + stroke('M-9 0q9 -5 18 0', '#8a5a37', 2)),
        moved(116, 238, 80, oval(0, 0, 13, 9, '#5a3420') + stroke('M-9 0q9 -5 18 0', '#8a5a37', 2)),
      ),
    ),

  'elderflower-fizz': ({ count, fine }) =>
    glass(
      '#eef0bd',
      92,
      moved(180, 160, 0, i.lemonSlice),
      at([[222, 128, 12]], i.iceCube),
      at([[176, 118, -14]], i.iceCube),
      i.beads(count(30), 200, 176, 56, 3, '#fffef0'),
      moved(216, 210, 20, i.mintSprig),
      moved(228, 48, 20, i.mintSprig),
      strewn(
        count(15),
        176,
        50,
        36,
        (x, y) =>
          at(
            [
              [x, y, 0],
              [x, y, 72],
              [x, y, 144],
              [x, y, 216],
              [x, y, 288],
            ],
            oval(0, -5, 3.2, 4.6, '#fffdf0'),
          ) + disc(x, y, 2.4, '#e3c34a'),
      ),
      fine(stroke('M186 86L176 56M176 86L196 52', ink.herb, 2.4)),
    ),

  'hot-chocolate': ({ count, fine }) =>
    cup(
      '#b5432f',
      '#4a2a1d',
      disc(196, 146, 66, '#5f3725'),
      form('M160 148c-4 -30 30 -44 50 -30 30 -6 48 30 28 50 -4 28 -48 32 -58 12 -18 0 -24 -16 -20 -32z', '#fff8ea'),
      stroke('M176 150c4 -22 34 -28 46 -10 12 20 -8 38 -26 30 -12 -6 -8 -22 4 -22', '#e9d8bd', 5),
      strewn(count(18), 202, 148, 40, (x, y, turn) => slab(x, y, 9, 3, '#4a2a1d', 1.4, turn)),
      fine(
        moved(200, 84, 0, i.steam),
        moved(300, 214, -30, slab(0, 0, 46, 30, '#4a2a1d', 4) + stroke('M-8 -14v28M8 -14v28M-22 0h44', '#6b4230', 2)),
      ),
    ),
};
