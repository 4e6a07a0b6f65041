import type { Call, Clock, Random } from '@flotilla/core';

/** What one call may be told besides its input. */
export interface CallTerms {
  /** Milliseconds that this call may take; for a stream, until its head. Default: the client's. */
  readonly timeoutMs?: number;
  /** Lets the callee recognise a repeated command. Default: a new one for idempotent commands, none for others. */
  readonly idempotencyKey?: string;
}

/** What a client needs. */
export interface ClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds that a call may take if it does not say; for a stream, until its head. Default: until the caller's deadline. */
  readonly timeoutMs?: number;
  /** Finds the call to work for when a method is given none. Default: `currentCall`, the one that the running code works for. */
  readonly call?: () => Call | undefined;
}
