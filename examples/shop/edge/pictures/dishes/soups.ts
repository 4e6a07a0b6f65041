import type { Dishes } from '../detail.ts';
import * as i from '../ingredients.ts';
import { at, disc, form, ink, moved, oval, slab, strewn, stroke } from '../pen.ts';
import { bowl } from '../vessels.ts';

export const soups: Dishes = {
  'tomato-soup': ({ count, fine }) =>
    bowl(
      '#f0e2c8',
      '#cf3f2a',
      disc(200, 150, 99, '#d94c33'),
      disc(192, 140, 78, '#e05a3e'),
      i.swirl('#3f7d45', 5),
      i.beads(count(16), 214, 170, 62, 3.4, '#3f7d45', '#e9c34d'),
      at(
        [
          [152, 196],
          [178, 212],
          [166, 174],
        ],
        i.crouton,
      ),
      fine(moved(232, 118, 20, i.mintSprig), moved(200, 92, 0, i.steam)),
    ),

  'leek-soup': ({ count, fine }) =>
    bowl(
      '#5f7f4f',
      '#e9e2b2',
      disc(194, 142, 80, '#f1ecc6'),
      i.swirl('#fffdf3', 9),
      at(
        [
          [150, 120],
          [258, 176],
          [232, 206],
          [160, 194],
          [236, 100],
          [276, 140],
        ],
        i.springOnion,
      ),
      strewn(count(26), 200, 150, 80, (x, y, turn) => slab(x, y, 13, 3, ink.herb, 1.5, turn)),
      i.beads(count(20), 200, 150, 60, 1.8, '#8a6a3a'),
      fine(moved(200, 92, 0, i.steam)),
    ),

  'fish-soup': ({ count, fine }) =>
    bowl(
      '#274b66',
      '#dd8a3a',
      disc(194, 142, 82, '#e59a47'),
      at(
        [
          [158, 116, -20],
          [246, 196, 160],
          [150, 190, 60],
        ],
        i.mussel,
      ),
      at(
        [
          [232, 122, 10],
          [196, 176, 200],
        ],
        i.prawn,
      ),
      at(
        [
          [270, 150, 30],
          [190, 98, -10],
        ],
        form('M-26 -12q26 -14 52 0l-6 22q-20 8 -40 0z', '#fff6ea') +
          stroke('M-12 -12q4 10 0 20M10 -13q4 10 0 20', '#eed7bd', 2),
      ),
      at(
        [
          [214, 216],
          [128, 152],
          [268, 108],
        ],
        i.cherryTomato,
      ),
      strewn(count(12), 200, 150, 74, (x, y, turn) =>
        stroke(`M${x} ${y}q6 -5 12 0`, turn > 0 ? '#b3361f' : '#d4591f', 2),
      ),
      fine(
        at(
          [
            [180, 148, 40],
            [236, 160, -20],
          ],
          i.dill,
        ),
      ),
    ),

  'pumpkin-soup': ({ count, fine }) =>
    bowl(
      '#34474f',
      '#ea8d2a',
      disc(194, 142, 80, '#f29d3c'),
      i.swirl('#3f4a2c', 4),
      strewn(count(13), 206, 156, 46, (x, y, turn) =>
        moved(x, y, turn, oval(0, 0, 4.4, 8.4, '#6f8f4a') + stroke('M0 -4v8', '#a9c07d', 1.4)),
      ),
      moved(264, 108, 0, i.orangeSlice),
      fine(moved(196, 92, 0, i.steam)),
    ),

  'pea-soup': ({ count, fine }) =>
    bowl(
      '#f0e2c8',
      '#7fb04a',
      disc(194, 142, 80, '#8dbd58'),
      form('M150 170c8 -26 60 -30 76 -8 6 22 -66 34 -76 8z', '#fffdf3', { opacity: '.9' }),
      at(
        [
          [176, 128],
          [196, 116],
          [218, 128],
          [240, 146],
          [232, 184],
          [206, 198],
          [170, 194],
        ],
        disc(0, 0, 10, '#5f9438') + disc(-3, -3, 3.4, '#b4d884'),
      ),
      moved(192, 164, -10, i.mintSprig),
      i.beads(count(12), 200, 150, 82, 1.8, ink.seed),
      fine(
        at(
          [
            [268, 176],
            [136, 120],
          ],
          disc(0, 0, 10, '#5f9438') + disc(-3, -3, 3.4, '#b4d884'),
        ),
      ),
    ),

  'miso-soup': ({ fine }) =>
    bowl(
      '#8b2f2a',
      '#d9b479',
      disc(194, 142, 84, '#e3c48f'),
      at(
        [
          [156, 118],
          [250, 194],
        ],
        i.mushroom,
      ),
      at(
        [
          [226, 116, 12],
          [176, 170, -18],
          [262, 146, 30],
        ],
        i.tofu,
      ),
      at(
        [
          [196, 106, 20],
          [142, 170, -60],
        ],
        form('M-26 -6q13 -10 26 0t26 0l-2 14q-12 8 -25 0t-24 0z', '#2f4d3a'),
      ),
      at(
        [
          [210, 148],
          [228, 168],
          [196, 206],
          [146, 148],
          [268, 116],
          [222, 214],
        ],
        i.springOnion,
      ),
      fine(moved(206, 96, 0, i.steam)),
    ),
};
