/**
 * When a blocking query may be sent, and with which index, by the rules of Consul's reference ("Blocking Queries:
 * Implementation Details"). A pure step: what was known and what came in, what is known now out.
 */
export interface BlockingState {
  /** 0: ask at once. */
  readonly index: number;
  /** Questions that may be asked without a pause; refilled with time. */
  readonly tokens: number;
  /** When they were counted, on the clock. */
  readonly countedAt: number;
}

/** Two answers in quick succession, then at most one each period. */
const burst = 2;

export function firstBlockingState(now: number): BlockingState {
  return { index: 0, tokens: burst, countedAt: now };
}

/**
 * An answer arrived. An index that goes backwards starts the loop anew: waiting for a higher one than there is would miss
 * everything.
 * @param askEveryMs how quickly answers may follow each other in the long run.
 * @returns the state, and how long to wait before asking again.
 */
export function afterAnswer(
  { index: before, tokens, countedAt }: BlockingState,
  index: number,
  now: number,
  askEveryMs: number,
): { readonly state: BlockingState; readonly waitMs: number } {
  const refilled = Math.min(burst, tokens + (now - countedAt) / askEveryMs);
  const left = Math.max(0, refilled - 1);
  return {
    state: { index: index < before ? 0 : index, tokens: left, countedAt: now },
    waitMs: left >= 1 ? 0 : (1 - left) * askEveryMs,
  };
}
