import type { PartialBalanceSettings, PickPolicy } from '@flotilla/balance';
import { nearest } from '@flotilla/core';
import type { GivenServicePolicies } from '@flotilla/resilience';
import type { AnyContract, Binding, Client } from '@flotilla/rpc';
import type { AnswerOptions } from './answers.ts';
import type { Fallbacks } from './fallbacks.ts';

/** By which part of its input a call of an operation is kept with an instance. */
export type PickKeys<C extends AnyContract> = {
  readonly [Name in keyof C['operations']]?: (input: Parameters<Client<C>[Name]>[0]) => string | undefined;
};

/**
 * What a client may be told. Everything has a default: a client without options is protected already. What the
 * configuration says under `clients` wins over it.
 */
export interface ClientOptions extends GivenServicePolicies {
  /** The service to call. Default: whichever registered that it serves the contract. */
  readonly service?: string;
  /**
   * Contracts that the service may call back, on the connections of this client: `[bind(events, handlers)]`. Its handlers
   * reach them by `callerOf(events, call)`. Default: none. Not over HTTP.
   */
  readonly serves?: readonly Binding[];
  /** How an instance is chosen. Default `peak-ewma`: the better of two random ones, by latency and calls in flight. */
  readonly pick?: PickPolicy;
  /** More about how instances are chosen: `docs/balancing.md`. The configuration (`clients.<service>.balance`) wins over it. */
  readonly balance?: PartialBalanceSettings;
}

/** The same for a contract whose operations are known. */
export interface ContractClientOptions<C extends AnyContract> extends ClientOptions, AnswerOptions<C> {
  /** What is answered when nobody could, by operation. The call itself has failed for metrics and traces. */
  readonly fallback?: Fallbacks<C>;
  /**
   * For the picks `hash` and `sticky`, by operation: inputs with the same key go to the same instance.
   * `{ product: ({ id }) => id }`. An operation without one, and `undefined`, go anywhere.
   */
  readonly hash?: PickKeys<C>;
}

/** Everything that a client may be told. */
const options: { readonly [Name in keyof Required<ContractClientOptions<AnyContract>>]: true } = {
  service: true,
  serves: true,
  pick: true,
  balance: true,
  operations: true,
  batches: true,
  vary: true,
  fallback: true,
  hash: true,
  timeoutMs: true,
  attemptTimeoutMs: true,
  minRemainingMs: true,
  retries: true,
  backoffBaseMs: true,
  backoffMaxMs: true,
  retryBudgetFraction: true,
  retryBudgetPerSecond: true,
  retryBudgetWindowMs: true,
  maxConcurrent: true,
  breaker: true,
  bulkhead: true,
  rateLimit: true,
  hedge: true,
  cache: true,
  singleFlight: true,
  batch: true,
};

/**
 * What the types of options do not catch: names that come from elsewhere, or from JavaScript. A policy under a name that
 * nobody reads would protect nothing. What the values may be is checked where they are used.
 * @throws RangeError naming an option that there is not, or an operation that the contract does not have
 */
export function assertClientOptions({ operations }: AnyContract, given: ClientOptions): void {
  assertKnown(Object.keys(given), Object.keys(options), (name) => `"${name}" is no option of a client`);
  const names = Object.keys(given.operations ?? {}).map((name) => name.slice(name.indexOf('.') + 1));
  assertKnown(names, Object.keys(operations), (name) => `operations: the contract has no operation "${name}"`);
}

function assertKnown(given: readonly string[], known: readonly string[], problem: (name: string) => string): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  throw new RangeError(problem(unknown) + (meant === undefined ? '' : `; did you mean "${meant}"?`));
}
