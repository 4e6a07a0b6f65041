import type { Clock, Meter } from '@flotilla/core';
import type { BreakerState } from './breaker-state.ts';
import { ClientGuard } from './client-guard.ts';
import type { ClientPolicies, GivenServicePolicies } from './client-policies.ts';
import { EventHub } from './events.ts';
import type { LoadSource } from './load-source.ts';
import { createRetryBudget, processBudgetDefaults, type RetryBudget } from './retry-budget.ts';
import { ServerGuard, type ServerGuardOptions } from './server-guard.ts';
import { type GivenServerPolicies, resolveServerPolicies } from './server-policies.ts';
import { SharedLimits } from './shared-limits.ts';

/** What an operator configured. */
export interface PoliciesConfig {
  /** By the service that is called; `*` is for all of them. */
  readonly clients?: Readonly<Record<string, GivenServicePolicies>> | undefined;
  readonly server?: GivenServerPolicies | undefined;
}

export interface PoliciesOptions {
  readonly clock: Clock;
  readonly meter?: Meter | undefined;
  /** How busy the process is. Default: never. */
  readonly load?: LoadSource | undefined;
  readonly config?: PoliciesConfig | undefined;
  readonly failed?: ServerGuardOptions['failed'];
}

/**
 * All policies of a process: those of its clients and those of what it serves, their one stream of events, and what its
 * clients share. Another configuration counts at once, and takes nothing from what they have learnt.
 */
export class Policies {
  readonly events: EventHub;
  readonly server: ServerGuard;
  /** Rates that are counted together with other processes. Until somebody says how, each counts for itself. */
  readonly sharedLimits: SharedLimits = new SharedLimits();
  readonly #clock: Clock;
  readonly #budget: RetryBudget = createRetryBudget(processBudgetDefaults);
  readonly #clients = new Set<ClientGuard>();
  #config: PoliciesConfig;

  /** @throws RangeError when the configuration does not fit. */
  constructor(options: PoliciesOptions) {
    const { clock, meter, load, config = {}, failed } = options;
    this.#clock = clock;
    this.#config = config;
    this.events = new EventHub({ meter });
    this.server = new ServerGuard({
      policies: resolveServerPolicies(config.server),
      clock,
      load,
      failed,
      events: this.events,
      sharedLimiter: this.sharedLimits.limiter('server:'),
    });
  }

  /** The policies of one more client. @throws RangeError when what the code says does not fit. */
  client(target: string, code: GivenServicePolicies = {}): ClientGuard {
    const guard = new ClientGuard({
      target,
      code,
      clock: this.#clock,
      events: this.events,
      processBudget: this.#budget,
      sharedLimiter: this.sharedLimits.limiter(`client:${target}:`),
    });
    const places = placesFor(this.#config, target);
    guard.check(places);
    guard.configure(places);
    this.#clients.add(guard);
    return guard;
  }

  /** A client that was closed. */
  release(guard: ClientGuard): void {
    this.#clients.delete(guard);
  }

  /** @throws RangeError when a configuration does not fit, by itself or together with what the code of a client says */
  check(config: PoliciesConfig): void {
    checkPolicies(config);
    for (const guard of this.#clients) {
      try {
        guard.check(placesFor(config, guard.target));
      } catch (thrown) {
        throw new RangeError(`clients.${guard.target}, with what the code says: ${messageOf(thrown)}`);
      }
    }
  }

  /** Takes in another configuration; what may be wrong with it was checked by {@link check}. */
  configure(config: PoliciesConfig): void {
    this.#config = config;
    for (const guard of this.#clients) guard.configure(placesFor(config, guard.target));
    this.server.configure(resolveServerPolicies(config.server));
  }

  /** Every live policy with its settings, its state and its numbers: what the management port shows. JSON throughout. */
  view(): PoliciesView {
    const now = this.#clock.now();
    return {
      clients: [...this.#clients].map((guard) => viewClient(guard, now)),
      server: viewServer(this.server),
      retries: { leftForAll: this.#budget.available(now) },
    };
  }
}

/** @throws RangeError naming the first entry of the configuration that does not fit together */
export function checkPolicies(config: PoliciesConfig): void {
  try {
    resolveServerPolicies(config.server);
  } catch (thrown) {
    throw new RangeError(`server.${messageOf(thrown)}`);
  }
  for (const [name, given] of Object.entries(config.clients ?? {})) {
    const operations = [undefined, ...Object.keys(given.operations ?? {})];
    for (const operation of operations) checkClient(config, name, operation);
  }
}

function checkClient(config: PoliciesConfig, name: string, operation: string | undefined): void {
  const at = operation === undefined ? `clients.${name}` : `clients.${name}.operations.${operation}`;
  try {
    const guard = new ClientGuard({
      target: name,
      code: {},
      clock: { now: () => 0, wallNow: () => 0, setTimer: () => ({ cancel() {} }) },
      events: { report() {} },
      processBudget: createRetryBudget(processBudgetDefaults),
    });
    guard.configure(placesFor(config, name));
    if (operation !== undefined) guard.of({ contract: '', operation, streamed: false });
  } catch (thrown) {
    throw new RangeError(`${at}: ${messageOf(thrown)}`);
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function placesFor({ clients = {} }: PoliciesConfig, target: string): readonly (GivenServicePolicies | undefined)[] {
  return [own(clients, '*'), target === '*' ? undefined : own(clients, target)];
}

function own<T>(entries: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

/** What {@link Policies.view} gives. */
export interface PoliciesView {
  readonly clients: readonly {
    readonly target: string;
    readonly settings: ClientPolicies;
    /** Of the operations that were called, where they are not those of the service. */
    readonly operations: Readonly<Record<string, ClientPolicies>>;
    readonly retriesLeft: number;
    readonly breakers: readonly BreakerView[];
    readonly bulkheads: readonly { readonly of: string; readonly inFlight: number; readonly queued: number }[];
  }[];
  readonly server: {
    readonly settings: ServerGuard['policies'];
    readonly limit: number;
    readonly inFlight: number;
    readonly queued: number;
    readonly refused: number;
    readonly level: ServerGuard['level'];
    readonly loopDelayMs: number;
    readonly utilisation: number;
    readonly heapFraction: number;
  };
  readonly retries: { readonly leftForAll: number };
}

/** A breaker as a console shows it. */
export interface BreakerView {
  /** The operation, or `*` where all share it. */
  readonly of: string;
  readonly state: 'closed' | 'open' | 'half-open';
  /** Outcomes that count at this moment. */
  readonly calls: number;
  readonly failed: number;
  readonly slow: number;
  /** Since when it has been open or half-open; absent while it is closed. */
  readonly forMs?: number;
}

function viewClient(guard: ClientGuard, now: number): PoliciesView['clients'][number] {
  return {
    target: guard.target,
    settings: guard.service,
    operations: guard.differentOperations(),
    retriesLeft: guard.retriesLeft,
    breakers: [...guard.breakers].map(([of, { state }]) => viewBreaker(of, state, now)),
    bulkheads: [...guard.bulkheads].map(([of, { places }]) => ({
      of,
      inFlight: places.inFlight,
      queued: places.queued,
    })),
  };
}

function viewBreaker(of: string, breaker: BreakerState, now: number): BreakerView {
  const { state } = breaker;
  switch (state) {
    case 'closed': {
      breaker.window.turn(now);
      const { calls, failed, slow } = breaker.window;
      return { of, state, calls, failed, slow };
    }
    case 'open':
      return { of, state, calls: 0, failed: 0, slow: 0, forMs: now - breaker.openedAt };
    case 'half-open': {
      const { ended: calls, failed, slow, since } = breaker;
      return { of, state, calls, failed, slow, forMs: now - since };
    }
  }
}

function viewServer(guard: ServerGuard): PoliciesView['server'] {
  const { policies, limit, level, refused, places } = guard;
  return {
    settings: policies,
    limit,
    inFlight: places.inFlight,
    queued: places.queued,
    refused,
    level,
    ...guard.load,
  };
}
