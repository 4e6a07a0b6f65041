import { Clusters } from '@flotilla/balance';
import {
  type Address,
  type Component,
  FlotillaError,
  formatHostPort,
  type Instance,
  type Registration,
} from '@flotilla/core';
import { contextPathKey, isLoopback } from '@flotilla/http';
import type { AnyContract, Client } from '@flotilla/rpc';
import { createLazyClient, type LazyClient } from '../client.ts';
import type { ContractClientOptions } from '../client-options.ts';
import { callersNoticed } from '../drain-notice.ts';
import type { ProcessParts } from '../engines/process/process-spec.ts';
import { createLazyFetch, type FleetFetch } from '../fetch/fetch.ts';
import { policiesOf } from '../process-policies.ts';
import { clientNeeds } from '../start/clients.ts';
import { contractsOf, describeInstance, documentsOf } from '../start/describe-instance.ts';
import { discoveryComponent } from '../start/discovery-component.ts';
import type { ServiceRuntime } from '../start/service-runtime.ts';
import type { AppCheck } from './app-check.ts';
import type { AppServer } from './app-server.ts';
import { AppWatch } from './app-watch.ts';
import type { AppHealth } from './health-state.ts';
import { joinLog } from './log.ts';
import type { JoinConfig } from './settings.ts';

/** What an app says of itself when it joins. */
export interface MemberFacts {
  readonly name: string;
  readonly version?: string | undefined;
  readonly contracts: readonly AnyContract[];
  readonly metadata: Readonly<Record<string, string>>;
  /** What everything that it serves stands under: `/ctx`. */
  readonly contextPath?: string | undefined;
}

/** What membership runs on. */
export type MemberRuntime = Omit<ServiceRuntime, 'bindOf'>;

/** The parts of a membership that can be started. */
export interface MemberParts extends ProcessParts<JoinConfig> {
  readonly fetch: FleetFetch;
  client<C extends AnyContract>(contract: C, options?: ContractClientOptions<C>): Client<C>;
  health(): AppHealth;
  /** Resolves when the app is up for the first time. */
  readonly firstUp: Promise<void>;
  /** The instance as it is registered. Throws before its address is known. */
  instance(): Instance;
}

/**
 * Makes an app a member of the fleet. Started: clients, then the registration as `starting`, then the checks that turn it
 * to `up` and `down`. Stopped, in reverse: the checks end; `draining` is pushed and callers say that they know, or get `drainNoticeMs`; the
 * instance is deregistered; the app's server closes and requests in hand get `drainMs`; clients close.
 */
export function memberParts(
  facts: MemberFacts,
  config: JoinConfig,
  server: AppServer,
  check: AppCheck,
  runtime: MemberRuntime,
): MemberParts {
  const log = joinLog(runtime.logger);
  const fetching = createLazyFetch();
  const clients: LazyClient[] = [];
  let current = config;
  const now = (): JoinConfig => current;
  const listing = new Listing(facts, now, runtime, clients);
  const firstUp = Promise.withResolvers<void>();
  const watch = new AppWatch({
    config: config.health,
    address: () => server.address(),
    check,
    changed({ status }, address) {
      listing.say(status, address);
      if (status === 'up') firstUp.resolve();
    },
    clock: runtime.clock,
    random: runtime.random,
    log,
  });
  const ready = runtime.health.register({
    name: 'app',
    check: () => {
      const { status, reason } = watch.health;
      return status === 'up' ? { ready: true } : { ready: false, reason: reason ?? 'it was not asked yet' };
    },
  });
  const policies = runtime.policies ?? policiesOf({ clients: config.clients, server: {} }, runtime);
  const clusters = new Clusters(config.clients);
  const clientRuntime = {
    ...clientNeeds(config.zone, clusters, runtime),
    resolver: runtime.discovery.resolver,
    policies,
  };
  fetching.connect(clientRuntime);
  return {
    fetch: fetching.fetch,
    client(contract, options = {}) {
      const lazy = createLazyClient(contract, options);
      lazy.connect(clientRuntime);
      clients.push(lazy);
      return lazy.client as Client<typeof contract>;
    },
    health: () => watch.health,
    firstUp: firstUp.promise,
    instance: () => listing.instance,
    components: [
      { name: 'clients', start: async () => {}, stop: () => closeAll([...clients, fetching]) },
      discoveryComponent(runtime),
      serverComponent(server, now, log),
      {
        name: 'registration',
        start: async () => {
          if (!server.seen) log.unseen();
        },
        async stop(reason) {
          ready();
          runtime.health.drain();
          log.draining({ instance: listing.known?.id, reason });
          server.leaving();
          await listing.leave();
        },
      },
      watch,
    ],
    url() {
      const address = server.address();
      return address ? `${address.protocol}://${formatHostPort(address)}` : '';
    },
    refresh(changed) {
      current = changed;
      clusters.update(changed.clients);
      policies.configure({ clients: changed.clients });
      listing.weigh(changed.weight);
    },
    why: (service) => clusters.explain(service),
    info: () => ({ status: watch.health.status, instance: listing.known?.id }),
    inHand: () => (server.inFlight === 0 ? '' : `${server.inFlight} ${server.inFlight === 1 ? 'request' : 'requests'}`),
  };
}

async function closeAll(clients: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}

function serverComponent(server: AppServer, now: () => JoinConfig, log: ReturnType<typeof joinLog>): Component {
  return {
    name: 'server of the app',
    start: async () => {},
    async stop() {
      try {
        const lost = await server.close(now().drainMs);
        if (lost > 0) log.cutOff(`${lost} ${lost === 1 ? 'request' : 'requests'}`);
      } catch (cause) {
        log.appStopFailed(cause);
      }
    },
  };
}

/** The app in the registry, from when its address is known. */
class Listing {
  readonly #facts: MemberFacts;
  readonly #now: () => JoinConfig;
  readonly #runtime: MemberRuntime;
  /** Those that were made before the server listens are what the instance says it calls. */
  readonly #clients: readonly LazyClient[];
  #instance: Instance | undefined;
  #registration: Registration | undefined;
  #left = false;

  constructor(facts: MemberFacts, now: () => JoinConfig, runtime: MemberRuntime, clients: readonly LazyClient[]) {
    this.#facts = facts;
    this.#now = now;
    this.#runtime = runtime;
    this.#clients = clients;
  }

  get known(): Instance | undefined {
    return this.#instance;
  }

  get instance(): Instance {
    if (this.#instance) return this.#instance;
    throw new FlotillaError('UNAVAILABLE', `"${this.#facts.name}" is not registered yet: its server does not listen`);
  }

  /** Registers at the first word, and passes on every further one. */
  say(status: AppHealth['status'], address: Address | undefined): void {
    if (this.#left) return;
    if (this.#registration) void this.#registration.setStatus(status);
    else if (address) this.#register(status, address);
  }

  /** Says how large a share of the calls the app takes. */
  weigh(weight: number): void {
    void this.#registration?.setWeight(weight);
  }

  /** Says `draining`, waits until callers know, and goes. */
  async leave(): Promise<void> {
    this.#left = true;
    if (!this.#registration) return;
    await this.#registration.setStatus('draining');
    await callersNoticed(this.#registration, this.#now().drainNoticeMs, this.#runtime.clock);
    await this.#registration.deregister();
  }

  #register(status: AppHealth['status'], listens: Address): void {
    const { name, version, contracts, metadata, contextPath } = this.#facts;
    const { host, reason } = this.#runtime.advertise(listens.host, this.#now().advertise);
    const parts = {
      name,
      options: {
        metadata: { ...metadata, ...(contextPath === undefined ? undefined : { [contextPathKey]: contextPath }) },
        ...(version === undefined ? undefined : { version }),
      },
      bindings: contracts.map((contract) => ({ contract })),
      clients: this.#clients,
    };
    const described = describeInstance(parts, this.#now(), this.#runtime, { ...listens, host });
    this.#instance = { ...described, status };
    this.#registration = this.#runtime.discovery.registrar.register(this.#instance, documentsOf(contractsOf(parts)));
    joinLog(this.#runtime.logger).joined({
      instance: this.#instance.id,
      address: formatHostPort({ host, port: listens.port }),
      reason,
      management: this.#runtime.management ? formatHostPort(this.#runtime.management) : '',
      ...(isLoopback(host)
        ? { note: 'only this machine can reach it; set "bind" or "advertise" to open it' }
        : undefined),
    });
  }
}
