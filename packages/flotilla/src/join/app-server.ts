import type { Address } from '@flotilla/core';

/**
 * Port: the HTTP server of an app that joins, as far as joining has to do with it. The app owns it: it opened it, its
 * framework answers, and only at the very end it is told to close.
 */
export interface AppServer {
  /** Where it listens; undefined while it does not. */
  address(): Address | undefined;
  /** Requests in hand that were seen. */
  readonly inFlight: number;
  /** Whether requests can be seen without a middleware, and waited for at the end. */
  readonly seen: boolean;
  /** From now on each connection ends with the answer that it carries. */
  leaving(): void;
  /** Takes no more, lets what is in hand end for `deadlineMs`, then breaks the rest off. Resolves with how many that were. */
  close(deadlineMs: number): Promise<number>;
}
