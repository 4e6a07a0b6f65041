import type { ConfigSchema } from '@flotilla/config';
import { type Call, type Filter, FlotillaError } from '@flotilla/core';
import type { HttpHandler, HttpRequest, HttpResponse, RouteSpec } from '@flotilla/http';
import { type AnyContract, type Binding, bind, type Client, type Handlers } from '@flotilla/rpc';
import { createLazyClient, type LazyClient } from './client.ts';
import type { ContractClientOptions } from './client-options.ts';
import { type Copy, PerCopy } from './copies.ts';
import { createLazyFetch, type FleetFetch, type LazyFetch } from './fetch/fetch.ts';
import { assertRepeat, type RepeatedWork, type RepeatOptions } from './repeated-work.ts';

/** What `service` may be told. */
export interface ServiceOptions<S> {
  /** The service's own settings: `settings({ … })`, or a schema of zod 4 or another library that gives JSON Schema. */
  readonly config?: ConfigSchema<S>;
  /** Version of the service, not of its contracts. Default: none. */
  readonly version?: string;
  /** Facts to register with each instance. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Something that the service opens when it starts and closes when it stops: a database, a cache, a file. */
export interface ResourceSpec<S> {
  readonly name: string;
  readonly start: (settings: S) => unknown;
  readonly stop: (value: unknown) => unknown;
  readonly values: PerCopy<{ readonly opened: unknown }>;
}

/** The service's own settings: what they are now, and who wants to hear of a change. */
export interface SettingsSlot<S> {
  readonly now: PerCopy<{ readonly values: S }>;
  readonly listeners: SettingsListener<S>[];
}

/** Hears that settings changed. */
export type SettingsListener<S> = (now: S, before: S) => void | Promise<void>;
/** Makes a filter when the service starts. */
export type FilterMaker<S> = (settings: S) => Filter<HttpRequest, HttpResponse>;

/** All that an application is made of: read by {@link startService}. */
export interface AppParts<S> {
  readonly name: string;
  readonly options: ServiceOptions<S>;
  readonly bindings: readonly Binding[];
  readonly routes: readonly RouteSpec<HttpHandler>[];
  readonly resources: readonly ResourceSpec<S>[];
  readonly clients: readonly LazyClient[];
  readonly settings: SettingsSlot<S>;
  readonly fetching: LazyFetch;
  /** Starts of it that take calls in this process: one, except in a fleet that runs in one process. */
  readonly copies: Set<Copy>;
  readonly filters: readonly FilterMaker<S>[];
  readonly repeated: readonly RepeatedWork[];
}

/**
 * A service under construction. Nothing is opened before it is started: declaring handlers, clients and resources only
 * describes it, so a module that declares one can be imported anywhere, by a test too.
 */
export interface App<S = unknown> {
  readonly name: string;
  /** Serves a contract. Several contracts may be served by one application. */
  handle<C extends AnyContract>(contract: C, handlers: Handlers<C>): void;
  /** Serves a plain HTTP route, for what is no operation: a page, a file, a web hook. */
  http(method: string, path: string, handler: HttpHandler): void;
  /**
   * Stands between the listener and everything that this application serves, contracts and plain routes alike. The first
   * one declared meets the request first and the answer last; an error that it throws is answered as a problem.
   */
  filter(make: FilterMaker<S>): void;
  /**
   * Calls a contract: finds the instances that serve it, balances, retries what is safe, keeps the deadline, traces.
   * Inside a handler the call in hand is found by itself.
   */
  client<C extends AnyContract>(contract: C, options?: ContractClientOptions<C>): Client<C>;
  /**
   * Calls a service of the fleet without a contract: `app.fetch('http://orders/7')`. Balanced, with deadline, retries and
   * trace as a typed client; inside a handler the call in hand is found by itself. It reaches no other host.
   */
  readonly fetch: FleetFetch;
  /**
   * Declares something to open at the start and to close at the stop.
   * @returns reads it; throws before the start and after the stop.
   */
  resource<T>(name: string, start: (settings: S) => T | Promise<T>, stop?: (value: T) => void | Promise<void>): () => T;
  /**
   * The service's own settings as they stand now, frozen. They follow the configuration file while the service runs, all
   * keys of one version together: read them where they are used, once for each piece of work. A resource is opened with
   * what they were at the start; mark such keys `restart: true`.
   * Throws before the start and after the stop.
   */
  settings(): S;
  /** Calls `listener` after each change of the settings. What it throws is logged, and changes nothing. */
  onSettings(listener: SettingsListener<S>): void;
  /**
   * Declares work that nobody calls for: it runs at once when the service starts, then again and again, never twice at a
   * time. Each run has a call of its own, which clients find. Every copy of the service does it.
   * @throws RangeError when `everyMs` or `timeoutMs` is no time
   */
  repeat(name: string, options: RepeatOptions, work: (call: Call) => unknown): void;
}

const partsOf = new WeakMap<object, AppParts<never>>();

/**
 * Begins a service.
 *
 * ```ts
 * const app = service('catalog');
 * app.handle(catalog, { product: async ({ id }, call) => (await find(id)) ?? call.fail('NOT_FOUND', { id }) });
 * if (import.meta.main) await run(app);
 * ```
 */
export function service<S = Record<never, never>>(name: string, options: ServiceOptions<S> = {}): App<S> {
  const bindings: Binding[] = [];
  const routes: RouteSpec<HttpHandler>[] = [];
  const resources: ResourceSpec<S>[] = [];
  const clients: LazyClient[] = [];
  const current: SettingsSlot<S> = { now: new PerCopy(), listeners: [] };
  const fetching = createLazyFetch();
  const filters: FilterMaker<S>[] = [];
  const repeated: RepeatedWork[] = [];
  const app: App<S> = {
    name,
    handle: (contract, handlers) => void bindings.push(bind(contract, handlers)),
    http: (method, path, handler) => void routes.push({ path, methods: [method], value: handler }),
    filter: (make) => void filters.push(make),
    repeat(work, repeatOptions, run) {
      assertRepeat(work, repeatOptions);
      repeated.push({ ...repeatOptions, name: work, work: run });
    },
    client(contract, clientOptions = {}) {
      const lazy = createLazyClient(contract, clientOptions);
      clients.push(lazy);
      return lazy.client as Client<typeof contract>;
    },
    fetch: fetching.fetch,
    resource(resourceName, start, stop = () => {}) {
      const spec: ResourceSpec<S> = {
        name: resourceName,
        start,
        stop: stop as ResourceSpec<S>['stop'],
        values: new PerCopy(),
      };
      resources.push(spec);
      return () => {
        const value = spec.values.current;
        if (!value) {
          throw new FlotillaError(
            'UNAVAILABLE',
            `"${resourceName}" of service "${name}" is not open: it is opened by run()`,
          );
        }
        return value.opened as never;
      };
    },
    settings() {
      const now = current.now.current;
      if (!now) {
        throw new FlotillaError(
          'UNAVAILABLE',
          `the settings of service "${name}" are read by run(); they are not there yet`,
        );
      }
      return now.values;
    },
    onSettings: (listener) => void current.listeners.push(listener),
  };
  const copies = new Set<Copy>();
  partsOf.set(app, {
    name,
    options,
    bindings,
    routes,
    resources,
    clients,
    fetching,
    settings: current,
    copies,
    filters,
    repeated,
  } as unknown as AppParts<never>);
  return app;
}

/** The parts of an application made by {@link service}. */
export function appParts<S>(app: App<S>): AppParts<S> {
  const parts = partsOf.get(app);
  if (!parts) throw new TypeError('this is no application: make it with service()');
  return parts as unknown as AppParts<S>;
}
