/** What became of the requests that were due in one slice of time. */
export interface Slice {
  /** Milliseconds since the load began. */
  readonly atMs: number;
  sent: number;
  good: number;
  refused: number;
  failed: number;
  criticalSent: number;
  criticalGood: number;
  /** From when it was due to its answer, of each that was good. */
  readonly latenciesMs: number[];
  /** From when it was due to when it was sent, of each. */
  readonly lateMs: number[];
}

export const sliceMs = 250;

/** The slice of an instant; those before it are there, too. */
export function sliceAt(slices: Slice[], ms: number): Slice {
  const index = Math.floor(ms / sliceMs);
  while (slices.length <= index) slices.push(emptySlice(slices.length * sliceMs));
  return slices[index] as Slice;
}

function emptySlice(atMs: number): Slice {
  return {
    atMs,
    sent: 0,
    good: 0,
    refused: 0,
    failed: 0,
    criticalSent: 0,
    criticalGood: 0,
    latenciesMs: [],
    lateMs: [],
  };
}
