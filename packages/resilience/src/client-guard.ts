import type { Call, Clock, Filter } from '@flotilla/core';
import { Breaker } from './breaker.ts';
import { Bulkhead } from './bulkhead.ts';
import {
  type ClientPolicies,
  type GivenClientPolicies,
  type GivenServicePolicies,
  policiesOf,
  type RateLimitSettings,
  resolveClientPolicies,
} from './client-policies.ts';
import { clientFilters, type FilterEntry, type InstanceFilterOptions, instanceFilters } from './composition.ts';
import type { PolicyEvents } from './events.ts';
import { LiveChains } from './live-chain.ts';
import { LocalRateLimiter, type RateLimiter } from './rate-limit.ts';
import type { RetryOptions } from './retry.ts';
import { createRetryBudget, jointBudget, type RetryBudget } from './retry-budget.ts';

/** Which operation a call is for. One object for all calls of it: policies are looked up by its identity. */
export interface GuardedOperation {
  readonly contract: string;
  /** As its contract names it, and as configuration does: `product`; or with its contract: `catalog.product`. */
  readonly operation: string;
  /** The answer goes on after it has begun. */
  readonly streamed: boolean;
}

/** For messages, events and metrics. */
function fullName({ contract, operation }: GuardedOperation): string {
  return contract === '' ? operation : `${contract}.${operation}`;
}

/** What the policies of one client need. */
export interface ClientGuardOptions {
  /** What is called, for messages and events: the name of the service. */
  readonly target: string;
  /** What the code says. */
  readonly code: GivenServicePolicies;
  readonly clock: Clock;
  readonly events: PolicyEvents;
  /** Shared by all clients of the process. */
  readonly processBudget: RetryBudget;
  /** Counts for rate limits. Default: in this process. */
  readonly limiter?: RateLimiter | undefined;
  /** Counts where the limit is to be shared. Default: as any other. */
  readonly sharedLimiter?: RateLimiter | undefined;
}

/** How a client's calls become filters. */
export interface GuardedCalls<Req, Res>
  extends Pick<RetryOptions<Req, Res>, 'idempotent' | 'repeatable' | 'failure' | 'discard' | 'meter' | 'target'> {
  readonly operationOf: (request: Req, call: Call) => GuardedOperation;
  /** What is inside is a cluster whose instances stand behind {@link ClientGuard.instanceFilters}. Default: anything may be. */
  readonly prompt?: boolean | undefined;
}

/** Operations of which a client remembers anything. */
const maxOperations = 1_000;

/**
 * The policies of one client: what is configured for it, and what they have learnt. Filters are made of it and made anew when
 * the configuration changes; breakers, places, budgets and rates stay.
 */
export class ClientGuard {
  readonly target: string;
  readonly #options: ClientGuardOptions;
  readonly #chains = new LiveChains();
  readonly #limiter: RateLimiter;
  readonly #breakers = new Map<string, Breaker>();
  readonly #bulkheads = new Map<string, Bulkhead>();
  readonly #policies = new Map<GuardedOperation, ClientPolicies>();
  #configured: readonly (GivenServicePolicies | undefined)[] = [];
  #service: ClientPolicies;
  #budget: RetryBudget;

  /** @throws RangeError when what the code says does not fit. */
  constructor(options: ClientGuardOptions) {
    this.target = options.target;
    this.#options = options;
    this.#limiter = options.limiter ?? new LocalRateLimiter();
    this.#service = this.#resolve(undefined);
    this.#budget = this.#newBudget();
    this.check([]);
  }

  /** Half or more of the service's instances that may be called have just come: its breakers learn anew. */
  renew(): void {
    for (const breaker of this.#breakers.values()) breaker.renew();
  }

  /** Policies of the service as a whole. */
  get service(): ClientPolicies {
    return this.#service;
  }

  get breakers(): ReadonlyMap<string, Breaker> {
    return this.#breakers;
  }

  get bulkheads(): ReadonlyMap<string, Bulkhead> {
    return this.#bulkheads;
  }

  /** Retries that are allowed at this moment. */
  get retriesLeft(): number {
    return this.#budget.available(this.#options.clock.now());
  }

  /** Policies of the operations that were called, by their full names, where they are not those of the service. */
  differentOperations(): Readonly<Record<string, ClientPolicies>> {
    const text = JSON.stringify(this.#service);
    const different = [...this.#policies].filter(([, policies]) => JSON.stringify(policies) !== text);
    return Object.fromEntries(different.map(([operation, policies]) => [fullName(operation), policies]));
  }

  /** Policies of one operation. */
  of(operation: GuardedOperation): ClientPolicies {
    const known = this.#policies.get(operation);
    if (known) return known;
    const policies = this.#resolve(operation);
    if (this.#policies.size < maxOperations) this.#policies.set(operation, policies);
    return policies;
  }

  /** @throws RangeError when a configuration does not fit together with what the code says, of the service or an operation */
  check(configured: readonly (GivenServicePolicies | undefined)[]): void {
    this.#resolve(undefined, configured);
    for (const { operations = {} } of [this.#options.code, ...configured.filter((place) => place !== undefined)]) {
      for (const name of Object.keys(operations))
        this.#resolve({ contract: '', operation: name, streamed: false }, configured);
    }
  }

  /**
   * Takes in another configuration: the entries for all services and for this one, either of which may be absent.
   * @throws RangeError when it does not fit; then nothing has changed
   */
  configure(configured: readonly (GivenServicePolicies | undefined)[]): void {
    const service = this.#resolve(undefined, configured);
    this.#configured = configured;
    const budgetChanged = budgetFields.some((name) => service[name] !== this.#service[name]);
    this.#service = service;
    if (budgetChanged) this.#budget = this.#newBudget();
    this.#policies.clear();
    this.#chains.rebuild();
  }

  /** What stands between callers and the cluster, as it is configured now and ever after. */
  callFilter<Req, Res>(calls: GuardedCalls<Req, Res>): Filter<Req, Res> {
    return this.#chains.filter(calls.operationOf, (operation) =>
      this.callFilters(operation, calls).map(({ filter }) => filter),
    );
  }

  /** Of that only the cap and the breaker: for who times and repeats calls by rules of its own, as a gateway does. */
  admissionFilter<Req, Res>(calls: GuardedCalls<Req, Res>): Filter<Req, Res> {
    return this.#chains.filter(calls.operationOf, (operation) =>
      this.callFilters(operation, calls)
        .filter(({ name }) => name === 'bulkhead' || name === 'breaker')
        .map(({ filter }) => filter),
    );
  }

  /** The same for one operation as a list with a reason per line, as it is configured now. */
  callFilters<Req, Res>(
    operation: GuardedOperation,
    calls: Omit<GuardedCalls<Req, Res>, 'operationOf'>,
  ): readonly FilterEntry<Req, Res>[] {
    const policies = this.of(operation);
    const { target } = this;
    const { events } = this.#options;
    const { breaker, bulkhead, rateLimit, hedge } = policies;
    const { idempotent, repeatable, discard } = calls;
    const operationOf = (): string => fullName(operation);
    return clientFilters<Req, Res>({
      target,
      ...calls,
      ...policies,
      streamed: operation.streamed,
      budget: this.#budget,
      events,
      operation: fullName(operation),
      rateLimit:
        rateLimit.enabled && rateLimit.ratePerSecond < Infinity
          ? { settings: rateLimit, target, operation: fullName(operation), limiter: this.#limiterOf(rateLimit), events }
          : undefined,
      bulkhead:
        bulkhead.enabled && bulkhead.maxConcurrent < Infinity ? this.#bulkheadOf(operation, policies) : undefined,
      breaker: breaker.enabled ? this.#breakerOf(operation, policies) : undefined,
      hedge: hedge.enabled ? { ...hedge, idempotent, repeatable, discard, operationOf, target, events } : undefined,
    });
  }

  /**
   * What stands between the cluster and one instance; its numbers follow the configuration.
   * @param sentOnce no other attempt can follow, so this one may take as long as the whole call
   */
  instanceFilters<Req, Res>(
    name: string,
    { operationOf }: Pick<GuardedCalls<Req, Res>, 'operationOf'>,
    sentOnce: (request: Req) => boolean = () => false,
  ): readonly FilterEntry<Req, Res>[] {
    const options: InstanceFilterOptions<Req> = {
      name,
      callsEnd: true, // timeout and retry stand around the cluster, and end what fails
      events: this.#options.events,
      operationOf: (request, call) => fullName(operationOf(request, call)),
      maxConcurrent: () => this.#service.maxConcurrent,
      attemptTimeoutMs: (request, call) => {
        const { attemptTimeoutMs, timeoutMs } = this.of(operationOf(request, call));
        return sentOnce(request) ? timeoutMs : attemptTimeoutMs;
      },
    };
    return instanceFilters<Req, Res>(options);
  }

  #resolve(operation: GuardedOperation | undefined, configured = this.#configured): ClientPolicies {
    const places = [this.#options.code, ...configured];
    return resolveClientPolicies(operation ? namedPolicies(places, operation) : policiesOf(places, undefined));
  }

  #limiterOf({ shared }: RateLimitSettings): RateLimiter {
    return (shared ? this.#options.sharedLimiter : undefined) ?? this.#limiter;
  }

  #newBudget(): RetryBudget {
    const { retryBudgetFraction, retryBudgetPerSecond, retryBudgetWindowMs } = this.#service;
    const own = createRetryBudget({
      fraction: retryBudgetFraction,
      perSecond: retryBudgetPerSecond,
      windowMs: retryBudgetWindowMs,
    });
    return jointBudget(own, this.#options.processBudget);
  }

  #breakerOf(guarded: GuardedOperation, { breaker: settings }: ClientPolicies): Breaker {
    const operation = settings.per === 'operation' ? fullName(guarded) : undefined;
    return keep(
      this.#breakers,
      operation ?? '*',
      (known) => known.configure(settings),
      () => new Breaker({ settings, target: this.target, operation, events: this.#options.events }),
    );
  }

  #bulkheadOf(guarded: GuardedOperation, { bulkhead: settings }: ClientPolicies): Bulkhead {
    const operation = settings.per === 'operation' ? fullName(guarded) : undefined;
    return keep(
      this.#bulkheads,
      operation ?? '*',
      (known) => known.configure(settings),
      () => new Bulkhead({ settings, target: this.target, operation, events: this.#options.events }),
    );
  }
}

const budgetFields = ['retryBudgetFraction', 'retryBudgetPerSecond', 'retryBudgetWindowMs'] as const;

/** An operation may be written with its contract, which then counts more. */
function namedPolicies(
  places: readonly (GivenServicePolicies | undefined)[],
  guarded: GuardedOperation,
): GivenClientPolicies {
  const name = fullName(guarded);
  const layers = places.flatMap((place) => [
    policiesOf([place], guarded.operation),
    place?.operations && Object.hasOwn(place.operations, name) ? { ...place.operations[name] } : undefined,
  ]);
  return policiesOf(layers, undefined);
}

/** What is known under a name, told of the settings of now, or else a new one. */
function keep<T>(known: Map<string, T>, name: string, tell: (kept: T) => void, make: () => T): T {
  const kept = known.get(name);
  if (kept) {
    tell(kept);
    return kept;
  }
  const made = make();
  if (known.size < maxOperations) known.set(name, made);
  return made;
}
