import type { Detail, Dishes } from './detail.ts';
import { bakery } from './dishes/bakery.ts';
import { bowls } from './dishes/bowls.ts';
import { drinks } from './dishes/drinks.ts';
import { plates } from './dishes/plates.ts';
import { soups } from './dishes/soups.ts';
import { sweets } from './dishes/sweets.ts';
import { clip, dill, limeSlice } from './ingredients.ts';
import { disc, ink, moved, type Svg, shape, slab, stroke } from './pen.ts';
import { plate } from './vessels.ts';

const dishes: Dishes = { ...bowls, ...soups, ...plates, ...bakery, ...sweets, ...drinks };

export type Size = 'large' | 'small';

/** Pixels; both show the same 400 by 300. */
const widths: Readonly<Record<Size, number>> = { large: 800, small: 240 };

/** Tablecloths, by the first letter of the dish, so that neighbours differ. */
const cloths = ['#cfe0da', '#f3d9b1', '#e8c8bd', '#d6dcbf', '#c9d9e2', '#ecdcc4'];

/** Draws a dish; one that nobody has drawn yet is an empty plate with its garnish. */
export function drawDish(id: string, size: Size): Svg {
  const fine = size === 'large';
  const detail: Detail = {
    count: (many) => (fine ? many : Math.ceil(many / 4)),
    fine: (...drawn) => (fine ? drawn.join('') : ''),
  };
  const draw = Object.hasOwn(dishes, id) ? dishes[id] : undefined;
  const width = widths[size];
  const frame = { xmlns: 'http://www.w3.org/2000/svg', viewBox: '0 0 400 300', width, height: (width * 3) / 4 };
  return shape('svg', frame, clip(), table(id, fine), draw ? draw(detail) : emptyPlate());
}

export const drawn: ReadonlySet<string> = new Set(Object.keys(dishes));

function table(id: string, fine: boolean): Svg {
  const cloth = cloths[[...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % cloths.length] ?? ink.cream;
  const woven = [20, 60, 100, 300, 340, 380].map((x) => stroke(`M${x} 0V300`, '#fff', 10, { opacity: '.22' }));
  return slab(200, 150, 400, 300, cloth) + (fine ? woven.join('') : '') + disc(60, 30, 150, '#fff', { opacity: '.12' });
}

function emptyPlate(): Svg {
  return plate(moved(186, 150, 20, dill), moved(218, 158, 0, limeSlice));
}
