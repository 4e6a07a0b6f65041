/** A part for which a fallback stands in. */
export interface MissingPart {
  /** Its name; of a part that only another one needs: `related.product`. */
  readonly part: string;
  /** Code of the error that it failed with. */
  readonly code: string;
}

// Beside the answer, not in it: the answer goes to clients as it is.
const missingOf = new WeakMap<object, readonly MissingPart[]>();

/** What is not in an answer that `gather` gave; empty when it is whole. */
export function missing(gathered: object): readonly MissingPart[] {
  return missingOf.get(gathered) ?? [];
}

export function rememberMissing(gathered: object, parts: readonly MissingPart[]): void {
  missingOf.set(gathered, parts);
}
