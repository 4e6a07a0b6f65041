import { readFileSync } from 'node:fs';
import type { History } from './history.ts';

/** A history in which something did not hold once. */
export interface FoundHistory extends History {
  /** What did not hold, and what was mended. */
  readonly about: string;
}

/** Everything that was ever found. They are run first, always. */
export function foundHistories(): readonly FoundHistory[] {
  return JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8')) as FoundHistory[];
}
