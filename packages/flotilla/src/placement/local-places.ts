import type {
  Instance,
  InstanceSet,
  InstanceStatus,
  Registrar,
  Registration,
  Resolver,
  Target,
  Watch,
} from '@flotilla/core';

/** Where a service runs, seen from the process that is told: in it, in a thread of it, or elsewhere. */
export type Placement = 'process' | 'worker' | 'remote';

/** The port of what is placed here: no socket has it. */
export const placedPort = 0;

/** A service that runs in this process, or in a thread of it. */
interface Place {
  readonly protocol: 'process' | 'worker';
  /** Undefined while it is down. */
  instance: Instance | undefined;
  /** Contracts that it has served: calls of them do not go elsewhere while it is down. */
  readonly contracts: Set<string>;
}

/**
 * The services that are placed here: what a registry is for those that are elsewhere. Whoever looks for one of them, by its
 * name or by a contract that it serves, finds it and no other; all else is looked up outside.
 */
export class LocalPlaces {
  readonly #outside: Resolver;
  readonly #places = new Map<string, Place>();
  readonly #watches = new Set<() => void>();

  constructor(outside: Resolver) {
    this.#outside = outside;
  }

  /** Makes a service one that is placed here, before it is up. @param contracts that it is known to serve */
  add(service: string, protocol: Place['protocol'], contracts: readonly string[] = []): void {
    this.#places.set(service, { protocol, instance: undefined, contracts: new Set(contracts) });
  }

  /** What the service says of itself; undefined: it is down. Its addresses are replaced by its place. */
  set(service: string, instance: Instance | undefined): void {
    const place = this.#places.get(service);
    if (!place) throw new RangeError(`"${service}" is not placed here`);
    // Who asks for https wants nobody to listen in: nobody can.
    const addresses = [place.protocol, 'http', 'https'].map((protocol) => ({
      protocol,
      host: service,
      port: placedPort,
    }));
    place.instance = instance && { ...instance, addresses };
    for (const { name } of instance?.contracts ?? []) place.contracts.add(name);
    for (const tell of [...this.#watches]) tell();
  }

  /** Registers a service here and nowhere else: nobody outside can reach it. */
  registrar(service: string): Registrar {
    return {
      register: (instance) => {
        this.set(service, instance);
        return new LocalRegistration(instance, (changed) => this.set(service, changed));
      },
    };
  }

  readonly resolver: Resolver = {
    watch: (target, update) => {
      let outside: Watch | undefined;
      let told: Instance | undefined | null = null;
      const tell = (): void => {
        const place = this.#placeOf(target);
        if (!place) {
          outside ??= this.#outside.watch(target, (set) => {
            if (!this.#placeOf(target)) update(set);
          });
          return;
        }
        if (told === place.instance) return;
        told = place.instance;
        update(setOf(place));
      };
      this.#watches.add(tell);
      tell();
      return {
        close: () => {
          this.#watches.delete(tell);
          outside?.close();
        },
      };
    },
  };

  #placeOf(target: Target): Place | undefined {
    if ('service' in target) return this.#places.get(target.service);
    for (const place of this.#places.values()) if (place.contracts.has(target.contract)) return place;
    return undefined;
  }
}

function setOf({ instance }: Place): InstanceSet {
  return { instances: instance ? [instance] : [], warming: false };
}

/** Callers here hear of a change at once. */
class LocalRegistration implements Registration {
  readonly announced: Promise<void> = Promise.resolve();
  readonly #tell: (instance: Instance | undefined) => void;
  #instance: Instance | undefined;

  constructor(instance: Instance, tell: (instance: Instance | undefined) => void) {
    this.#instance = instance;
    this.#tell = tell;
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    this.#change({ status });
  }

  async setWeight(weight: number): Promise<void> {
    this.#change({ weight });
  }

  async noticed(): Promise<boolean> {
    return true;
  }

  async deregister(): Promise<void> {
    this.#instance = undefined;
    this.#tell(undefined);
  }

  #change(changed: Partial<Instance>): void {
    if (!this.#instance) return;
    this.#instance = { ...this.#instance, ...changed, revision: this.#instance.revision + 1 };
    this.#tell(this.#instance);
  }
}
