import { type Attribute, attribute, type Outcome } from '@flotilla/core';

/** One try to have a request answered by one address. */
export interface UpstreamAttempt {
  /** Id of the instance, or the fixed address. */
  readonly name: string;
  readonly address: string;
  /** Instants on the call's clock. */
  readonly startedAt: number;
  endedAt?: number;
  outcome?: Outcome;
}

/** Set in the call of an exchange: told of each try, which is completed when it has ended. */
export const noteUpstreamAttribute: Attribute<(attempt: UpstreamAttempt) => void> = attribute('gatewayNoteUpstream');
