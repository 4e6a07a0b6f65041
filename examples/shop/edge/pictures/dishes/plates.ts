import type { Dishes } from '../detail.ts';
import * as i from '../ingredients.ts';
import { at, disc, form, ink, moved, oval, slab, strewn, stroke } from '../pen.ts';
import { board, pan, plate } from '../vessels.ts';

export const plates: Dishes = {
  'grilled-mackerel': ({ count, fine }) =>
    plate(
      moved(
        196,
        146,
        -14,
        form('M-120 0c22 -42 96 -48 160 -12l40 -26q-8 38 0 74l-40 -26c-64 36 -138 30 -160 -10z', ink.steel) +
          form('M-116 6c26 26 90 30 148 4l8 4c-60 32 -132 26 -156 -8z', '#e4eaea') +
          [-70, -46, -22, 2, 26]
            .map((x) => stroke(`M${x} -${26 - Math.abs(x + 20) / 6}q8 14 -2 26`, '#31424d', 6))
            .join('') +
          disc(-96, -6, 6, ink.white) +
          disc(-96, -6, 3, ink.seed) +
          stroke('M-78 -20q8 18 0 34', '#5b717d', 3),
      ),
      at(
        [
          [236, 214, 0],
          [206, 226, 0],
        ],
        i.lemonSlice,
      ),
      strewn(count(14), 140, 212, 30, (x, y, turn) =>
        stroke(`M${x} ${y}q8 -8 16 -2`, turn > 0 ? '#d3e3a6' : '#b4cf83', 4),
      ),
      fine(
        at(
          [
            [128, 200, 0],
            [158, 218, 50],
            [132, 222, -40],
            [276, 196, 20],
          ],
          i.parsley,
        ),
      ),
    ),

  'halloumi-skewers': ({ fine }) =>
    plate(
      at(
        [
          [200, 112, -8],
          [200, 162, -8],
        ],
        stroke('M-136 0H136', '#8a5a34', 5) +
          [-96, -58, -20, 18, 56, 94]
            .map(
              (x, index) =>
                [
                  slab(x, 0, 34, 36, '#f6dda0', 6) + stroke(`M${x - 10} -14l20 28M${x + 2} -16l12 18`, '#a86a2f', 4),
                  disc(x, 0, 18, ink.leaf) + disc(x, 0, 14, '#dcebb4') + disc(x, 0, 5, '#b5cf83'),
                  slab(x, 0, 32, 34, ink.tomato, 9) + stroke(`M${x - 8} -10v14`, '#f2857a', 4),
                ][index % 3],
            )
            .join(''),
      ),
      oval(256, 214, 40, 24, ink.rim),
      oval(256, 212, 34, 19, '#fffdf3'),
      moved(258, 218, 0, i.mintSprig),
      fine(moved(136, 212, 0, i.lemonSlice)),
    ),

  'lemon-chicken': ({ count, fine }) =>
    plate(
      form('M112 150c-8 -50 52 -84 104 -64 44 18 56 62 24 96 -20 22 -60 30 -88 18 -24 -8 -36 -26 -40 -50z', '#b9722d'),
      form('M122 146c-4 -40 46 -68 90 -52 36 14 46 50 18 78 -28 -10 -60 -6 -86 8 -12 -8 -20 -18 -22 -34z', '#d8933f'),
      moved(
        246,
        190,
        40,
        form('M-18 -16c22 -10 44 -4 52 10l30 2a9 9 0 1 1 0 14l-32 2c-20 14 -50 4 -50 -28z', '#c98235') +
          disc(68, 0, 8, ink.white),
      ),
      [0, 1, 2]
        .map((row) => stroke(`M${144 + row * 26} ${112 + row * 6}q14 22 8 46`, '#8a4f1f', 5, { opacity: '.7' }))
        .join(''),
      at(
        [
          [150, 214],
          [182, 226],
          [124, 192],
        ],
        disc(0, 0, 17, '#c9a050') + disc(-2, -2, 13, '#e9cc86'),
      ),
      at(
        [
          [262, 120, 0],
          [238, 98, 0],
        ],
        i.lemonSlice,
      ),
      i.grains(count(16), 188, 138, 50, ink.herb, 4, 1.6),
      fine(moved(172, 106, 60, i.rosemary)),
    ),

  'prawn-pan': ({ count, fine }) =>
    pan(
      disc(190, 150, 92, '#7d3f1c'),
      disc(184, 144, 78, '#a85e28'),
      at(
        [
          [148, 112, 0],
          [226, 108, 60],
          [254, 156, 110],
          [226, 204, 180],
          [164, 210, 230],
          [126, 164, 300],
          [180, 152, 30],
          [216, 156, 200],
        ],
        i.prawn,
      ),
      i.beads(count(14), 190, 150, 78, 4, '#f6e7c0', '#f0d79c'),
      at(
        [
          [186, 112],
          [252, 192],
          [138, 196],
        ],
        i.chilli,
      ),
      fine(
        at(
          [
            [200, 178, 0],
            [160, 136, 50],
            [240, 132, -40],
            [200, 84, 20],
          ],
          i.parsley,
        ),
      ),
    ),

  'cauliflower-steak': ({ count, fine }) =>
    plate(
      form('M100 176c20 -40 180 -54 208 -10 8 40 -60 66 -120 58 -48 -6 -98 -20 -88 -48z', '#c8472c'),
      form('M186 216l-8 -54h46l-8 54q-16 10 -30 0z', '#efe3bd'),
      at(
        [
          [146, 142],
          [162, 108],
          [200, 94],
          [238, 108],
          [256, 140],
          [226, 142],
          [178, 142],
          [202, 126],
        ],
        disc(0, 0, 30, '#f3e8c8'),
      ),
      at(
        [
          [148, 138],
          [168, 106],
          [202, 94],
          [236, 108],
          [252, 138],
        ],
        stroke('M-16 8q4 -22 26 -20', '#b9803c', 6),
      ),
      at(
        [
          [176, 128],
          [226, 130],
          [202, 114],
        ],
        stroke('M-10 6q4 -14 18 -12', '#cda05c', 5),
      ),
      at(
        [
          [126, 200, 30],
          [152, 216, 80],
          [272, 190, -40],
          [250, 212, 20],
        ],
        i.almond,
      ),
      i.beads(count(14), 200, 130, 60, 2, ink.herb),
      fine(
        at(
          [
            [290, 168, 0],
            [116, 176, 40],
          ],
          i.parsley,
        ),
      ),
    ),

  'harbour-burger': ({ count, fine }) =>
    board(
      form('M116 226q0 22 24 22h120q24 0 24 -22z', '#d29045'),
      slab(200, 216, 184, 26, '#6b3a20', 13),
      form('M104 202q16 14 32 2t32 2 32 -2 32 2 32 -2 32 -4q6 -14 -8 -16h-176q-14 2 -8 18z', '#7fae45'),
      form('M110 186h180l-26 22 -20 -14 -60 4z', '#f3b73c'),
      slab(200, 176, 178, 16, ink.tomato, 8),
      at(
        [
          [136, 166, 0],
          [176, 164, 0],
          [222, 166, 0],
          [258, 164, 0],
        ],
        slab(0, 0, 34, 9, '#9c6bb0', 4),
      ),
      form('M110 160c-2 -64 50 -98 92 -98s92 34 90 98q-90 12 -182 0z', '#dc9c4e'),
      form('M124 140c4 -44 44 -66 80 -66 -36 12 -62 36 -66 72z', '#eab673'),
      strewn(count(24), 204, 112, 54, (x, y, turn) => oval(x, y - 6, 5, 2.8, '#fbeccb', turn)),
      fine(moved(312, 232, 20, i.chilli)),
    ),
};
