import { at, disc, form, ink, oval, type Svg, shadow, shape, slab, stroke } from './pen.ts';

/** Seen from above: a bowl whose inside has one colour, with things in it. */
export function bowl(outside: string, inside: string, ...content: readonly Svg[]): Svg {
  return [
    shadow(200, 152, 118),
    disc(200, 150, 118, outside),
    disc(200, 150, 108, ink.china),
    disc(200, 150, 99, inside),
    shape('g', { 'clip-path': 'url(#bowl)' }, ...content),
    stroke('M107 112a108 108 0 0 1 60-63', '#fff', 5, { opacity: '.55' }),
  ].join('');
}

/** Seen from above. */
export function plate(...content: readonly Svg[]): Svg {
  return [
    shadow(200, 152, 126),
    disc(200, 150, 126, ink.china),
    disc(200, 150, 92, ink.white, { stroke: ink.rim, 'stroke-width': 2 }),
    ...content,
  ].join('');
}

/** A wooden board, seen from above. */
export function board(...content: readonly Svg[]): Svg {
  const grain = [88, 122, 172, 206].map((y) =>
    stroke(`M66 ${y}q70 ${y % 3 === 0 ? 8 : -7} 140 0t128 2`, ink.darkWood, 2, { opacity: '.45' }),
  );
  return [
    slab(208, 162, 296, 190, 'rgb(18 52 59 / .16)', 26),
    slab(200, 150, 296, 190, ink.wood, 26),
    ...grain,
    disc(325, 150, 7, ink.darkWood),
    ...content,
  ].join('');
}

/** A black iron pan with its handle. */
export function pan(...content: readonly Svg[]): Svg {
  return [
    shadow(190, 152, 112),
    slab(325, 150, 110, 26, ink.iron, 13),
    disc(365, 150, 5, '#6b7176'),
    disc(190, 150, 112, ink.iron),
    disc(190, 150, 98, '#2c3034'),
    ...content,
  ].join('');
}

/** A small round dish out of the oven, seen from above. */
export function ramekin(inside: string, ...content: readonly Svg[]): Svg {
  const flutes = Array.from({ length: 28 }, (_, index) => [200, 150, (index * 360) / 28] as const);
  return [
    shadow(200, 152, 104),
    disc(200, 150, 104, ink.white),
    at(flutes, stroke('M0 -103v9', ink.rim, 3)),
    disc(200, 150, 90, ink.rim),
    disc(200, 150, 86, inside),
    ...content,
  ].join('');
}

/** A cup on its saucer, seen from above. */
export function cup(colour: string, drink: string, ...content: readonly Svg[]): Svg {
  return [
    shadow(200, 152, 122),
    disc(200, 150, 122, ink.china),
    disc(200, 150, 96, ink.rim, { opacity: '.6' }),
    slab(293, 107, 62, 22, colour, 11, -30),
    disc(200, 150, 82, colour),
    disc(200, 150, 72, drink),
    ...content,
    stroke('M143 112a68 68 0 0 1 38 -28', '#fff', 4, { opacity: '.5' }),
  ].join('');
}

/** A tall glass from the side; `level` is where the drink begins. */
export function glass(drink: string, level: number, ...content: readonly Svg[]): Svg {
  const wall = 'M136 46h128l-14 206a14 14 0 0 1 -14 13h-72a14 14 0 0 1 -14 -13z';
  const side = (y: number): number => ((y - 46) / 219) * 15;
  return [
    oval(208, 268, 76, 12, ink.night, 0, { opacity: '.16' }),
    form(wall, '#fff', { opacity: '.5' }),
    form(`M${136 + side(level)} ${level}H${264 - side(level)}L251 250a8 8 0 0 1 -8 8h-86a8 8 0 0 1 -8 -8z`, drink),
    ...content,
    stroke(wall, '#fff', 4, { opacity: '.85' }),
    stroke('M154 66l9 150', '#fff', 7, { opacity: '.5' }),
  ].join('');
}
