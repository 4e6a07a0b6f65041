import { type Clock, formatHostPort, nearest, type Random } from '@flotilla/core';
import { seededRandom, settle } from '@flotilla/core/testing';
import { type RouteDocument, readRoutes } from '@flotilla/gateway';
import type { Registry } from '@flotilla/registry/server';
import type { AnyContract, Client } from '@flotilla/rpc';
import type { ContractClientOptions, GenericClient } from 'flotilla';
import { fleetEngines } from './engines/networks.ts';
import { givingUp, untilTrue } from './engines/real-time.ts';
import type { Fleet, FleetCopy, FleetGateway } from './fleet.ts';
import { flowingClient, flowingGeneric } from './flowing-client.ts';
import { FlowingTime } from './flowing-time.ts';
import { FaultyNetwork } from './network/faulty-network.ts';
import { type AnyApp, type ResolvedOptions, resolveEntry, type ServiceEntry } from './options.ts';
import { beginGateway, type RunningGateway } from './parties/gateway.ts';
import { type Ground, Party } from './parties/party.ts';
import { beginRegistry, type RunningRegistry } from './parties/registry.ts';
import { beginService, type RunningCopy } from './parties/service.ts';
import { beginCaller, type Caller } from './parties/test.ts';
import { Records } from './records/records.ts';

const why = 'the test is over';

/** Joins the parties of a fleet. */
export class RunningFleet implements Fleet {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: FaultyNetwork;
  readonly #options: ResolvedOptions;
  readonly #time: FlowingTime;
  readonly #records = new Records();
  readonly #ground: Ground;
  readonly #engines: ReturnType<typeof fleetEngines>;
  readonly #registry: Party<RunningRegistry>;
  readonly #services: Party<RunningCopy>[] = [];
  readonly #apps = new Set<AnyApp>();
  readonly #gateway: Party<RunningGateway> | undefined;
  /** The test, inside and before the door. */
  readonly #inside: Party<Caller>;
  readonly #outside: Party<Caller>;
  readonly #door: FleetGateway | undefined;
  readonly #doorAt: { host: string; port: number };
  readonly #left: string[] = [];
  #routes: RouteDocument | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ResolvedOptions) {
    const { seed, network, clock } = options;
    this.#options = options;
    this.clock = clock;
    this.random = seededRandom(seed);
    this.network = new FaultyNetwork(seededRandom(mixed(seed, 'network')));
    this.#time = new FlowingTime(clock, options.time === 'flows' && network === 'memory');
    const randomFor = (name: string): Random => seededRandom(mixed(seed, name));
    this.#ground = { wires: this.network, clock, records: this.#records, randomFor };
    this.#engines = fleetEngines(network, clock, randomFor('engines'));
    this.#doorAt = { host: this.#engines.hostOf('gateway'), port: network === 'memory' ? 8_080 : 0 };
    this.#registry = this.#makeRegistry();
    this.#gateway = this.#makeGateway();
    this.#inside = this.#makeCaller('inside');
    this.#outside = this.#makeCaller('outside');
    this.#door = this.#gateway && this.#makeDoor(this.#gateway);
    for (const entry of options.services) this.#makeCopies(entry);
  }

  get logs(): Records['logs'] {
    return this.#records.logs;
  }

  get metrics(): Records['metrics'] {
    return this.#records.metrics;
  }

  get spans(): Records['spans'] {
    return this.#records.spans;
  }

  get registry(): Registry {
    return this.#registry.value.registry;
  }

  get gateway(): FleetGateway {
    if (!this.#door) throw new Error('this fleet has no gateway; give startFleet the option gateway: { routes }');
    return this.#door;
  }

  /** All of it, or nothing. */
  async start(): Promise<void> {
    try {
      for (const party of [this.#registry, this.#inside, this.#outside, ...this.#services]) await this.#start(party);
      if (this.#gateway) await this.#start(this.#gateway);
      await this.#untilListed(this.#services);
    } catch (thrown) {
      await this.#stopAll();
      throw thrown;
    }
  }

  copies(service: string): readonly FleetCopy[] {
    const found = this.#services.filter(({ group }) => group === service);
    if (found.length === 0) throw unknownName(service, this.#services);
    return found.map((party) => this.#viewOf(party));
  }

  client<C extends AnyContract>(contract: C, options: ContractClientOptions<C> = {}): Client<C> {
    return flowingClient(this.#inside.value.connect(contract, options).client, this.#time);
  }

  generic(): Pick<GenericClient, 'call' | 'stream'> {
    return flowingGeneric(this.#inside.value.generic(), this.#time);
  }

  async add(service: AnyApp | ServiceEntry): Promise<void> {
    const entry = resolveEntry(service);
    if (this.#apps.has(entry.app)) throw new RangeError(`the fleet has this service "${entry.app.name}" already`);
    const started = this.#makeCopies(entry);
    for (const party of started) await this.#start(party);
    await this.#untilListed(started);
  }

  async kill(name: string): Promise<void> {
    const parties = this.#named(name);
    await givingUp(Promise.all(parties.map((party) => party.kill())), () => `killing ${name}`);
    await settle();
  }

  async leave(name: string): Promise<void> {
    for (const party of this.#named(name)) this.#left.push(...(await this.until(party.stop('the test says so'))));
    await settle();
  }

  async restart(name: string): Promise<void> {
    await this.leave(name);
    const started = this.#named(name);
    for (const party of started) await this.#start(party);
    await this.#untilListed(started);
  }

  async configure(name: string, settings: unknown): Promise<void> {
    const parties = this.#services.filter((party) => party.name === name || party.group === name);
    if (parties.length === 0) throw unknownName(name, this.#services);
    for (const party of parties) party.value.configure(settings);
    await settle();
  }

  until<T>(work: Promise<T>): Promise<T> {
    return this.#time.until(work);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /**
   * A test that fails in its middle has calls in hand. An error from here would stand before its own, so these are no
   * error then: whoever waits for such a call gets CONNECTION_LOST.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.#stopping ??= this.#stop({ forgiveCallsOfTest: true });
    return this.#stopping;
  }

  async #stop({ forgiveCallsOfTest = false } = {}): Promise<void> {
    await settle();
    const inHand = this.network.breakCalls();
    await this.#stopAll();
    const forgiven = forgiveCallsOfTest && inHand.some((title) => title.startsWith('test '));
    const calls = forgiven ? [] : inHand.map((title) => `a call from ${title} in hand`);
    const left = [...calls, ...this.#left];
    if (left.length > 0 && this.#options.leftovers === 'fail') {
      throw new Error(`the fleet left something behind:\n${left.map((what) => `- ${what}`).join('\n')}`);
    }
  }

  /** The door first, the registry last: nobody calls somebody who has left. Whoever leaves is heard by all. */
  async #stopAll(): Promise<void> {
    this.network.heal();
    const order = [this.#outside, this.#gateway, this.#inside, ...this.#services.toReversed(), this.#registry];
    // A drain of no length, and giving up on a registry that is gone, both want time: here it flows in any case.
    const time = new FlowingTime(this.clock, true);
    for (const party of order) {
      if (party) this.#left.push(...(await givingUp(time.until(party.stop(why)), () => `the stop of ${party.name}`)));
    }
  }

  /** Until the registry, if it runs, lists those that were just started, and its pushes have arrived. */
  async #untilListed(started: readonly Party<unknown>[]): Promise<void> {
    const missing = (): string[] =>
      this.#services
        .filter((party) => started.includes(party) && this.#registry.running && !this.#lists(party))
        .map(({ name }) => name);
    await untilTrue(
      () => missing().length === 0,
      settle,
      () => `the registry does not list ${missing().join(', ')}`,
    );
    await settle();
  }

  #lists({ group, value }: Party<RunningCopy>): boolean {
    return this.registry.find(group, value.instance.id) !== undefined;
  }

  #start(party: Party<unknown>): Promise<void> {
    return givingUp(this.until(party.start()), () => `the start of ${party.name}`);
  }

  #makeRegistry(): Party<RunningRegistry> {
    const { inside, hostOf } = this.#engines;
    const at = { host: hostOf('registry'), port: this.#options.network === 'memory' ? 8_761 : 0 };
    const engines = { listenOn: inside, connectBy: inside };
    return new Party({ name: 'registry', group: 'registry' }, this.#ground, engines, async (runtime) => {
      const up = await beginRegistry(runtime, at, this.#options.registry);
      at.port = up.value.port; // a successor is found where the first one was
      return up;
    });
  }

  #makeGateway(): Party<RunningGateway> | undefined {
    const entry = this.#options.gateway;
    if (!entry) return undefined;
    const { inside, outside } = this.#engines;
    const at = this.#doorAt;
    const engines = { listenOn: outside, connectBy: inside, rsocket: this.#engines.rsocket };
    return new Party({ name: 'gateway', group: 'gateway' }, this.#ground, engines, async (runtime) => {
      const up = await beginGateway(runtime, at, this.registryUrl, this.#routes ?? entry.document, entry.needs);
      at.port = up.value.port;
      return up;
    });
  }

  #makeDoor(party: Party<RunningGateway>): FleetGateway {
    const at = this.#doorAt;
    return {
      get url() {
        return `http://${formatHostPort(at)}`;
      },
      get gateway() {
        return party.value.gateway;
      },
      fetch: (path, init) => this.until(this.#outside.value.fetch(at, path, init)),
      apply: (routes) => {
        const document = readRoutes(routes, 'the routes of the test');
        const applied = party.value.gateway.apply(document);
        this.#routes = document; // a successor reads what the file says then
        return applied;
      },
    };
  }

  #makeCaller(side: 'inside' | 'outside'): Party<Caller> {
    const engines = { listenOn: this.#engines[side], connectBy: this.#engines[side], rsocket: this.#engines.rsocket };
    return new Party({ name: 'test', group: 'test' }, this.#ground, engines, (runtime) =>
      beginCaller(runtime, this.registryUrl),
    );
  }

  #makeCopies({ app, copies, settings, config }: Required<ServiceEntry>): Party<RunningCopy>[] {
    const { inside, hostOf, rsocket } = this.#engines;
    const engines = { listenOn: inside, connectBy: inside, rsocket };
    this.#apps.add(app);
    const before = this.#services.filter(({ group }) => group === app.name).length;
    const made = Array.from({ length: copies }, (_, index) => {
      const name = `${app.name}.${before + index + 1}`;
      return new Party({ name, group: app.name }, this.#ground, engines, (runtime) =>
        beginService(app, runtime, { host: hostOf(name), registry: this.registryUrl, settings, config }),
      );
    });
    this.#services.push(...made);
    return made;
  }

  #viewOf(party: Party<RunningCopy>): FleetCopy {
    return {
      name: party.name,
      get running() {
        return party.running;
      },
      get instance() {
        return party.value.instance;
      },
      why: (service) => party.value.why(service),
      get url() {
        return party.value.url;
      },
      fetch: async (path, init) => {
        const { hostname, port } = new URL(party.value.url);
        return this.until(this.#inside.value.fetch({ host: hostname, port: Number(port) }, path, init));
      },
    };
  }

  #named(name: string): Party<unknown>[] {
    const all: Party<unknown>[] = [this.#registry, ...this.#services];
    if (this.#gateway) all.push(this.#gateway);
    const found = all.filter((party) => party.name === name || party.group === name);
    if (found.length === 0) throw unknownName(name, all);
    return found;
  }

  get registryUrl(): string {
    const { port } = this.#registry.value;
    return `http://${formatHostPort({ host: this.#engines.hostOf('registry'), port })}`;
  }
}

function unknownName(name: string, parties: readonly Party<unknown>[]): RangeError {
  const known = [...new Set(parties.flatMap((party) => [party.group, party.name]))];
  const near = nearest(name, known);
  const hint = near === undefined ? '' : ` did you mean "${near}"?`;
  return new RangeError(`nothing in this fleet is called "${name}";${hint} it has ${known.join(', ') || 'no service'}`);
}

/** Another sequence for each name, the same one in each run (FNV-1a, 32 bits). */
function mixed(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
