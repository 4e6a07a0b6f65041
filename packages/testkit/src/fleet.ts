import type { Clock, Instance, Random } from '@flotilla/core';
import type { AppliedTable, Gateway } from '@flotilla/gateway';
import type { Registry } from '@flotilla/registry/server';
import type { AnyContract, Client } from '@flotilla/rpc';
import type { ContractClientOptions, GenericClient, RunningService } from 'flotilla';
import type { FetchPath } from './fetch.ts';
import type { FleetNetwork } from './network/faulty-network.ts';
import type { AnyApp, ServiceEntry } from './options.ts';
import type { LogBook } from './records/log-book.ts';
import type { MetricBook } from './records/metric-book.ts';
import type { SpanBook } from './records/span-book.ts';

/** The door, from outside. */
export interface FleetGateway {
  readonly url: string;
  /**
   * What a stranger gets: `fetch` on the fleet's network, as the party `test`. A fetch without an answer ends after
   * 120 s on the fleet's clock.
   */
  readonly fetch: FetchPath;
  /** The gateway itself: its routes, their counts, `explain`. */
  readonly gateway: Gateway;
  /** Puts other routes in use, as a change of their file would. @throws FlotillaError CONFIG_INVALID */
  apply(routes: string): AppliedTable;
}

/** One copy of a service. */
export interface FleetCopy {
  /** `web.2` */
  readonly name: string;
  readonly running: boolean;
  /** As it registered itself. @throws Error while it is down. */
  readonly instance: Instance;
  readonly url: string;
  /** Asks this copy and no other, past gateway and balancing. */
  readonly fetch: FetchPath;
  /**
   * Why its calls of a service go where they go: what `flotilla why` prints. Undefined: of all that it calls.
   * @throws FlotillaError NO_ROUTE when it does not call that service
   */
  readonly why: RunningService['why'];
}

/** A whole fleet in one process. Stop it, or let `await using` do so. */
export interface Fleet extends AsyncDisposable {
  readonly clock: Clock;
  readonly random: Random;
  /** Faults to order. */
  readonly network: FleetNetwork;
  /** The registry itself; after its restart another one. */
  readonly registry: Registry;
  /** Where it is: with `network: 'sockets'` also for processes that a test starts itself. */
  readonly registryUrl: string;
  /** @throws Error in a fleet without one. */
  readonly gateway: FleetGateway;
  readonly logs: LogBook;
  readonly metrics: MetricBook;
  readonly spans: SpanBook;
  /** The copies of a service, also those that are down. */
  copies(service: string): readonly FleetCopy[];
  /** A typed client of the party `test`. */
  client<C extends AnyContract>(contract: C, options?: ContractClientOptions<C>): Client<C>;
  /** A client of the party `test` that calls by name and JSON, with what the registry knows of the contracts. */
  generic(): Pick<GenericClient, 'call' | 'stream'>;
  /** Starts a further service. */
  add(service: AnyApp | ServiceEntry): Promise<void>;
  /**
   * Ends a party as SIGKILL would: nothing is deregistered, connections break, timers are gone.
   * @param name `registry`, `gateway`, a service (all of its copies) or one copy (`web.2`)
   */
  kill(name: string): Promise<void>;
  /** Lets a party leave well: it drains, deregisters, lets calls in hand end. */
  leave(name: string): Promise<void>;
  /** Lets a party leave, if it runs, and starts it anew. The registry comes up empty, unless it has a store. */
  restart(name: string): Promise<void>;
  /**
   * Changes an application's own settings while it runs, as a change of `flotilla.yaml` would.
   * @param name a service (all of its copies) or one copy. A copy that is started anew begins with those of `startFleet`.
   * @throws FlotillaError CONFIG_INVALID; then nothing changes.
   */
  configure(name: string, settings: unknown): Promise<void>;
  /** Waits for `work` while time flows. */
  until<T>(work: Promise<T>): Promise<T>;
  /**
   * Stops everything: calls in hand are broken, then gateway, services (last started first) and registry leave. Later
   * calls share the first one's promise.
   * @throws Error listing what was left behind: calls in hand, timers, listeners, connection pools. The end of
   * `await using` forgives calls in hand of the test itself: it failed in its middle, and its own error counts.
   */
  stop(): Promise<void>;
}
