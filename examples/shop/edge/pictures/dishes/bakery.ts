import type { Dishes } from '../detail.ts';
import * as i from '../ingredients.ts';
import { at, disc, form, ink, moved, oval, shadow, slab, strewn, stroke } from '../pen.ts';
import { board, plate } from '../vessels.ts';

export const bakery: Dishes = {
  'sourdough-loaf': ({ count }) =>
    board(
      shadow(200, 150, 116, 76),
      oval(200, 148, 118, 76, '#a9652d'),
      oval(196, 142, 110, 68, '#c78342'),
      stroke('M108 150c40 -46 140 -56 186 -8', '#f0d3a0', 15),
      stroke('M108 150c40 -46 140 -56 186 -8', '#8f5122', 3),
      at(
        [
          [140, 172, -30],
          [176, 184, -20],
          [216, 186, 0],
          [252, 174, 20],
        ],
        stroke('M-14 0q14 -10 28 0', '#f0d3a0', 6),
      ),
      i.beads(count(70), 198, 142, 96, 2, '#fbeed2', '#f3e0b8'),
    ),

  'cheese-toast': ({ fine }) =>
    board(
      moved(
        200,
        150,
        -8,
        form('M-104 34L0 -70l104 104q4 14 -12 14h-184q-16 0 -12 -14z', '#b06e33') +
          form('M-88 30L0 -56l88 86z', '#e6b671') +
          form('M-108 40h216v14q-12 26 -24 4t-24 10 -26 0 -24 8 -24 -8 -26 6 -22 -10 -46 -10z', '#f5c33f') +
          slab(0, 68, 206, 20, '#c98a45', 8) +
          [-44, -12, 20].map((x) => stroke(`M${x} ${10 - Math.abs(x) / 4}l22 -22`, '#a86428', 6)).join(''),
      ),
      fine(
        at(
          [
            [300, 96, 20],
            [112, 90, -30],
          ],
          i.parsley,
        ),
      ),
    ),

  focaccia: ({ count, fine }) =>
    board(
      shadow(200, 148, 118, 72),
      slab(200, 146, 232, 142, '#c5833b', 30),
      slab(198, 142, 222, 132, '#e7b661', 26),
      strewn(
        15,
        198,
        142,
        84,
        (x, y) =>
          oval(x * 1.25 - 50, y * 0.72 + 40, 10, 7, '#c9923f') + oval(x * 1.25 - 48, y * 0.72 + 42, 7, 4.4, '#f3d58e'),
      ),
      at(
        [
          [140, 116, 70],
          [208, 108, 40],
          [258, 152, 110],
          [168, 172, 20],
          [226, 186, 80],
        ],
        i.rosemary,
      ),
      strewn(count(24), 198, 142, 80, (x, y, turn) => slab(x * 1.2 - 40, y * 0.7 + 42, 5, 5, '#fffdf5', 1, turn)),
      fine(stroke('M200 78v134M90 144h222', '#b9762f', 2, { opacity: '.6' })),
    ),

  'mushroom-tart': ({ count, fine }) =>
    plate(
      at(
        Array.from({ length: 22 }, (_, n) => [200, 150, n * (360 / 22)] as const),
        oval(0, -92, 15, 11, '#c98a43'),
      ),
      disc(200, 150, 92, '#dfa65b'),
      disc(200, 150, 76, '#f5e3b5'),
      at(
        [
          [164, 116, 0],
          [232, 112, 40],
          [252, 160, 80],
          [206, 152, 20],
          [156, 168, 60],
          [206, 200, 10],
        ],
        i.mushroom,
      ),
      at(
        [
          [196, 108],
          [258, 130],
          [168, 198],
        ],
        disc(0, 0, 13, '#fffdf5'),
      ),
      i.grains(count(22), 200, 150, 66, ink.herb, 4.4, 1.7),
      fine(moved(228, 186, 50, i.rosemary)),
    ),

  pretzel: ({ count, fine }) => {
    const knot =
      'M200 246c-70 0 -116 -58 -92 -112 16 -36 62 -40 82 -2l58 96M200 246c70 0 116 -58 92 -112 -16 -36 -62 -40 -82 -2l-58 96';
    return board(
      stroke(knot, ink.night, 30, { opacity: '.16', transform: 'translate(5 -14)' }),
      moved(
        0,
        -24,
        0,
        stroke(knot, '#8f4d20', 32),
        stroke(knot, '#b9692d', 24),
        stroke(knot, '#dd9a55', 5, { opacity: '.8', transform: 'translate(-4 -5)' }),
      ),
      stroke('M152 218q48 14 96 0', '#f2d9a6', 12),
      fine(
        strewn(count(30), 200, 150, 92, (x, y, turn) =>
          y > 176 || (x - 200) ** 2 > 5_200 ? slab(x, y, 6, 6, '#fffdf5', 1.4, turn) : '',
        ),
      ),
    );
  },

  'cinnamon-knot': ({ count, fine }) =>
    plate(
      disc(200, 150, 86, '#b87635'),
      disc(197, 146, 80, '#dba35a'),
      stroke(
        'M200 150c0 -18 28 -16 28 6 0 30 -52 32 -58 -4 -4 -40 52 -60 84 -28 34 38 0 96 -54 92 -60 -6 -88 -66 -60 -112',
        '#7d3f1c',
        9,
      ),
      stroke(
        'M200 150c0 -18 28 -16 28 6 0 30 -52 32 -58 -4 -4 -40 52 -60 84 -28 34 38 0 96 -54 92 -60 -6 -88 -66 -60 -112',
        '#a9602c',
        3,
        { transform: 'translate(-3 -4)' },
      ),
      stroke('M136 108q20 -30 54 -36', '#f6d59b', 7, { opacity: '.9' }),
      i.beads(count(26), 200, 146, 74, 3, '#fffaf0', '#f7e7c6'),
      fine(at([[292, 210, 30]], slab(0, 0, 14, 74, '#8a4f27', 7) + stroke('M0 -34V34', '#b87a4a', 3))),
    ),
};
