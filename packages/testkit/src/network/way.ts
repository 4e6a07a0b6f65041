/**
 * When a request is lost.
 * - `before-sending`: no connection came about. The caller gets CONNECT_FAILED: certainly not executed.
 * - `after-processing`: the callee did the work, then the connection broke. The caller gets CONNECTION_LOST: unknown.
 * - `answer`: the callee did the work, and its answer vanished without a word. The caller waits for its own time-out.
 */
export type LossMoment = 'before-sending' | 'after-processing' | 'answer';

/** How often a fault strikes. */
export interface Frequency {
  /** Share of the requests that it strikes, 0 to 1, by the fleet's seed. Default 1: every one. */
  readonly share?: number;
  /** It is over after so many strikes. Default `Infinity`. */
  readonly times?: number;
}

/**
 * The way between two parties, or one direction of it. A fault strikes what travels in that direction: requests and
 * their bodies from the one that calls, answers and their bodies from the one that is called. Nothing is ever
 * duplicated. Faults add up until {@link heal}; each method gives the way itself.
 */
export interface Way {
  /** Requests and answers take that much longer, by the fleet's clock, plus a random part of `jitterMs`. */
  delay(delayMs: number, options?: { readonly jitterMs?: number }): Way;
  /**
   * Nothing arrives and nothing is said. A request that cannot even connect fails with CONNECT_FAILED after 1,000 ms; what
   * is on its way stands still, and goes on when the way heals. In the direction of answers alone, requests arrive and
   * are processed (their connections are open already), and the caller hears nothing.
   */
  drop(): Way;
  /** Requests fail with CONNECT_FAILED at once, and what is on its way breaks with CONNECTION_LOST. */
  refuse(): Way;
  /** Loses requests that are made in this direction. */
  lose(moment: LossMoment, frequency?: Frequency): Way;
  /** Bodies that travel in this direction break with CONNECTION_LOST after so many bytes. */
  reset(options?: { /** Default 0: after the head. */ readonly afterBytes?: number } & Frequency): Way;
  /** Bodies that travel in this direction come slowly, by the fleet's clock. */
  trickle(options: { readonly bytesPerSecond: number }): Way;
  /** Ends every fault of this way. */
  heal(): void;
}
