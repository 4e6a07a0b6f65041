import type { ClientRuntime } from '../client.ts';
import type { ClientOptions } from '../client-options.ts';
import type { ContractTexts } from './contract-texts.ts';

/** What a generic client needs. */
export interface GenericClientNeeds extends ClientRuntime {
  /** Where it gets the texts of contracts, the first that knows one. */
  readonly texts: readonly ContractTexts[];
  /** As for a typed client: time-outs, retries, how an instance is picked. */
  readonly options?: Omit<ClientOptions, 'service'>;
  /** Milliseconds that it may take to find who serves an operation, and by which contract. Default 5,000. */
  readonly lookupTimeoutMs?: number;
  /**
   * Of that, how long it waits for a registry that came up a short while ago to hear of who serves the contract. Default
   * 1,000; 0: what it knows counts.
   */
  readonly warmingWaitMs?: number;
}

/** The default of each number of {@link GenericClientNeeds}. */
export const genericClientDefaults: Readonly<{ lookupTimeoutMs: number; warmingWaitMs: number }> = Object.freeze({
  lookupTimeoutMs: 5_000, // a registry that pushes answers in milliseconds; a foreign one may be polled
  warmingWaitMs: 1_000, // a person waits; instances that run are heard of within a second, by their renewals later
});
