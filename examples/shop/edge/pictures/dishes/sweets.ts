import type { Dishes } from '../detail.ts';
import * as i from '../ingredients.ts';
import { at, disc, form, ink, moved, oval, shadow, slab, strewn, stroke } from '../pen.ts';
import { glass, plate, ramekin } from '../vessels.ts';

export const sweets: Dishes = {
  'poppy-cake': ({ count, fine }) =>
    plate(
      moved(
        8,
        8,
        0,
        i.cakeSlice(
          [
            ['#e7c07c', 10],
            ['#5a5560', 56],
            ['#e7c07c', 10],
          ],
          '#f7e3a1',
          fine(strewn(count(16), 220, 62, 40, (x, y) => disc(x, y, 2, '#5a5560'))),
          moved(228, 58, 0, i.orangeSlice),
        ),
      ),
      strewn(count(46), 190, 190, 60, (x, y) =>
        x < 286 && x > 104 && y > 168 && y < 222 ? disc(x + 4, y + 4, 2.4, '#26242b') : '',
      ),
    ),

  'plum-crumble': ({ count, fine }) =>
    ramekin(
      '#d3a35c',
      at(
        [
          [158, 122, 20],
          [236, 118, 80],
          [252, 172, 140],
          [196, 196, 10],
          [146, 178, 300],
        ],
        form('M-22 6c0 -26 44 -28 44 0 -6 22 -38 22 -44 0z', ink.plum) + stroke('M-12 0q12 -14 24 -4', '#a8557f', 4),
      ),
      strewn(count(60), 200, 150, 78, (x, y, turn) => oval(x, y, 8, 5.4, turn > 0 ? '#e3bb79' : '#b98545', turn)),
      at(
        [
          [188, 140, 20],
          [222, 158, 90],
          [172, 160, 150],
        ],
        i.almond,
      ),
      fine(stroke('M150 106a66 66 0 0 1 40 -20', '#fff', 4, { opacity: '.35' })),
    ),

  'chocolate-tart': ({ count, fine }) =>
    plate(
      moved(
        8,
        10,
        0,
        i.cakeSlice(
          [
            ['#a9703a', 16],
            ['#3d2117', 44],
          ],
          '#58301f',
          stroke('M134 92L250 44', '#7b4a33', 4, { opacity: '.8' }),
          strewn(count(18), 222, 76, 44, (x, y, turn) => slab(x, y, 5, 5, '#fffaf0', 1, turn)),
        ),
      ),
      at(
        [
          [108, 230],
          [132, 240],
        ],
        i.raspberry,
      ),
      fine(moved(150, 226, 20, i.mint)),
    ),

  'lemon-posset': ({ fine }) =>
    glass(
      '#fbeeb4',
      120,
      form('M141 120q59 -14 118 0l-2 22q-58 12 -114 0z', '#fff7d6'),
      at(
        [
          [176, 112],
          [202, 106],
          [228, 113],
          [190, 96],
          [214, 94],
        ],
        i.raspberry,
      ),
      moved(206, 84, 10, i.mintSprig),
      moved(264, 62, 0, i.lemonSlice),
      fine(stroke('M160 176q40 10 84 0M162 210q38 9 78 0', '#f2dd8c', 3)),
    ),

  'creme-brulee': ({ count, fine }) =>
    ramekin(
      '#d98f2e',
      disc(196, 144, 78, '#e5a744'),
      strewn(count(20), 200, 150, 74, (x, y, turn) =>
        oval(x, y, 15, 9, turn > 0 ? '#b5641d' : '#c9792a', turn, { opacity: '.75' }),
      ),
      form('M196 150l46 -40 26 44 -22 40 -44 -8z', '#fbe9b0'),
      form('M196 150l46 -40 26 44z', '#fff3cb'),
      stroke('M196 150l-44 -26M202 186l-30 26M242 110l14 -28', '#7d3f12', 3),
      stroke('M150 104a68 68 0 0 1 40 -20', '#fff', 6, { opacity: '.6' }),
      fine(i.beads(14, 234, 152, 22, 1.6, ink.cocoa)),
    ),

  'last-cookie': ({ count, fine }) =>
    plate(
      shadow(200, 150, 74),
      disc(200, 148, 76, '#b57a3c'),
      disc(196, 143, 70, '#d39a55'),
      strewn(count(26), 196, 144, 62, (x, y, turn) => oval(x, y, 8, 4, turn > 0 ? '#e9c48b' : '#bf8645', turn)),
      at(
        [
          [164, 122, 20],
          [214, 108, 60],
          [240, 146, 10],
          [206, 158, 80],
          [168, 174, 40],
          [222, 192, 120],
          [186, 138, 0],
        ],
        slab(0, 0, 19, 16, ink.cocoa, 5) + slab(-3, -3, 8, 4, '#7b4a33', 2),
      ),
      stroke('M200 74l-8 26 14 20 -12 26 16 24 -8 26 6 24', '#8a5524', 4),
      fine(i.beads(18, 212, 168, 116, 2.6, '#c98f4b')),
    ),
};
