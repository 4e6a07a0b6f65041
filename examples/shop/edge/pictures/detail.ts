import type { Svg } from './pen.ts';

/** How much of a dish is drawn: the fine things are left out where nobody could see them. */
export interface Detail {
  /** So many small things of many. */
  count(many: number): number;
  /** Only on a large picture. */
  fine(...drawn: readonly Svg[]): Svg;
}

/** How each dish is drawn, as the menu describes it. */
export type Dishes = Readonly<Record<string, (detail: Detail) => Svg>>;
