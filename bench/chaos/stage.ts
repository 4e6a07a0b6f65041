import type { Place } from './place.ts';

/** What a scenario is given. */
export interface Stage {
  readonly place: Place;
  /** The first of 200 free ports. */
  readonly port: number;
  readonly long: boolean;
}

/** What came of it. */
export interface Outcome {
  readonly facts: readonly string[];
  /** What must not be. */
  readonly mistakes: readonly string[];
  /** A line of the table of its family, by the head of the column. */
  readonly row?: Readonly<Record<string, string>>;
}
